// The training loop: data in, steps, evaluation, checkpoints, log. The step itself is step.ts.
import { availableParallelism } from "node:os";
import { TopofrError } from "@topofr/formats";
import { TopologyError } from "@topofr/topology";
import { setNumThreads } from "@topofr/torch";
import type { FaceDataset } from "../data/dataset.js";
import { type Batch, BatchLoader } from "../data/loader.js";
import { EpochSampler } from "../data/sampler.js";
import type { EndReason, LoggedEvent } from "../runs/events.js";
import { openRecorder, type Recorder } from "../runs/recorder.js";
import { checkpointPaths, type RunFolder } from "../runs/runFolder.js";
import {
  firstNotFinite,
  loadCheckpoint,
  type Progress,
  removeCheckpoint,
  saveCheckpoint,
  tidyCheckpoints,
} from "./checkpoint.js";
import { createLearner, disposeLearner } from "./learner.js";
import { machineWarnings } from "./machineWarnings.js";
import type { Recipe } from "./recipe.js";
import { learningRateSchedule, type RunLength, runLength } from "./schedule.js";
import { accumulateGradients, type Learner, type StepLosses, update } from "./step.js";
import { openTrainingData } from "./trainingData.js";
import { openVerifier, type Verifier, verificationMetrics } from "./verifier.js";

export interface TrainOptions {
  recipe: Recipe;
  runFolder: RunFolder;
  /** Go on from the run's last checkpoint. */
  resume: boolean;
  /** When aborted: save after the step at hand, and return. */
  signal: AbortSignal;
  onEvent(event: LoggedEvent): void;
}

export interface TrainResult {
  reason: EndReason;
  /** Optimiser steps done in all, and in this session in how many seconds. */
  step: number;
  epoch: number;
  seconds: number;
  /** Best accuracy of the run, 0..1; null without evaluation. */
  bestAccuracy: number | null;
}

/**
 * Trains by the recipe, in the run folder.
 *
 * @throws E_DATA for the data set; E_FILE when a checkpoint cannot be written (the one before is intact); E_MODEL when the
 *   checkpoint resumed from is of another run; E_DIVERGED, naming the step, when a loss or gradient is not finite
 */
export async function trainRun(options: TrainOptions): Promise<TrainResult> {
  const { recipe } = options;
  setNumThreads(recipe.threads ?? availableParallelism());
  const dataset = await openTrainingData(recipe);
  const verifier = await openVerifier(recipe);
  const sampler = new EpochSampler({
    sampleCount: dataset.labels.length,
    batchSize: recipe.batchSize,
    seed: recipe.seed,
  });
  const learner = createLearner(recipe, dataset.identities.length);
  try {
    return await runSession(options, learner, { dataset, verifier, sampler });
  } finally {
    disposeLearner(learner);
  }
}

interface SessionData {
  dataset: FaceDataset;
  verifier: Verifier | null;
  sampler: EpochSampler;
}

async function runSession(
  options: TrainOptions,
  learner: Learner,
  { dataset, verifier, sampler }: SessionData,
): Promise<TrainResult> {
  const { recipe, runFolder, resume, onEvent } = options;
  let progress: Progress = { step: 0, position: { epoch: 0, step: 0 }, bestAccuracy: null };
  if (resume) progress = await loadCheckpoint(checkpointPaths(runFolder, "last"), learner);
  sampler.position = progress.position;
  const kept = await tidyCheckpoints(runFolder.checkpoints);

  const length = runLength(recipe, sampler.stepsPerEpoch);
  const recorder = await openRecorder(runFolder, { onEvent, ...(resume && { resumeAtStep: progress.step }) });
  recorder.record({
    type: "start",
    step: progress.step,
    totalSteps: Math.min(length.totalSteps, recipe.maxSteps ?? length.totalSteps),
    stepsPerEpoch: length.stepsPerEpoch,
    epochs: recipe.epochs,
    images: dataset.labels.length,
    identities: dataset.identities.length,
    network: recipe.model.network,
    parameters: learner.backbone.parameters().reduce((sum, { size }) => sum + size, 0),
  });
  for (const message of resume ? [] : [...machineWarnings(recipe), ...dataset.warnings])
    recorder.record({ type: "warning", step: progress.step, message });

  const run = new Run(options, learner, verifier, recorder, length, progress, kept);
  const loader = new BatchLoader(dataset, {
    sampler,
    seed: recipe.seed,
    epochs: recipe.epochs,
    size: recipe.model.inputSize,
    resize: recipe.data.resize,
    badImages: recipe.data.onBadImage,
    ...(recipe.workers !== null && { workers: recipe.workers }),
    onBadImage: (image, reason) => run.logBadImage(image, reason),
  });
  try {
    if (resume && !recorder.checkpointLogged) run.logCheckpoint(0);
    return await run.train(loader, sampler);
  } catch (error) {
    const reason = error instanceof TopofrError && error.code === "E_DIVERGED" ? "diverged" : "failed";
    try {
      run.logEnd(reason, error instanceof Error ? error.message : String(error));
      recorder.close();
    } catch {
      // On a full disk the log fails as well: the first error is the one to report.
    }
    throw error;
  } finally {
    await loader.close();
    recorder.close();
  }
}

/** One session of a run: what the loop changes from step to step. */
class Run {
  readonly #options: TrainOptions;
  readonly #started = performance.now();
  readonly #learningRate: (step: number) => number;
  readonly #badImages: Set<string>;
  #evaluatedAt: number;
  /** What the last checkpoint holds; null: there is none yet. */
  #saved: Pick<Progress, "step" | "bestAccuracy"> | null;

  constructor(
    options: TrainOptions,
    readonly learner: Learner,
    readonly verifier: Verifier | null,
    readonly recorder: Recorder,
    readonly length: RunLength,
    readonly progress: Progress,
    /** Steps of the step_N checkpoints, oldest first. */
    readonly kept: number[],
  ) {
    this.#options = options;
    this.#learningRate = learningRateSchedule(options.recipe, length);
    this.#saved = options.resume ? { ...progress } : null;
    // What a session before this one has logged is not done or said again.
    const before = recorder.kept;
    this.#evaluatedAt = before.findLast(({ type }) => type === "evaluation")?.step ?? -1;
    this.#badImages = new Set(before.flatMap((event) => (event.type === "badImage" ? event.path : [])));
  }

  async train(loader: BatchLoader, sampler: EpochSampler): Promise<TrainResult> {
    const { recipe } = this.#options;
    const { evaluate, accumulate } = recipe;
    // After the first step: an evaluation that the interrupt of the session before left out.
    const { step } = this.progress;
    if (step === 0 ? evaluate.atStart : this.#isDue(evaluate.everySteps)) await this.#evaluateOnce();
    let reason = this.#reasonToStop();
    if (reason === null) {
      let stepStarted = performance.now();
      const losses: StepLosses[] = [];
      for await (const batch of loader) {
        losses.push(this.#accumulate(batch, 1 / accumulate));
        if (losses.length < accumulate) continue;

        this.#update(losses, batch.epoch, (performance.now() - stepStarted) / 1000);
        this.progress.position = sampler.position;
        losses.length = 0;
        // Timers, signals and the decoding threads' messages get their turn.
        await new Promise(setImmediate);
        reason = await this.#afterStep();
        if (reason !== null) break;
        stepStarted = performance.now();
      }
    }
    await this.#evaluateOnce();
    await this.#saveOnce();
    return this.logEnd(reason ?? "finished");
  }

  #accumulate(batch: Batch, share: number): StepLosses {
    try {
      const losses = accumulateGradients(this.learner, batch, share);
      this.#requireFinite("loss", losses.loss);
      return losses;
    } catch (error) {
      // Embeddings that are not finite have no distances, and so no tree, before they have a loss.
      if (error instanceof TopologyError)
        throw this.#diverged(this.progress.step + 1, "the embeddings are not finite");
      throw error;
    } finally {
      batch.release();
    }
  }

  #update(losses: readonly StepLosses[], epoch: number, seconds: number): void {
    const { recipe } = this.#options;
    const learningRate = this.#learningRate(this.progress.step);
    const gradientNorm = update(this.learner, learningRate);
    this.#requireFinite("gradient norm", gradientNorm);
    this.progress.step += 1;
    if (this.progress.step % recipe.logEverySteps !== 0) return;
    this.recorder.record({
      type: "step",
      step: this.progress.step,
      epoch,
      ...meanLosses(losses),
      gradientNorm,
      learningRate,
      imagesPerSecond: (recipe.batchSize * losses.length) / seconds,
      secondsPerStep: seconds,
    });
  }

  /** Evaluation first: a resume cuts the log after the checkpoint. */
  async #afterStep(): Promise<EndReason | null> {
    const { evaluate, checkpoint } = this.#options.recipe;
    const reason = this.#reasonToStop();
    if (reason === "interrupted") return reason;
    if (this.#isDue(evaluate.everySteps)) await this.#evaluateOnce();
    if (this.#isDue(checkpoint.everySteps)) await this.#saveOnce();
    return reason;
  }

  #isDue(everySteps: number | null): boolean {
    return this.progress.step % (everySteps ?? this.length.stepsPerEpoch) === 0;
  }

  #reasonToStop(): EndReason | null {
    const { recipe, signal } = this.#options;
    const minutes = (performance.now() - this.#started) / 60_000;
    if (signal.aborted) return "interrupted";
    if (this.progress.step >= this.length.totalSteps) return "finished";
    if (this.progress.step >= (recipe.maxSteps ?? Number.POSITIVE_INFINITY)) return "maxSteps";
    if (minutes >= (recipe.maxMinutes ?? Number.POSITIVE_INFINITY)) return "maxMinutes";
    return null;
  }

  #requireFinite(what: string, value: number): void {
    if (!Number.isFinite(value)) throw this.#diverged(this.progress.step + 1, `the ${what} is ${value}`);
  }

  #diverged(step: number, what: string): TopofrError {
    const saved =
      this.#saved === null
        ? "no checkpoint was saved yet"
        : `the checkpoint of step ${this.#saved.step} is kept`;
    return new TopofrError(
      "E_DIVERGED",
      `step ${step}: ${what}; ${saved}. ` +
        "A smaller optim.lr, a warm-up (schedule.warmupEpochs) or precision fp32 usually helps",
    );
  }

  /** A network that an update has just broken is neither measured nor saved over a good one. */
  #requireFiniteNetwork(): void {
    const broken = firstNotFinite(this.learner);
    if (broken !== null) throw this.#diverged(this.progress.step, `${broken} is not finite`);
  }

  async #evaluateOnce(): Promise<void> {
    if (this.#evaluatedAt !== this.progress.step && !this.#options.signal.aborted) await this.#evaluate();
  }

  async #evaluate(): Promise<void> {
    if (this.verifier === null) return;
    this.#requireFiniteNetwork();
    const started = performance.now();
    const never = new AbortController().signal;
    const report = await this.verifier.verify(this.learner, never);
    const best = this.progress.step > 0 && report.accuracy > (this.progress.bestAccuracy ?? 0);
    if (best) this.progress.bestAccuracy = report.accuracy;
    this.#evaluatedAt = this.progress.step;
    this.recorder.record({
      type: "evaluation",
      step: this.progress.step,
      epoch: this.#epoch(),
      name: this.verifier.name,
      metrics: verificationMetrics(report),
      seconds: (performance.now() - started) / 1000,
      best,
    });
    if (best) await this.#save("best");
  }

  async #saveOnce(): Promise<void> {
    const { step, bestAccuracy } = this.progress;
    if (this.#saved?.step === step && this.#saved.bestAccuracy === bestAccuracy) return;
    this.#requireFiniteNetwork();
    const started = performance.now();
    const { keep } = this.#options.recipe.checkpoint;
    await this.#save("last");
    this.#saved = { step, bestAccuracy };
    if (keep > 0) {
      await this.#save(step);
      if (!this.kept.includes(step)) this.kept.push(step);
      while (this.kept.length > keep)
        await removeCheckpoint(checkpointPaths(this.#options.runFolder, this.kept.shift()!));
    }
    this.logCheckpoint((performance.now() - started) / 1000);
  }

  async #save(which: "last" | "best" | number): Promise<void> {
    const { recipe, runFolder } = this.#options;
    const { network, embeddingSize } = recipe.model;
    const { step, position, bestAccuracy } = this.progress;
    const files = checkpointPaths(runFolder, which);
    await saveCheckpoint(files, this.learner, { network, embeddingSize }, { step, position, bestAccuracy });
  }

  logBadImage(image: string, reason: string): void {
    if (this.#badImages.has(image)) return;
    this.#badImages.add(image);
    this.recorder.record({ type: "badImage", step: this.progress.step, path: image, reason });
  }

  logCheckpoint(seconds: number): void {
    const { step } = this.progress;
    this.recorder.record({
      type: "checkpoint",
      step,
      epoch: this.#epoch(),
      path: "checkpoints/last",
      seconds,
    });
  }

  logEnd(reason: EndReason, message?: string): TrainResult {
    const seconds = (performance.now() - this.#started) / 1000;
    const { step, bestAccuracy } = this.progress;
    const epoch = this.#epoch();
    this.recorder.record({
      type: "end",
      step,
      epoch,
      reason,
      seconds,
      ...(message !== undefined && { message }),
    });
    return { reason, step, epoch, seconds, bestAccuracy };
  }

  /** The epoch of the last step done, from 0. */
  #epoch(): number {
    return Math.max(0, Math.ceil(this.progress.step / this.length.stepsPerEpoch) - 1);
  }
}

/** Means over the batches that made one step. */
function meanLosses(losses: readonly StepLosses[]): StepLosses {
  const mean = (pick: (losses: StepLosses) => number) =>
    losses.reduce((sum, each) => sum + pick(each), 0) / losses.length;
  const [first] = losses as [StepLosses];
  return {
    loss: mean(({ loss }) => loss),
    classificationLoss: mean(({ classificationLoss }) => classificationLoss),
    alignmentLoss: first.alignmentLoss === null ? null : mean(({ alignmentLoss }) => alignmentLoss!),
    omegaMean: first.omegaMean === null ? null : mean(({ omegaMean }) => omegaMean!),
    accuracy: mean(({ accuracy }) => accuracy),
    embeddingNorm: mean(({ embeddingNorm }) => embeddingNorm),
  };
}
