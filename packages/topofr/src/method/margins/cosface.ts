// CosFace (Wang et al., CVPR 2018), also AM-Softmax.
import type { MarginOptions } from "../objectiveOptions.js";
import type { Margin } from "./margin.js";
import { filterOtherClasses, targetCosine, withTarget } from "./target.js";

/** cos(theta_y) -> cos(theta_y) - m, then times s. */
export function cosface({
  scale,
  margin,
  interClassFilter,
}: Extract<MarginOptions, { kind: "cosface" }>): Margin {
  return {
    logits(cosine, labels) {
      const target = targetCosine(cosine, labels).sub(margin);
      return withTarget(filterOtherClasses(cosine, labels, interClassFilter), labels, target).mul(scale);
    },
  };
}
