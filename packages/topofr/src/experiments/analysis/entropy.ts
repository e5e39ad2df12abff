// Entropies of the predictions of a trained run, right and wrong ones apart, with the Gaussian-uniform mixture fitted to them (the
// paper's figure 4, equations 3 to 7). The picture: entropyPlot.ts.
import { noGrad, scope, tensor } from "@topofr/torch";
import { imageTensor } from "../../data/imageTensor.js";
import { loadImages } from "../../data/loader.js";
import { predictionEntropy } from "../../method/damage.js";
import { fitMixture, type MixtureFit, signedEntropies, VARIANCE_FLOOR } from "../../method/mixture.js";
import { objectiveOptions } from "../../method/objectiveComposition.js";
import type { DamageOptions } from "../../method/objectiveOptions.js";
import { RandomStream } from "../../random/stream.js";
import type { TrainedRun } from "./trainedRun.js";

export interface EntropySamples {
  /** Places in the data set. */
  indices: Uint32Array;
  /** Nats. */
  entropies: Float64Array;
  /** 1 where the nearest class centre is the right one. */
  right: Uint8Array;
  /** h, the posterior of being hard. */
  hard: Float64Array;
  mixture: FittedMixture;
}

/** The mixture in the unit of the entropies. */
export interface FittedMixture extends Omit<MixtureFit, "easy"> {
  /** What was taken from the signed entropies and what they were divided by before the fit; 0 and 1 unless standardised. */
  mean: number;
  deviation: number;
  standardised: boolean;
}

export interface EntropyOptions {
  /** How many images, drawn at random. */
  count: number;
  batchSize: number;
  seed: number;
  onProgress?(doing: string, done: number, total: number): void;
}

/** Whose softmax the entropy is of, when the run has no damage estimation: as preset "spherical". */
export const damageOptionsOf = ({ learner }: Pick<TrainedRun, "learner">): DamageOptions =>
  learner.objective.options.damage ?? objectiveOptions({ preset: "spherical" }).damage!;

/**
 * Training fits the mixture to each batch; here it is fitted once, to all samples, so that its picture is not that of a chance batch.
 *
 * @throws E_DATA for an image that cannot be read
 */
export async function measureEntropies(
  trained: TrainedRun,
  { count, batchSize, seed, onProgress }: EntropyOptions,
): Promise<EntropySamples> {
  const { dataset, learner, recipe } = trained;
  const { backbone, classifier, objective } = learner;
  const options = objective.options;
  const { probability } = damageOptionsOf(trained);
  const indices = new RandomStream(seed, "entropy samples")
    .permutation(dataset.labels.length)
    .slice(0, count);
  const entropies = new Float64Array(indices.length);
  const right = new Uint8Array(indices.length);
  const sources = Array.from(indices, (index) => dataset.source(index));
  const loading = { size: backbone.inputSize, batchSize, resize: recipe.data.resize };
  backbone.eval();
  for await (const batch of loadImages(sources, loading)) {
    const inBatch = indices.subarray(batch.start, batch.start + batch.count);
    noGrad(() =>
      scope(() => {
        const labels = tensor(BigInt64Array.from(inBatch, (index) => BigInt(dataset.labels[index]!)));
        const embedding = backbone.forward(imageTensor(batch.images, batch.count));
        const cosine = classifier.forward(embedding);
        const logits = objective.logits(probability, { embedding, cosine, labels });
        const found = predictionEntropy(logits, options.mixture.entropyEpsilon).toTypedArray();
        entropies.set(found as Float32Array, batch.start);
        right.set(cosine.argmax({ dim: 1 }).eq(labels).to("uint8").toTypedArray() as Uint8Array, batch.start);
      }),
    );
    batch.release();
    onProgress?.("classifying images", batch.start + batch.count, indices.length);
  }
  const signed = signedEntropies(entropies, options.mixture.sign, new RandomStream(seed, "entropy signs"));
  const { easy, ...fit } = fitMixture(signed, options.mixture);
  const standardised = options.mixture.standardise;
  const scale = standardised ? momentsOf(signed) : { mean: 0, deviation: 1 };
  const mixture = { ...fit, ...scale, standardised };
  return { indices, entropies, right, hard: easy.map((value) => 1 - value), mixture };
}

/** As `fitMixture` standardises. */
function momentsOf(values: Float64Array): { mean: number; deviation: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, deviation: Math.sqrt(variance) || 1 };
}

/** Densities of entropies (not signed): each component's, weighted by its share. */
export function mixtureDensities({ mixing, variance, uniformDensity, mean, deviation }: FittedMixture) {
  const folded = (density: (signed: number) => number) => (entropy: number) =>
    (density((entropy - mean) / deviation) + density((-entropy - mean) / deviation)) / deviation;
  const spread = variance + VARIANCE_FLOOR;
  const halfWidth = 1 / (2 * uniformDensity);
  return {
    gaussian: folded(
      (value) => (mixing * Math.exp((-value * value) / (2 * spread))) / Math.sqrt(2 * Math.PI * spread),
    ),
    uniform: folded((value) => (Math.abs(value) <= halfWidth ? (1 - mixing) * uniformDensity : 0)),
  };
}
