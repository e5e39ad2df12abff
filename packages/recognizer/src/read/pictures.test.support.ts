// Pixels and image files for the tests. The name keeps it out of the published package.
import sharp, { type Sharp } from "sharp";
import type { Picture } from "../types.js";

/** RGB [height, width, 3] that tell left from right and, within ten rows, top from bottom. */
export function pattern(width: number, height: number): Uint8Array {
  const pixels = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++)
      pixels.set([90, Math.floor((255 * x) / (width - 1)), 20 * (y % 10)], (y * width + x) * 3);
  }
  return pixels;
}

export interface Patch {
  x: number;
  y: number;
  size: number;
  color: readonly [number, number, number];
}

export const RED = [255, 0, 0] as const;
export const BLUE = [0, 0, 255] as const;

/** Grey with squares on it; red ones are faces to the detectors of onnx/detector.test.support.ts. */
export function patches(width: number, height: number, list: readonly Patch[]): Picture {
  const pixels = new Uint8Array(width * height * 3).fill(100);
  for (const { x, y, size, color } of list)
    for (let row = y; row < y + size; row++)
      for (let column = x; column < x + size; column++) pixels.set(color, (row * width + column) * 3);
  return { width, height, pixels };
}

export function imageOf({ width, height, pixels }: Picture): Sharp {
  return sharp(pixels, { raw: { width, height, channels: 3 } });
}
