// Decoded pixels as the networks' input.
import { type Tensor, tensor } from "@topofr/torch";
import { PIXEL_MEAN, PIXEL_SCALE } from "./normalize.js";

/**
 * @param pixels [count, size, size, 3] RGB, 0..255
 * @returns [count, 3, size, size] float32 in [-1, 1], channels-last in memory (the pixels' own order)
 */
export function imageTensor(pixels: Uint8Array, count: number): Tensor {
  const size = Math.sqrt(pixels.length / count / 3);
  const images = tensor(pixels, { shape: [count, size, size, 3] }).permute([0, 3, 1, 2]);
  return images.to("float32").sub_(PIXEL_MEAN).div_(PIXEL_SCALE);
}
