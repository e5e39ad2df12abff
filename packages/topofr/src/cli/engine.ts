// Every call from the command line into training, evaluation and drawing, in one place. Modules that need the
// engine, or take long to load, are imported when a command runs, so that `--help` and `doctor` work without it.
import type { BuildInfo } from "@topofr/torch";
import type { WriteWorldOptions, WrittenWorld } from "../data/synthetic/writeWorld.js";
import type { EvaluateOptions } from "../evaluate/evaluateModel.js";
import type { VerificationReport } from "../evaluate/verification.js";
import type { RunFolder } from "../runs/runFolder.js";
import type { TrainOptions, TrainResult } from "../train/loop.js";

export type { BuildInfo, TrainResult, WriteWorldOptions };
export type EvaluationResult = VerificationReport & { imagesPerSecond: number };

export async function trainRun(options: TrainOptions): Promise<TrainResult> {
  return (await import("../train/loop.js")).trainRun(options);
}

export async function evaluateModel(options: EvaluateOptions): Promise<EvaluationResult> {
  return (await import("../evaluate/evaluateModel.js")).evaluateModel(options);
}

export async function writeWorld(
  folder: string,
  options: WriteWorldOptions,
  onProgress: (done: number, total: number) => void,
): Promise<WrittenWorld> {
  return (await import("../data/synthetic/writeWorld.js")).writeWorld(folder, options, onProgress);
}

/** Writes report.html of a finished run and returns its path. */
export async function writeRunReport(runFolder: RunFolder): Promise<string> {
  return (await import("../experiments/runReport.js")).writeRunReport(runFolder);
}

/** What the engine says of itself, or why it cannot be used. */
export async function engineInfo(): Promise<{ info: BuildInfo } | { problem: string }> {
  try {
    return { info: (await import("@topofr/torch")).buildInfo() };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}
