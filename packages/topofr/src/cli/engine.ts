// Every call from the command line into training, evaluation and drawing, in one place. Modules that need the
// engine, or take long to load, are imported when a command runs, so that `--help` and `doctor` work without it.

import { TopofrError } from "@topofr/formats";
import type { VerificationReport } from "../evaluate/verification.js";
import type { EndReason, LoggedEvent } from "../runs/events.js";
import type { RunFolder } from "../runs/runFolder.js";
import type { Recipe } from "../train/recipe.js";

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

export interface EvaluateOptions {
  /** A checkpoint: .safetensors, .pt or .pth. */
  weights: string;
  network: string;
  embeddingSize: number;
  /** Folder of the images that the pairs name. */
  data: string;
  pairs: string;
  /** Sum the embeddings of an image and its mirror image. */
  flip: boolean;
  batchSize: number;
  threads: number | null;
  signal: AbortSignal;
  onProgress(done: number, total: number): void;
}

export type EvaluationResult = VerificationReport & { imagesPerSecond: number };

export interface WorldOptions {
  seed: number;
  identities: number;
  imagesPerIdentity: number;
  /** Share of deliberately hard images, 0..1. */
  hardShare: number;
  format: "jpeg" | "png";
  /** JPEG quality, 1..100. */
  quality: number;
  workers?: number;
  /** Write pairs.txt with so many folds of so many same and so many different pairs. */
  pairs?: { folds: number; perFold: number };
}

export async function trainRun(options: TrainOptions): Promise<TrainResult> {
  const module = await load<{ trainRun(options: TrainOptions): Promise<TrainResult> }>("../train/loop.js");
  return module.trainRun(options);
}

export async function evaluateModel(options: EvaluateOptions): Promise<EvaluationResult> {
  const module = await load<{ evaluateModel(options: EvaluateOptions): Promise<EvaluationResult> }>(
    "../evaluate/evaluateModel.js",
  );
  return module.evaluateModel(options);
}

export async function writeWorld(
  folder: string,
  options: WorldOptions,
  onProgress: (done: number, total: number) => void,
): Promise<void> {
  const module = await load<{
    writeWorld(
      folder: string,
      options: WorldOptions,
      onProgress: (done: number, total: number) => void,
    ): unknown;
  }>("../data/synthetic/world.js");
  await module.writeWorld(folder, options, onProgress);
}

/** Writes report.html of a finished run and returns its path. */
export async function writeRunReport(runFolder: RunFolder): Promise<string> {
  const module = await load<{ writeRunReport(runFolder: RunFolder): Promise<string> }>(
    "../experiments/runReport.js",
  );
  return module.writeRunReport(runFolder);
}

/** What the engine says of itself, or why it cannot be used. */
export async function engineInfo(): Promise<{ info: EngineInfo } | { problem: string }> {
  try {
    const torch = await load<{ buildInfo(): EngineInfo }>("@topofr/torch");
    return { info: torch.buildInfo() };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

export interface EngineInfo {
  version: string;
  threads: number;
  cpuCapability: string;
  cuda: boolean;
  mkldnn: boolean;
  addonPath: string;
  libtorchPath: string | null;
}

async function load<Module>(path: string): Promise<Module> {
  try {
    return (await import(path)) as Module;
  } catch (cause) {
    if (cause instanceof TopofrError) throw cause;
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new TopofrError("E_SETUP", `${path} cannot be loaded: ${message}; run \`npm run setup\``, {
      cause,
    });
  }
}
