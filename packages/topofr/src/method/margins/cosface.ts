// CosFace (Wang et al., CVPR 2018), also AM-Softmax.
import type { Margin } from "./margin.js";
import type { MarginOf } from "./marginOptions.js";
import { filterOtherClasses, targetColumn, withTarget } from "./target.js";

/** cos(theta_y) -> cos(theta_y) - m, then times s. */
export function cosface({ scale, margin, interClassFilter }: MarginOf<"cosface">): Margin {
  return {
    logits(cosine, labels) {
      const target = targetColumn(cosine, labels).sub(margin);
      return withTarget(filterOtherClasses(cosine, labels, interClassFilter), labels, target).mul(scale);
    },
  };
}
