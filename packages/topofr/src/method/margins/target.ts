// The parts that margins share: reading and replacing the true class's column, ArcFace's angle with its fallback, and
// dropping confusing other classes.
import { noGrad, ops, type Tensor } from "@topofr/torch";

// Below this, sin(theta) is taken as its square root: it keeps the gradient finite where |cos(theta)| reaches 1.
const SMALLEST_SQUARED_SINE = 1e-9;

/** The true class's values of [batch, classes]: [batch, 1]. Of cosines: cos(theta_y). */
export const targetColumn = (values: Tensor, labels: Tensor): Tensor => values.gather(1, labels.unsqueeze(1));

/** `cosine` with the true class's column replaced. */
export const withTarget = (cosine: Tensor, labels: Tensor, target: Tensor): Tensor =>
  cosine.scatter(1, labels.unsqueeze(1), target);

/** cos(theta + m) from cos(theta). @param margin m, radians: one for all, or [batch, 1] */
export function cosineOfSum(cosTheta: Tensor, margin: number | Tensor): Tensor {
  const sinTheta = cosTheta.square().neg().add(1).clampMin(SMALLEST_SQUARED_SINE).sqrt();
  return typeof margin === "number"
    ? cosTheta.mul(Math.cos(margin)).sub(sinTheta.mul(Math.sin(margin)))
    : cosTheta.mul(margin.cos()).sub(sinTheta.mul(margin.sin()));
}

/**
 * cos(theta + m); where theta + m would pass pi, cos(theta) - m sin(pi - m), so that the result still falls with the angle.
 *
 * @param margin m, radians: one for all, or [batch, 1]
 */
export function monotoneCosineOfSum(cosTheta: Tensor, margin: number | Tensor): Tensor {
  const shifted = cosineOfSum(cosTheta, margin);
  if (typeof margin === "number") {
    const fallback = Math.sin(Math.PI - margin) * margin;
    return ops.where(cosTheta.gt(Math.cos(Math.PI - margin)), shifted, cosTheta.sub(fallback));
  }
  return ops.where(cosTheta.gt(margin.cos().neg()), shifted, cosTheta.sub(margin.sin().mul(margin)));
}

/** Whether a class is another than the true one and has a cosine above `threshold` [batch, 1]: [batch, classes] bool. */
export const othersAbove = (cosine: Tensor, labels: Tensor, threshold: Tensor): Tensor =>
  noGrad(() => cosine.gt(threshold).scatter(1, labels.unsqueeze(1), 0));

/**
 * Inter-class filtering (Partial FC, CVPR 2022; arcface_torch): cosines of other classes above `threshold` are set to 0,
 * since with noisy labels they are often the same person.
 */
export function filterOtherClasses(cosine: Tensor, labels: Tensor, threshold: number | null): Tensor {
  if (threshold === null) return cosine;
  const keep = noGrad(() => cosine.le(threshold).scatter(1, labels.unsqueeze(1), 1));
  return cosine.mul(keep.to(cosine.dtype));
}
