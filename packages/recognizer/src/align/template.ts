// The ArcFace template and the similarity transform that brings five facial points onto it. Computes the matrix only; it neither
// finds the points nor resamples pixels.
import { TopofrError } from "@topofr/formats/error";

export type Point = readonly [x: number, y: number];

/**
 * Where the points of an aligned 112x112 face lie, in pixels: eye on the picture's left, eye on its right, nose, mouth corner
 * on the left, on the right. Source: `arcface_src` of insightface, the alignment of MS1MV2 and Glint360K.
 */
export const ARCFACE_TEMPLATE: readonly Point[] = [
  [38.2946, 51.6963],
  [73.5318, 51.5014],
  [56.0252, 71.7366],
  [41.5493, 92.3655],
  [70.7299, 92.2041],
];

/** Side of the image that the template is given for, in pixels. */
export const TEMPLATE_SIZE = 112;

/** Row-major 2x3 matrix: x' = m0 x + m1 y + m2, y' = m3 x + m4 y + m5. */
export type Affine = readonly [number, number, number, number, number, number];

/**
 * Rotation, uniform scale and shift (never a reflection) that move `from` onto `to` with the least sum of squared
 * distances: Umeyama (1991), equations 40 to 42. In the plane, with points as complex numbers, it is the linear
 * regression w = c z + t, so c = sum(conj(z) w) / sum |z|^2 of the centred points.
 *
 * @throws E_DATA when the points are too few, not finite, or all in one place
 */
export function similarityTransform(from: readonly Point[], to: readonly Point[] = ARCFACE_TEMPLATE): Affine {
  if (from.length !== to.length || from.length < 2) {
    throw new TopofrError(
      "E_DATA",
      `alignment needs as many points as the template, found ${from.length} and ${to.length}`,
    );
  }
  const [fromX, fromY] = centre(from);
  const [toX, toY] = centre(to);
  let real = 0;
  let imaginary = 0;
  let spread = 0;
  from.forEach(([px, py], i) => {
    const [qx, qy] = to[i]!;
    const [x, y, u, v] = [px - fromX, py - fromY, qx - toX, qy - toY];
    real += x * u + y * v;
    imaginary += x * v - y * u;
    spread += x * x + y * y;
  });
  if (!(spread > 0) || !Number.isFinite(real + imaginary + spread)) {
    throw new TopofrError(
      "E_DATA",
      `alignment points are not finite or all in one place: ${JSON.stringify(from)}`,
    );
  }
  const [a, b] = [real / spread, imaginary / spread];
  return [a, -b, toX - a * fromX + b * fromY, b, a, toY - b * fromX - a * fromY];
}

function centre(points: readonly Point[]): [number, number] {
  const sum = points.reduce<[number, number]>(([sumX, sumY], [x, y]) => [sumX + x, sumY + y], [0, 0]);
  return [sum[0] / points.length, sum[1] / points.length];
}
