// One training step, in the paper's order. Everything around it (data, schedule, checkpoints, log) is loop.ts.
import { noGrad, optim, scope, type Tensor, tensor } from "@topofr/torch";
import { imageTensor } from "../data/imageTensor.js";
import type { CosineClassifier } from "../method/classifier.js";
import type { Objective } from "../method/objective.js";
import type { Backbone } from "../models/backbone.js";

/** What is trained, and by what. */
export interface Learner {
  backbone: Backbone;
  classifier: CosineClassifier;
  objective: Objective;
  optimizer: optim.Optimizer;
  precision: "fp32" | "bf16";
  /** Largest gradient norm over all parameters; null: no clipping. */
  clipNorm: number | null;
}

export interface LabelledPixels {
  /** [batch, size, size, 3] RGB, 0..255 */
  images: Uint8Array;
  /** [batch] */
  labels: BigInt64Array;
}

export interface StepLosses {
  loss: number;
  classificationLoss: number;
  alignmentLoss: number | null;
  omegaMean: number | null;
  /** Share of the batch whose nearest class centre, of those compared with, is the right one. */
  accuracy: number;
  /** Mean length of the embeddings. */
  embeddingNorm: number;
}

/** Called at the end of each part of a step, so that a benchmark can time them. */
export type Lap = (part: "data" | "perturbation" | "forward" | "loss" | "backward") => void;

/** Adds `share` of the batch's gradient to the parameters (1, or 1/k when k batches make a step). */
export function accumulateGradients(
  learner: Learner,
  batch: LabelledPixels,
  share = 1,
  lap: Lap = () => {},
): StepLosses {
  const { backbone, classifier, objective, precision } = learner;
  const compared = classifier.select(batch.labels); // all classes, or a sample
  return scope(() => {
    const labels = tensor(compared.labels);
    const images = imageTensor(batch.images, batch.labels.length); // X
    lap("data");
    const perturbed = objective.perturb(images); // X~ by RSP, section 4.1
    lap("perturbation");

    const embedding = backbone.forward(perturbed.to(precision === "bf16" ? "bfloat16" : "float32")); // f = F(x~)
    lap("forward");
    const cosine = classifier.cosines(embedding, compared); // cos(theta)

    // L = L_cls + alpha · L_sa, equation 10
    const { loss, classificationLoss, alignment, damage } = objective.loss({
      images,
      embedding,
      cosine,
      labels,
    });
    lap("loss");
    loss.mul(share).backward();
    lap("backward");

    return noGrad(() => ({
      loss: loss.item(),
      classificationLoss: classificationLoss.item(),
      alignmentLoss: alignment?.loss.item() ?? null,
      omegaMean: damage?.omega.mean().item() ?? null,
      accuracy: meanOf(cosine.argmax({ dim: 1 }).eq(labels)),
      embeddingNorm: meanOf(embedding.norm(2, [1])),
    }));
  });
}

/**
 * Clips the accumulated gradients, updates the parameters and clears the gradients. A norm that is not finite updates nothing.
 * @returns the gradients' norm before clipping
 */
export function update(learner: Learner, learningRate: number): number {
  const { optimizer, clipNorm, backbone, classifier, objective } = learner;
  const sampled = classifier.sampled();
  const parameters = [
    ...backbone.parameters(),
    ...classifier.parameters(),
    ...[...sampled.values()].map(({ values }) => values),
    ...(objective.learned?.parameters() ?? []),
  ];
  const norm = optim.clipGradNorm_(parameters, clipNorm ?? Number.POSITIVE_INFINITY);
  if (Number.isFinite(norm)) {
    optimizer.lr = learningRate;
    optimizer.step(sampled);
  }
  optimizer.zeroGrad();
  classifier.endStep();
  return norm;
}

const meanOf = (values: Tensor): number => values.to("float32").mean().item();
