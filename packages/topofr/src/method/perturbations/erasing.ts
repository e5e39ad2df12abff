// Random erasing (Zhong et al., AAAI 2020), with the defaults of timm's RandomErasing(probability=1).
import type { Tensor } from "@topofr/torch";
import type { RandomStream } from "../../random/stream.js";

const AREA = [0.02, 1 / 3] as const; // share of the image
const LOG_ASPECT = [Math.log(0.3), Math.log(1 / 0.3)] as const;
const ATTEMPTS = 10;

export interface Rectangle {
  top: number;
  left: number;
  height: number;
  width: number;
}

/** A rectangle to erase, or null when no attempt gave one that fits (a few in a thousand). */
export function drawRectangle(height: number, width: number, stream: RandomStream): Rectangle | null {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const area = stream.range(...AREA) * height * width;
    const aspect = Math.exp(stream.range(...LOG_ASPECT));
    const size = {
      height: Math.round(Math.sqrt(area * aspect)),
      width: Math.round(Math.sqrt(area / aspect)),
    };
    if (size.height >= height || size.width >= width) continue;
    return {
      ...size,
      top: stream.integer(height - size.height + 1),
      left: stream.integer(width - size.width + 1),
    };
  }
  return null;
}

/** Sets the rectangle to 0 in place: mid-grey in an image scaled to [-1, 1]. `image` is [1, 3, h, w]. */
export function erase_(image: Tensor, { top, left, height, width }: Rectangle): void {
  image.narrow(2, top, height).narrow(3, left, width).zero_();
}
