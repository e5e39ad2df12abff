// SphereFace (Liu et al., CVPR 2017), the multiplicative angular margin.
import { noGrad } from "@topofr/torch";
import type { Margin } from "./margin.js";
import type { MarginOf } from "./marginOptions.js";
import { filterOtherClasses, targetColumn, withTarget } from "./target.js";

const NEAREST_TO_ONE = 1 - 1e-7; // where the angle still has a finite derivative in float32

/**
 * cos(theta_y) -> psi(theta_y) = (-1)^k cos(m theta_y) - 2k, k = floor(m theta_y / pi): cos(m theta_y) continued so that it
 * falls all the way to pi, for any m > 0. Then times s, one scale for all: the original multiplies by the embedding's length.
 */
export function sphereface({ scale, m1, interClassFilter }: MarginOf<"sphereface">): Margin {
  return {
    logits(cosine, labels) {
      const angle = targetColumn(cosine, labels)
        .clamp({ min: -NEAREST_TO_ONE, max: NEAREST_TO_ONE })
        .acos()
        .mul(m1);
      const turns = noGrad(() => angle.div(Math.PI).floor()); // k
      const sign = noGrad(() => turns.div(2).floor().mul(2).sub(turns).mul(2).add(1)); // (-1)^k
      const target = angle.cos().mul(sign).sub(turns.mul(2));
      return withTarget(filterOtherClasses(cosine, labels, interClassFilter), labels, target).mul(scale);
    },
  };
}
