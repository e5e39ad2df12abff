// The parts that margins share: reading and replacing the true class's column, and dropping confusing other classes.
import { noGrad, type Tensor } from "@topofr/torch";

/** cos(theta_y), [batch, 1]. */
export const targetCosine = (cosine: Tensor, labels: Tensor): Tensor => cosine.gather(1, labels.unsqueeze(1));

/** `cosine` with the true class's column replaced. */
export const withTarget = (cosine: Tensor, labels: Tensor, target: Tensor): Tensor =>
  cosine.scatter(1, labels.unsqueeze(1), target);

/**
 * Inter-class filtering (Partial FC, CVPR 2022; arcface_torch): cosines of other classes above `threshold` are set to 0,
 * since with noisy labels they are often the same person.
 */
export function filterOtherClasses(cosine: Tensor, labels: Tensor, threshold: number | null): Tensor {
  if (threshold === null) return cosine;
  const keep = noGrad(() => cosine.le(threshold).scatter(1, labels.unsqueeze(1), 1));
  return cosine.mul(keep.to(cosine.dtype));
}
