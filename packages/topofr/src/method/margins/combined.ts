// The combined margin of ArcFace's appendix, as arcface_torch's CombinedMarginLoss computes it.
import { noGrad } from "@topofr/torch";
import type { Margin } from "./margin.js";
import type { MarginOf } from "./marginOptions.js";
import { filterOtherClasses, targetColumn, withTarget } from "./target.js";

/**
 * cos(theta_y) -> cos(m1 theta_y + m2) - m3, then times s. The gradient passes straight through to the cosine, as in
 * arcface_torch, which computes the angle without recording it: stable where |cos(theta)| reaches 1.
 */
export function combined(options: MarginOf<"combined">): Margin {
  const { scale, m1, m2, m3, interClassFilter } = options;
  return {
    logits(cosine, labels) {
      const cosTheta = targetColumn(cosine, labels);
      const change = noGrad(() =>
        cosTheta.clamp({ min: -1, max: 1 }).acos().mul(m1).add(m2).cos().sub(m3).sub(cosTheta),
      );
      const target = cosTheta.add(change);
      return withTarget(filterOtherClasses(cosine, labels, interClassFilter), labels, target).mul(scale);
    },
  };
}
