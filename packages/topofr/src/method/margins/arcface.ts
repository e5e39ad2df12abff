// ArcFace (Deng et al., CVPR 2019), equation 1 of the TopoFR paper, with the reference code's monotone fallback.
import type { Margin } from "./margin.js";
import type { MarginOf } from "./marginOptions.js";
import { filterOtherClasses, monotoneCosineOfSum, targetColumn, withTarget } from "./target.js";

/**
 * cos(theta_y) -> cos(theta_y + m); where theta_y + m would pass pi, cos(theta_y) - m sin(pi - m), so that the logit still
 * falls with the angle. Then times s.
 */
export function arcface({ scale, margin, interClassFilter }: MarginOf<"arcface">): Margin {
  return {
    logits(cosine, labels) {
      const target = monotoneCosineOfSum(targetColumn(cosine, labels), margin);
      return withTarget(filterOtherClasses(cosine, labels, interClassFilter), labels, target).mul(scale);
    },
  };
}
