// CurricularFace (Huang et al., CVPR 2020): hard classes count more as training goes on.
import { ops } from "@topofr/torch";
import type { Margin } from "./margin.js";
import type { MarginOf } from "./marginOptions.js";
import { RunningMeans } from "./runningMeans.js";
import {
  cosineOfSum,
  filterOtherClasses,
  monotoneCosineOfSum,
  othersAbove,
  targetColumn,
  withTarget,
} from "./target.js";

/**
 * The true class has ArcFace's cos(theta_y + m), fallback included. Another class j with cos(theta_j) > cos(theta_y + m) is
 * hard: cos(theta_j) -> cos(theta_j) (tau + cos(theta_j)). tau, 0 at first, is the running mean of cos(theta_y): 0.01 of a
 * new batch's mean. Then times s. tau is a constant to the gradient.
 */
export function curricularface({
  scale,
  margin,
  averaging,
  interClassFilter,
}: MarginOf<"curricularface">): Margin {
  const means = new RunningMeans("curricularface", [0], averaging);
  return {
    logits(cosine, labels) {
      const cosTheta = targetColumn(cosine, labels);
      const others = filterOtherClasses(cosine, labels, interClassFilter);
      const isHard = othersAbove(others, labels, cosineOfSum(cosTheta, margin));
      const modulated = ops.where(isHard, others.mul(others.add(means.values[0]!)), others);
      return withTarget(modulated, labels, monotoneCosineOfSum(cosTheta, margin)).mul(scale);
    },
    observe: (cosine, labels) => means.observe([targetColumn(cosine, labels).mean().item()]),
    state: () => means.state(),
    restore: (state) => means.restore(state),
  };
}
