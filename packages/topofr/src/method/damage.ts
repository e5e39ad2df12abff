// Structure damage estimation (SDE): how much each sample damages the structure, from the prediction's entropy and its
// confidence in the true class (paper, section 4.2, equations 3 to 9).
import { noGrad, ones, type Tensor, tensor } from "@topofr/torch";
import type { RandomStream } from "../random/stream.js";
import { fitMixture, type MixtureFit, signedEntropies } from "./mixture.js";
import type { DamageOptions, MixtureOptions } from "./objectiveOptions.js";

export interface Damage {
  /** omega, [batch] float32: the weight of each sample's classification loss. */
  omega: Tensor;
  /** h, [batch], the posterior of being hard, and the fit behind it; null when the mixture is off. */
  hard: Float64Array | null;
  mixture: MixtureFit | null;
}

/** E(g) = -sum_k g_k log g_k, [batch, classes] logits -> [batch], in nats; `epsilon` as in the reference's log(p + 1e-5). */
export function predictionEntropy(logits: Tensor, epsilon: number): Tensor {
  const probability = logits.softmax(1);
  const logProbability = epsilon > 0 ? probability.add(epsilon).log() : logits.logSoftmax(1);
  return probability.mul(logProbability).sum([1]).neg();
}

/** g_gt, the predicted probability of the true class: [batch]. */
export const trueClassProbability = (logits: Tensor, labels: Tensor): Tensor =>
  logits.softmax(1).gather(1, labels.unsqueeze(1)).squeeze(1);

/**
 * omega = omega_1 · omega_2 = (1 + h)^lambda · (1 - g_gt), equation 8.
 *
 * @param logits [batch, classes] the logits whose softmax is g: margin logits or scaled cosines, by `options.probability`
 * @param labels [batch] int64
 * @param stream draws the signs when they are random
 */
export function structureDamage(
  logits: Tensor,
  labels: Tensor,
  options: DamageOptions,
  mixtureOptions: MixtureOptions,
  stream: RandomStream,
): Damage {
  let omega = ones([labels.shape[0]!]);
  let hard: Float64Array | null = null;
  let mixture: MixtureFit | null = null;
  if (options.mixture) {
    const entropies = noGrad(() => predictionEntropy(logits, mixtureOptions.entropyEpsilon)).toTypedArray();
    mixture = fitMixture(
      signedEntropies(entropies as Float32Array, mixtureOptions.sign, stream),
      mixtureOptions,
    );
    hard = mixture.easy.map((easy) => 1 - easy);
    omega = omega.mul(
      tensor(
        hard.map((h) => (1 + h) ** options.lambda),
        { dtype: "float32" },
      ),
    ); // omega_1
  }
  if (options.focal) {
    const given = options.detach ? logits.detach() : logits;
    const probability = trueClassProbability(given, labels);
    omega = omega.mul((options.truncateProbability ? probability.floor() : probability).neg().add(1)); // omega_2
  }
  return { omega, hard, mixture };
}
