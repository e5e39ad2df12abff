// Pictures to another size, in plain numbers, so that Node and every browser compute the same pixels.
import type { Picture } from "../types.js";

/** Weights in 1/2^14: sums of 255 times them stay within 32 bits. */
const WEIGHT_BITS = 14;
const ONE = 1 << WEIGHT_BITS;
const HALF = ONE >> 1;
const CHANNELS = 3;

/** For each of the result's pixels along one side: the first of its source pixels, and their weights, which add up to ONE. */
interface Taps {
  first: Int32Array;
  /** [result, count]; unused ones are 0. */
  weights: Int32Array;
  count: number;
}

/** Where a side shrinks to less than a quarter, blocks are averaged first: much faster, and the filter still spans whole blocks. */
const LEAST_STEP = 2;

/**
 * Bilinear with a filter as wide as the step when it shrinks (a triangle, so that nothing is skipped), along y and then along x: whole rows
 * are summed, which is the faster the larger the picture. Edges are those of the outermost pixels, as in OpenCV and Pillow. Rounded to whole
 * values after each.
 */
export function resample(picture: Picture, newWidth: number, newHeight: number): Picture {
  const { width, height } = picture;
  if (newWidth === width && newHeight === height) return picture;
  const blockWidth = Math.max(1, Math.floor(width / newWidth / LEAST_STEP));
  const blockHeight = Math.max(1, Math.floor(height / newHeight / LEAST_STEP));
  const small = blockWidth * blockHeight === 1 ? picture : averageBlocks(picture, blockWidth, blockHeight);
  const down = taps(small.height, height / blockHeight, newHeight);
  const rows = alongY(small.pixels, small.width * CHANNELS, down);
  const across = taps(small.width, width / blockWidth, newWidth);
  return { width: newWidth, height: newHeight, pixels: alongX(rows, small.width, newHeight, across) };
}

/** The mean of each block of the picture; those at the right and lower edge may be cut. */
function averageBlocks({ width, height, pixels }: Picture, blockWidth: number, blockHeight: number): Picture {
  const [newWidth, newHeight] = [Math.ceil(width / blockWidth), Math.ceil(height / blockHeight)];
  const line = width * CHANNELS;
  const result = new Uint8Array(newWidth * newHeight * CHANNELS);
  const sums = new Int32Array(line);
  let out = 0;
  for (let top = 0; top < height; top += blockHeight) {
    const bottom = Math.min(height, top + blockHeight);
    sums.fill(0);
    for (let start = top * line; start < bottom * line; start += line)
      for (let i = 0; i < line; i++) sums[i]! += pixels[start + i]!;
    for (let left = 0; left < width; left += blockWidth) {
      const right = Math.min(width, left + blockWidth);
      const area = (right - left) * (bottom - top);
      for (let channel = 0; channel < CHANNELS; channel++) {
        let sum = area >> 1;
        for (let x = left; x < right; x++) sum += sums[x * CHANNELS + channel]!;
        result[out++] = Math.floor(sum / area);
      }
    }
  }
  return { width: newWidth, height: newHeight, pixels: result };
}

/** @param line bytes in a row */
function alongY(pixels: Uint8Array, line: number, { first, weights, count }: Taps): Uint8Array {
  const result = new Uint8Array(line * first.length);
  const sums = new Int32Array(line);
  for (let y = 0; y < first.length; y++) {
    sums.fill(HALF);
    for (let k = 0; k < count; k++) {
      const weight = weights[y * count + k]!;
      if (weight === 0) continue;
      const source = (first[y]! + k) * line;
      for (let i = 0; i < line; i++) sums[i]! += weight * pixels[source + i]!;
    }
    for (let i = 0; i < line; i++) result[y * line + i] = sums[i]! >> WEIGHT_BITS;
  }
  return result;
}

function alongX(
  pixels: Uint8Array,
  width: number,
  height: number,
  { first, weights, count }: Taps,
): Uint8Array {
  const result = new Uint8Array(first.length * height * CHANNELS);
  let out = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < first.length; x++) {
      let red = HALF;
      let green = HALF;
      let blue = HALF;
      let at = (y * width + first[x]!) * CHANNELS;
      const end = (x + 1) * count;
      for (let k = x * count; k < end; k++, at += CHANNELS) {
        const weight = weights[k]!;
        red += weight * pixels[at]!;
        green += weight * pixels[at + 1]!;
        blue += weight * pixels[at + 2]!;
      }
      result[out++] = red >> WEIGHT_BITS;
      result[out++] = green >> WEIGHT_BITS;
      result[out++] = blue >> WEIGHT_BITS;
    }
  }
  return result;
}

/** @param length of the side in source pixels, of which the last may be there in part */
function taps(from: number, length: number, to: number): Taps {
  const step = length / to;
  const reach = Math.max(1, step);
  const count = Math.min(from, Math.ceil(2 * reach) + 1);
  const first = new Int32Array(to);
  const weights = new Int32Array(to * count);
  const shares = new Float64Array(count);
  for (let i = 0; i < to; i++) {
    const centre = (i + 0.5) * step - 0.5;
    const start = Math.min(from - count, Math.max(0, Math.ceil(centre - reach)));
    first[i] = start;
    let sum = 0;
    for (let k = 0; k < count; k++) {
      shares[k] = Math.max(0, 1 - Math.abs(start + k - centre) / reach);
      sum += shares[k]!;
    }
    let rest = ONE;
    let largest = 0;
    for (let k = 0; k < count; k++) {
      const weight = Math.round((shares[k]! / sum) * ONE);
      weights[i * count + k] = weight;
      rest -= weight;
      if (weight > weights[i * count + largest]!) largest = k;
    }
    weights[i * count + largest]! += rest; // what rounding left over
  }
  return { first, weights, count };
}
