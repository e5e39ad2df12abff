// Resamples a face onto the ArcFace template. The matrix: template.ts.
import { type Affine, ARCFACE_TEMPLATE, type Point, similarityTransform, TEMPLATE_SIZE } from "./template.js";

// OpenCV's warpAffine, bilinear: coordinates are rounded to 1/32 pixel by way of 1/1024, products are integers. Its rule is kept
// so that faces aligned here and by the usual Python scripts are the same.
const COORDINATE_BITS = 10;
const FRACTION_BITS = 5;
const FRACTIONS = 1 << FRACTION_BITS;
const ROUNDING = 1 << (COORDINATE_BITS - FRACTION_BITS - 1);
const WEIGHT_BITS = 2 * FRACTION_BITS;

/**
 * Moves the five points of a face onto the template by a similarity transform and resamples bilinearly; outside of the picture is
 * black. For another size than 112 the template is scaled.
 *
 * @param pixels [height, width, 3] RGB, 0..255
 * @param landmarks [10] x0, y0 … x4, y4 in pixels of the picture, in the order of the template
 * @returns [size, size, 3]
 * @throws E_DATA when the points are not five, not finite, or all in one place
 */
export function alignFace(
  pixels: Uint8Array,
  width: number,
  height: number,
  landmarks: ArrayLike<number>,
  size: number,
): Uint8Array {
  const points = Array.from(
    { length: landmarks.length / 2 },
    (_, i): Point => [landmarks[2 * i]!, landmarks[2 * i + 1]!],
  );
  const scale = size / TEMPLATE_SIZE;
  const template = ARCFACE_TEMPLATE.map(([x, y]): Point => [x * scale, y * scale]);
  const [a, b, shiftX, c, d, shiftY] = inverse(similarityTransform(points, template));
  const result = new Uint8Array(size * size * 3);
  const unit = 1 << COORDINATE_BITS;
  for (let row = 0; row < size; row++) {
    const rowX = Math.round((b * row + shiftX) * unit) + ROUNDING;
    const rowY = Math.round((d * row + shiftY) * unit) + ROUNDING;
    for (let column = 0; column < size; column++) {
      const x = (rowX + Math.round(a * column * unit)) >> (COORDINATE_BITS - FRACTION_BITS);
      const y = (rowY + Math.round(c * column * unit)) >> (COORDINATE_BITS - FRACTION_BITS);
      interpolate(pixels, width, height, x, y, result, (row * size + column) * 3);
    }
  }
  return result;
}

/** From the result's pixels back to the picture's. */
function inverse([a, b, shiftX, c, d, shiftY]: Affine): Affine {
  const scale = 1 / (a * d - b * c);
  const [p, q, r, s] = [d * scale, -b * scale, -c * scale, a * scale];
  return [p, q, -p * shiftX - q * shiftY, r, s, -r * shiftX - s * shiftY];
}

/** Writes the colour at (x, y), in 1/32 pixel, to `target`. */
function interpolate(
  pixels: Uint8Array,
  width: number,
  height: number,
  x: number,
  y: number,
  target: Uint8Array,
  at: number,
): void {
  const left = x >> FRACTION_BITS;
  const top = y >> FRACTION_BITS;
  if (left < -1 || top < -1 || left >= width || top >= height) return;
  const right = x & (FRACTIONS - 1);
  const bottom = y & (FRACTIONS - 1);
  const colour = (column: number, row: number, channel: number) =>
    column < 0 || row < 0 || column >= width || row >= height
      ? 0
      : pixels[(row * width + column) * 3 + channel]!;
  for (let channel = 0; channel < 3; channel++) {
    const upper = colour(left, top, channel) * (FRACTIONS - right) + colour(left + 1, top, channel) * right;
    const lower =
      colour(left, top + 1, channel) * (FRACTIONS - right) + colour(left + 1, top + 1, channel) * right;
    target[at + channel] =
      (upper * (FRACTIONS - bottom) + lower * bottom + (1 << (WEIGHT_BITS - 1))) >> WEIGHT_BITS;
  }
}
