// Times what training does, step by step, on made images: whole steps by their parts, the topology alone, and embedding.
// No data set, no run folder. Where the time of a step goes, operator by operator: stepProfile.ts.
import { availableParallelism } from "node:os";
import { noGrad, randn, scope, setNumThreads, type Tensor, tensor } from "@topofr/torch";
import { imageTensor } from "../data/imageTensor.js";
import { structureAlignment } from "../method/alignment.js";
import { structureDamage } from "../method/damage.js";
import { RandomStream } from "../random/stream.js";
import { createLearner, disposeLearner } from "./learner.js";
import type { Recipe } from "./recipe.js";
import { accumulateGradients, type LabelledPixels, type Lap, type Learner, update } from "./step.js";

export interface BenchmarkRequest {
  /** Nothing of it is read from disk: data, evaluation and checkpoints do not matter. */
  recipe: Recipe;
  /** Identities of the classifier. */
  classes: number;
  /** Timed steps, and steps before them. */
  steps: number;
  warmup: number;
}

/**
 * Parts of a training step, in its order. data: bytes to tensors (files are decoded elsewhere, by threads of their own); loss:
 * classifier, margin, topology forward; report: the numbers of the log; optimiser: clipping, too.
 */
export type StepPart = Parameters<Lap>[0] | "report" | "optimiser";

/** Seconds are medians over the steps. */
export interface Benchmark {
  images: number;
  stepSeconds: number[];
  medianSeconds: number;
  imagesPerSecond: number;
  parts: Partial<Record<StepPart, number>>;
  /** Alignment with its gradient and damage, measured alone on embeddings of this size; null where the objective has none. */
  topologySeconds: number | null;
  /** Of the process so far. */
  peakResidentBytes: number;
  /** Of the last step; null for embedding. */
  loss: number | null;
}

/** Times training steps as `trainRun` does them. */
export async function benchmarkTraining(request: BenchmarkRequest): Promise<Benchmark> {
  const { recipe, classes, steps } = request;
  return withLearner(request, async (learner, batch) => {
    const parts = new Parts();
    const stepSeconds: number[] = [];
    let loss = Number.NaN;
    for (let step = 0; step < request.warmup + steps; step++) {
      if (step === request.warmup) parts.clear();
      const started = performance.now();
      loss = trainingStep(learner, batch, recipe, parts);
      const seconds = (performance.now() - started) / 1000;
      if (step >= request.warmup) stepSeconds.push(seconds);
      await new Promise(setImmediate); // as the training loop does
    }
    const peakResidentBytes = residentPeak();
    return {
      ...summary(recipe.batchSize * recipe.accumulate, stepSeconds),
      parts: parts.medians(steps),
      topologySeconds: topologySeconds(recipe, classes, steps),
      peakResidentBytes,
      loss,
    };
  });
}

/** Times embedding: forward in evaluation mode, without gradients or the flip test. */
export async function benchmarkInference(request: BenchmarkRequest): Promise<Benchmark> {
  const { recipe, warmup, steps } = request;
  return withLearner(request, async ({ backbone }, batch) => {
    backbone.eval();
    const parts = new Parts();
    const stepSeconds: number[] = [];
    for (let step = 0; step < warmup + steps; step++) {
      if (step === warmup) parts.clear();
      const started = performance.now();
      parts.start();
      noGrad(() =>
        scope(() => {
          const images = inputOf(batch, recipe.precision);
          parts.lap("data");
          backbone.forward(images).toTypedArray();
          parts.lap("forward");
        }),
      );
      if (step >= warmup) stepSeconds.push((performance.now() - started) / 1000);
      await new Promise(setImmediate);
    }
    return {
      ...summary(recipe.batchSize, stepSeconds),
      parts: parts.medians(steps),
      topologySeconds: null,
      peakResidentBytes: residentPeak(),
      loss: null,
    };
  });
}

/** One optimiser step of the recipe, all its batches being `batch`. @returns the last loss */
export function trainingStep(
  learner: Learner,
  batch: LabelledPixels,
  { accumulate, optim }: Recipe,
  parts: Pick<Parts, "start" | "lap"> = new Parts(),
): number {
  let loss = Number.NaN;
  parts.start();
  for (let index = 0; index < accumulate; index++) {
    loss = accumulateGradients(learner, batch, 1 / accumulate, parts.lap).loss;
    parts.lap("report");
  }
  update(learner, optim.lr);
  parts.lap("optimiser");
  return loss;
}

/** Builds what the recipe trains and a batch of noise for it, and frees it after `work`. */
export async function withLearner<Result>(
  { recipe, classes }: Pick<BenchmarkRequest, "recipe" | "classes">,
  work: (learner: Learner, batch: LabelledPixels) => Promise<Result>,
): Promise<Result> {
  setNumThreads(recipe.threads ?? availableParallelism());
  const learner = createLearner(recipe, classes);
  try {
    return await work(learner, noiseBatch(recipe, classes));
  } finally {
    disposeLearner(learner);
  }
}

function noiseBatch({ batchSize, model, seed }: Recipe, classes: number): LabelledPixels {
  const stream = new RandomStream(seed, "benchmark");
  return {
    images: Uint8Array.from({ length: batchSize * model.inputSize ** 2 * 3 }, () => stream.integer(256)),
    labels: BigInt64Array.from({ length: batchSize }, () => BigInt(stream.integer(classes))),
  };
}

/** What the network sees of a batch when it embeds. */
export function inputOf({ images, labels }: LabelledPixels, precision: Recipe["precision"]): Tensor {
  return imageTensor(images, labels.length).to(precision === "bf16" ? "bfloat16" : "float32");
}

/** Median seconds that a step spends on what TopoFR adds after the network: alignment and its gradient, damage. */
export function topologySeconds(recipe: Recipe, classes: number, runs: number): number | null {
  const { alignment, damage, mixture } = recipe.objective;
  if (alignment === null && damage === null) return null;
  const signs = new RandomStream(recipe.seed, "benchmark signs");
  const batch = noiseBatch(recipe, classes);
  return scope(() => {
    const images = imageTensor(batch.images, batch.labels.length);
    const labels = tensor(batch.labels);
    const embedding = randn([recipe.batchSize, recipe.model.embeddingSize], { requiresGrad: true });
    const logits = randn([recipe.batchSize, classes]);
    const seconds = Array.from({ length: runs + 2 }, () => {
      const started = performance.now();
      scope(() => {
        if (alignment !== null) structureAlignment(images, embedding, alignment).loss.backward();
        if (damage !== null) structureDamage(logits, labels, damage, mixture, signs).omega.sum().item();
      });
      return ((performance.now() - started) / 1000) * recipe.accumulate;
    });
    return median(seconds.slice(2)); // the first two warm up
  });
}

/** Seconds by part, a part of a step that comes several times (accumulation) added up. */
class Parts {
  readonly #seconds = new Map<StepPart, number[]>();
  #last = 0;

  start(): void {
    this.#last = performance.now();
  }

  readonly lap = (part: StepPart): void => {
    const now = performance.now();
    const seconds = this.#seconds.get(part) ?? [];
    seconds.push((now - this.#last) / 1000);
    this.#seconds.set(part, seconds);
    this.#last = now;
  };

  clear(): void {
    this.#seconds.clear();
  }

  medians(steps: number): Partial<Record<StepPart, number>> {
    return Object.fromEntries(
      [...this.#seconds].map(([part, seconds]) => [part, (median(seconds) * seconds.length) / steps]),
    );
  }
}

function summary(images: number, stepSeconds: number[]) {
  const medianSeconds = median(stepSeconds);
  return { images, stepSeconds, medianSeconds, imagesPerSecond: images / medianSeconds };
}

const residentPeak = (): number => process.resourceUsage().maxRSS * 1024;

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
