// Random structure perturbation (RSP, paper section 4.1): each image is, with probability xi, replaced by one random
// operation's result. The network sees the perturbed batch; alignment compares with the clean one.
import { noGrad, scope, type Tensor } from "@topofr/torch";
import type { RandomStream } from "../random/stream.js";
import type { PerturbationOptions } from "./objectiveOptions.js";
import { randomBlur_ } from "./perturbations/blur.js";
import { colorJitter_, grayscale_ } from "./perturbations/color.js";
import { drawRectangle, erase_ } from "./perturbations/erasing.js";

/**
 * @param images [batch, 3, h, w] float32 in [-1, 1]; left as they are, except that erased rectangles are also erased here
 *   when `options.erasingLeaks`, as in the published code
 * @returns a perturbed copy, of the same memory format
 */
export function perturb(images: Tensor, options: PerturbationOptions, stream: RandomStream): Tensor {
  return noGrad(() => {
    const perturbed = images.clone();
    const [count, , height, width] = images.shape as [number, number, number, number];
    for (let index = 0; index < count; index++) {
      if (!stream.bernoulli(options.probability)) continue;
      const operation = options.operations[stream.integer(options.operations.length)]!;
      scope(() => {
        const image = perturbed.narrow(0, index, 1);
        switch (operation) {
          case "blur":
            randomBlur_(image, stream);
            break;
          case "grayscale":
            grayscale_(image);
            break;
          case "jitter":
            colorJitter_(image, stream);
            break;
          case "erasing": {
            const rectangle = drawRectangle(height, width, stream);
            if (rectangle === null) break;
            erase_(image, rectangle);
            if (options.erasingLeaks) erase_(images.narrow(0, index, 1), rectangle);
          }
        }
      });
    }
    return perturbed;
  });
}
