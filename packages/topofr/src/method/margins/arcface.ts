// ArcFace (Deng et al., CVPR 2019), equation 1 of the TopoFR paper, with the reference code's monotone fallback.
import { ops } from "@topofr/torch";
import type { MarginOptions } from "../objectiveOptions.js";
import type { Margin } from "./margin.js";
import { filterOtherClasses, targetCosine, withTarget } from "./target.js";

// Below this, sin(theta) is taken as its square root: it keeps the gradient finite where |cos(theta)| reaches 1.
const SMALLEST_SQUARED_SINE = 1e-9;

/**
 * cos(theta_y) -> cos(theta_y + m); where theta_y + m would pass pi, cos(theta_y) - m sin(pi - m), so that the logit still
 * falls with the angle. Then times s.
 */
export function arcface({
  scale,
  margin,
  interClassFilter,
}: Extract<MarginOptions, { kind: "arcface" }>): Margin {
  const threshold = Math.cos(Math.PI - margin);
  const fallback = Math.sin(Math.PI - margin) * margin;
  return {
    logits(cosine, labels) {
      const cosTheta = targetCosine(cosine, labels);
      const sinTheta = cosTheta.square().neg().add(1).clampMin(SMALLEST_SQUARED_SINE).sqrt();
      const shifted = cosTheta.mul(Math.cos(margin)).sub(sinTheta.mul(Math.sin(margin))); // cos(theta + m)
      const target = ops.where(cosTheta.gt(threshold), shifted, cosTheta.sub(fallback));
      return withTarget(filterOtherClasses(cosine, labels, interClassFilter), labels, target).mul(scale);
    },
  };
}
