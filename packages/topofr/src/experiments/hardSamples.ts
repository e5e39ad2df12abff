// The training images that damage the structure most, by a trained model (the paper's figure 8).
import { noGrad, scope, tensor } from "@topofr/torch";
import type { FaceDataset } from "../data/dataset.js";
import type { ResizePolicy } from "../data/decodeImage.js";
import { sourceName } from "../data/imageSource.js";
import { imageTensor } from "../data/imageTensor.js";
import { loadImages } from "../data/loader.js";
import { structureDamage } from "../method/damage.js";
import { objectiveOptions } from "../method/objectiveComposition.js";
import { RandomStream } from "../random/stream.js";
import type { Learner } from "../train/step.js";

export interface ScoredSample {
  /** Name of the image, as `sourceName` says it. */
  image: string;
  identity: string;
  /** omega, the structure damage score (equation 8). */
  score: number;
  /** [size, size, 3] RGB */
  pixels: Uint8Array;
}

/**
 * Scores samples of the data set, drawn at random, in batches of the training's size (the mixture is fitted per batch), and
 * returns the `count` highest. An objective without damage estimation is scored by the one of its preset family, "spherical".
 */
export async function hardestSamples(
  learner: Learner,
  dataset: FaceDataset,
  options: { scored: number; count: number; batchSize: number; resize?: ResizePolicy; seed: number },
): Promise<ScoredSample[]> {
  const { backbone, classifier, objective } = learner;
  const { damage, mixture } = objective.options;
  const damageOptions = damage ?? objectiveOptions({ preset: "spherical" }).damage!;
  const order = new RandomStream(options.seed, "hard samples").permutation(dataset.labels.length);
  const chosen = order.subarray(0, options.scored);
  const signs = new RandomStream(options.seed, "hard sample signs");
  const wasTraining = backbone.training;
  backbone.eval();
  const scored: ScoredSample[] = [];
  const sources = Array.from(chosen, (index) => dataset.source(index));
  for await (const batch of loadImages(sources, {
    size: backbone.inputSize,
    batchSize: options.batchSize,
    resize: options.resize ?? "error",
  })) {
    const inBatch = chosen.subarray(batch.start, batch.start + batch.count);
    const scores = noGrad(() =>
      scope(() => {
        const labels = tensor(BigInt64Array.from(inBatch, (index) => BigInt(dataset.labels[index]!)));
        const embedding = backbone.forward(imageTensor(batch.images, batch.count));
        const cosine = classifier.forward(embedding);
        const logits = objective.logits(damageOptions.probability, { embedding, cosine, labels });
        return structureDamage(
          logits,
          labels,
          damageOptions,
          mixture,
          signs,
        ).omega.toTypedArray() as Float32Array;
      }),
    );
    const bytes = batch.images.length / batch.count;
    for (const [i, index] of inBatch.entries())
      scored.push({
        image: sourceName(dataset.source(index)),
        identity: dataset.identities[dataset.labels[index]!]!,
        score: scores[i]!,
        pixels: batch.images.slice(i * bytes, (i + 1) * bytes),
      });
    batch.release();
  }
  backbone.train(wasTraining);
  return scored.sort((a, b) => b.score - a.score).slice(0, options.count);
}
