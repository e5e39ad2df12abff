// Hard-sample mining, the rivals of structure damage estimation (table 7 of the TopoFR paper): it changes the logits of
// classes that mislead, or how much each sample's loss counts. One sample's loss itself is the margin's (margins/).
import { noGrad, ops, type Tensor } from "@topofr/torch";
import { predictionEntropy, trueClassProbability } from "../damage.js";
import { targetColumn } from "../margins/target.js";
import type { MiningOf, MiningOptions } from "./miningOptions.js";

export interface MinedBatch {
  /** [batch, classes]: what the losses were computed from. */
  logits: Tensor;
  /** s cos(theta), [batch, classes]: the classifier's prediction, without a margin; computed when it is called. */
  plainLogits(): Tensor;
  /** [batch] int64 */
  labels: Tensor;
}

export interface Mining {
  /** Margin logits, [batch, classes] -> those that the losses and the damage score see. */
  logits?(logits: Tensor, labels: Tensor): Tensor;
  /** The batch's loss, a scalar, from its samples' losses, [batch]. Without it: their mean. */
  reduce?(losses: Tensor, batch: MinedBatch): Tensor;
}

/** @param scale s of the margin, by which its logits were multiplied */
export function createMining(options: MiningOptions, scale: number): Mining {
  switch (options.kind) {
    case "mv-softmax":
      return mvSoftmax(options, scale);
    case "atk":
      return averageTopK(options);
    case "focal":
      return focal(options);
    case "ehsm":
      return entropyGuided(options);
  }
}

/**
 * MV-Softmax (Wang et al., AAAI 2020): a class j misleads the sample where its cosine is above the true class's with its
 * margin. There cos(theta_j) becomes
 *
 *   cos(theta_j) + t - 1        fixed
 *   t cos(theta_j) + t - 1      adaptive
 *
 * With the arcface margin this is MV-Arc-Softmax, with cosface MV-AM-Softmax. t = 1.12 as in FaceX-Zoo.
 */
function mvSoftmax({ adaptive, t }: MiningOf<"mv-softmax">, scale: number): Mining {
  return {
    logits(logits, labels) {
      // The true class's logit is not above itself.
      const misleading = noGrad(() => logits.gt(targetColumn(logits, labels)));
      const emphasised = logits.mul(adaptive ? t : 1).add(scale * (t - 1));
      return ops.where(misleading, emphasised, logits);
    },
  };
}

/**
 * Average top-k loss (Fan et al., NeurIPS 2017): (1/k) sum of the k largest losses of the batch. Samples beyond get no
 * gradient. k is a share of the batch here, so that it means the same for every batch size.
 */
function averageTopK({ share }: MiningOf<"atk">): Mining {
  return {
    reduce(losses) {
      const k = Math.max(1, Math.round(share * losses.shape[0]!));
      return losses.topk(k)[0].mean();
    },
  };
}

/**
 * Focal loss (Lin et al., ICCV 2017): mean of alpha (1 - p)^gamma · loss, p the predicted probability of the true class
 * from the logits of the loss, margin included; gradients flow through p. alpha weighs foreground against background in
 * detection (0.25 there); with one class a sample it is a constant, so there is none unless asked for.
 */
function focal({ gamma, alpha }: MiningOf<"focal">): Mining {
  return {
    reduce(losses, { logits, labels }) {
      // The bound keeps the power's gradient finite where p is 1 and gamma below 1.
      const doubt = trueClassProbability(logits, labels).neg().add(1).clampMin(1e-12);
      return losses
        .mul(doubt.pow(gamma))
        .mul(alpha ?? 1)
        .mean();
    },
  };
}

/**
 * Entropy-guided hard sample mining (EHSM, TransFace, Dan et al., ICCV 2023), for networks without local tokens: mean of
 *
 *   (1 + exp(-gamma I)) · loss,    I = log K - E(g)
 *
 * TransFace takes for I the mean information entropy of a vision transformer's local tokens: a sample that holds little
 * information is hard and weighs up to twice an easy one. A convolutional network has no such tokens and the TopoFR paper
 * does not say what it used, so I is ours: the information, in nats, that the prediction g of K classes holds about the
 * identity, E(g) its entropy from scaled cosines without margin. It is 0 where all classes are equally likely and log K for
 * a certain prediction. The weight is a constant to the gradient, gamma = 1, as in TransFace.
 */
function entropyGuided({ gamma }: MiningOf<"ehsm">): Mining {
  return {
    reduce(losses, { plainLogits }) {
      const weight = noGrad(() => {
        const predicted = plainLogits();
        const information = predictionEntropy(predicted, 0).neg().add(Math.log(predicted.shape[1]!));
        return information.mul(-gamma).exp().add(1);
      });
      return losses.mul(weight).mean();
    },
  };
}
