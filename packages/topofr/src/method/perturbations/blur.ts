// Gaussian blur on images in [0, 1], [n, 3, h, w], with torchvision's arithmetic.
import { ops, type Tensor, tensor } from "@topofr/torch";
import type { RandomStream } from "../../random/stream.js";

/** Kernel of the published code: GaussianBlur(kernel_size=(5, 9)), width first. */
const KERNEL_WIDTH = 5;
const KERNEL_HEIGHT = 9;
const SIGMA = [0.1, 5] as const; // pixels

function gaussianKernel(size: number, sigma: number): number[] {
  const values = Array.from({ length: size }, (_, i) => Math.exp(-0.5 * ((i - (size - 1) / 2) / sigma) ** 2));
  const sum = values.reduce((total, value) => total + value, 0);
  return values.map((value) => value / sum);
}

/** Blur of `sigma` pixels, borders reflected. */
export function gaussianBlur(images: Tensor, sigma: number): Tensor {
  const row = tensor([gaussianKernel(KERNEL_WIDTH, sigma)]);
  const column = tensor(gaussianKernel(KERNEL_HEIGHT, sigma).map((value) => [value]));
  const kernel = column.matmul(row).expand([3, 1, KERNEL_HEIGHT, KERNEL_WIDTH]);
  const [x, y] = [(KERNEL_WIDTH - 1) / 2, (KERNEL_HEIGHT - 1) / 2];
  return ops.conv2d(images.reflectionPad2d([x, x, y, y]), kernel.contiguous(), { groups: 3 });
}

export const randomBlur = (image: Tensor, stream: RandomStream): Tensor =>
  gaussianBlur(image, stream.range(...SIGMA));
