// MagFace (Meng et al., CVPR 2021): the margin grows with the embedding's length, which comes to mean quality.
import type { Tensor } from "@topofr/torch";
import type { Margin } from "./margin.js";
import type { MarginOf } from "./marginOptions.js";
import { filterOtherClasses, monotoneCosineOfSum, targetColumn, withTarget } from "./target.js";

/**
 * a = the embedding's length, cut to [l_a, u_a] = [10, 110].
 *
 * - cos(theta_y) -> cos(theta_y + m(a)), with ArcFace's fallback; m(a) goes in a line from 0.45 at l_a to 0.8 at u_a. Then
 *   times s. Gradients flow through m(a).
 * - Regulariser of each sample: lambda_g (a / u_a² + 1 / a), lambda_g = 35; it pulls lengths up to u_a.
 */
export function magface(options: MarginOf<"magface">): Margin {
  const { scale, smallestNorm, largestNorm, smallestMargin, largestMargin, normWeight, interClassFilter } =
    options;
  const slope = (largestMargin - smallestMargin) / (largestNorm - smallestNorm);
  const bounded = (norms: Tensor) => norms.clamp({ min: smallestNorm, max: largestNorm });
  return {
    logits(cosine, labels, norms) {
      const margin = bounded(norms).sub(smallestNorm).mul(slope).add(smallestMargin); // m(a)
      const target = monotoneCosineOfSum(targetColumn(cosine, labels), margin);
      return withTarget(filterOtherClasses(cosine, labels, interClassFilter), labels, target).mul(scale);
    },
    regularizer(norms) {
      const length = bounded(norms).squeeze(1);
      return length
        .div(largestNorm ** 2)
        .add(length.reciprocal())
        .mul(normWeight);
    },
  };
}
