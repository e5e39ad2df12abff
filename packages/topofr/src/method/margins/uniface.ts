// UniFace (Zhou et al., ICCV 2023): one threshold for all samples parts true from other classes.
import { nn, type Tensor, tensor } from "@topofr/torch";
import type { Margin } from "./margin.js";
import type { MarginOf } from "./marginOptions.js";
import { filterOtherClasses, targetColumn, withTarget } from "./target.js";

const NEVER = -1e4; // a logit whose softplus is 0, without a gradient

/** b, the threshold of all logits: parameter `bias` [1]. */
class Threshold extends nn.Module {
  readonly bias: Tensor;

  constructor(initial: number) {
    super();
    this.bias = this.parameter("bias", tensor([initial]));
  }

  override forward(logits: Tensor): Tensor {
    return logits.sub(this.bias);
  }
}

/**
 * The logits are CosFace's, s (cos(theta_y) - m) for the true class; the loss is the unified cross-entropy (UCE)
 *
 *   softplus(-(s (cos(theta_y) - m) - b)) + l · sum over j ≠ y of softplus(s cos(theta_j) - b)
 *
 * with one learned b that starts at log(10 K), K the number of classes that a batch is compared with.
 */
export function uniface(
  { scale, margin, negativeWeight, interClassFilter }: MarginOf<"uniface">,
  classes: number,
): Margin {
  const learned = new Threshold(Math.log(10 * classes));
  return {
    logits(cosine, labels) {
      const target = targetColumn(cosine, labels).sub(margin);
      return withTarget(filterOtherClasses(cosine, labels, interClassFilter), labels, target).mul(scale);
    },
    losses(logits, labels) {
      const above = learned.forward(logits);
      const own = targetColumn(above, labels).squeeze(1);
      const negatives = above.scatter(1, labels.unsqueeze(1), NEVER).softplus().sum([1]);
      return own.neg().softplus().add(negatives.mul(negativeWeight));
    },
    learned,
  };
}
