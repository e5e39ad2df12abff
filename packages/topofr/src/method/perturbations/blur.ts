// Gaussian blur with torchvision's arithmetic in [0, 1]: on the CPU by a native separable pass over the image (native/src/kernels/color.cpp),
// elsewhere by a convolution.
import { ops, type Tensor, tensor } from "@topofr/torch";
import type { RandomStream } from "../../random/stream.js";
import { inUnitRange } from "./unitRange.js";

/** Kernel of the published code: GaussianBlur(kernel_size=(5, 9)), width first. */
const KERNEL_WIDTH = 5;
const KERNEL_HEIGHT = 9;
const SIGMA = [0.1, 5] as const; // pixels

function gaussianKernel(size: number, sigma: number): number[] {
  const values = Array.from({ length: size }, (_, i) => Math.exp(-0.5 * ((i - (size - 1) / 2) / sigma) ** 2));
  const sum = values.reduce((total, value) => total + value, 0);
  return values.map((value) => value / sum);
}

/** Blur of `sigma` pixels, borders reflected. `images` is [n, 3, h, w] in [0, 1]; any device. */
export function gaussianBlurred(images: Tensor, sigma: number): Tensor {
  const row = tensor([gaussianKernel(KERNEL_WIDTH, sigma)]);
  const column = tensor(gaussianKernel(KERNEL_HEIGHT, sigma).map((value) => [value]));
  const kernel = column.matmul(row).expand([3, 1, KERNEL_HEIGHT, KERNEL_WIDTH]);
  const [x, y] = [(KERNEL_WIDTH - 1) / 2, (KERNEL_HEIGHT - 1) / 2];
  return ops.conv2d(images.reflectionPad2d([x, x, y, y]), kernel.contiguous(), { groups: 3 });
}

/** The same in place. `image` is [1, 3, h, w] in [-1, 1]. */
export function gaussianBlur_(image: Tensor, sigma: number): void {
  if (image.device === "cpu")
    ops.blur_(image, gaussianKernel(KERNEL_WIDTH, sigma), gaussianKernel(KERNEL_HEIGHT, sigma));
  else image.copy_(inUnitRange(image, (unit) => gaussianBlurred(unit, sigma)));
}

export const randomBlur_ = (image: Tensor, stream: RandomStream): void =>
  gaussianBlur_(image, stream.range(...SIGMA));
