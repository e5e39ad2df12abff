// What the commands of topofr analyze share: lists on the command line, the model, progress, and where pictures go.

import { basename } from "node:path";
import { TopofrError } from "@topofr/formats";
import type { Command } from "commander";
import type { Embedder } from "../evaluate/embedder.js";
import type { Checkpoint } from "../experiments/analysis/trainedRun.js";
import type { RunFolder } from "../runs/runFolder.js";
import { note, print, wholeNumber } from "./command.js";
import { openOnnxEmbedder, openTorchEmbedder } from "./engine.js";
import type { ModelPath } from "./modelPath.js";
import { StatusLine } from "./progressView.js";

const DEFAULT_OUT = "analysis";

/** Parser of a list of whole numbers: "128" or "32,64,128". */
export function wholeNumbers(flag: string, { min = 1 } = {}) {
  return (text: string): number[] => {
    const values = text.split(",").map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
    if (values.every((value) => Number.isSafeInteger(value) && value >= min))
      return [...new Set(values)].sort((a, b) => a - b);
    throw new TopofrError(
      "E_USAGE",
      `${flag}: expected whole numbers of at least ${min} with commas between them, found "${text}"`,
    );
  };
}

/** Parser of a list of words out of those known. */
export function words<Word extends string>(flag: string, known: readonly Word[]) {
  return (text: string): Word[] => {
    const found = text.split(",").map((part) => part.trim().toLowerCase());
    const wrong = found.find((part) => !(known as readonly string[]).includes(part));
    if (wrong === undefined) return [...new Set(found)] as Word[];
    throw new TopofrError(
      "E_USAGE",
      `${flag}: expected ${known.join(", ")} with commas between them, found "${text}"`,
    );
  };
}

/** `--out`, or the run's diagrams/, or ./analysis. */
export const outFolder = (given: string | undefined, run: RunFolder | null): string =>
  given ?? run?.diagrams ?? DEFAULT_OUT;

/** @throws E_USAGE for a file of embeddings, which cannot embed */
export async function openModel(
  model: ModelPath,
  flags: { card?: string; threads?: number },
): Promise<Embedder> {
  const { name, source } = model;
  const threads = flags.threads ?? null;
  if (model.kind === "onnx")
    return openOnnxEmbedder(source, { name, card: flags.card ?? null, fields: {}, threads });
  if (model.kind === "saved")
    throw new TopofrError("E_USAGE", `${source}: holds embeddings, not a model; give it as the data`);
  const { network, embeddingSize } = model;
  return openTorchEmbedder({ name: basename(name), weights: source, network, embeddingSize, threads });
}

export type OnProgress = (doing: string, done: number, total: number) => void;

/**
 * Runs the work with a progress line. Ctrl-C ends the process at once, as it does by default, in the middle of a long computation
 * too: files are written whole, so nothing is lost.
 */
export async function withProgress<Result>(
  work: (onProgress: OnProgress) => Promise<Result>,
): Promise<Result> {
  const line = new StatusLine();
  try {
    return await work((doing, done, total) =>
      line.update((width) => (total > 1 ? `${doing}: ${done}/${total}` : doing).slice(0, width), {
        force: done === total || done === 0,
      }),
    );
  } finally {
    line.clear();
  }
}

/** Flags of the commands that look at a trained run and its classifier. */
export interface RunFlags {
  data?: string;
  checkpoint?: Checkpoint;
  batchSize?: number;
  seed: number;
  threads?: number;
  out?: string;
  json?: boolean;
}

export function addRunFlags(command: Command): Command {
  return command
    .option("--data <path>", "images of the people that it was trained on (default: its training data)")
    .option(
      "--checkpoint <which>",
      "best, last or a step (default: best, or last when there is none)",
      checkpoint,
    )
    .option(
      "--batch-size <n>",
      "images a batch (default: the run's)",
      wholeNumber("--batch-size", { min: 2 }),
    )
    .option("--seed <n>", "of the drawing", wholeNumber("--seed"), 2048)
    .option("--threads <n>", "of the engine (default: the run's)", wholeNumber("--threads", { min: 1 }))
    .option("--out <folder>", "where files go (default: diagrams/ of the run)")
    .option("--json", "print the report as JSON");
}

export const runRequest = (run: RunFolder, { data, checkpoint, batchSize, seed, threads }: RunFlags) => ({
  run,
  data: data ?? null,
  checkpoint: checkpoint ?? null,
  batchSize: batchSize ?? null,
  seed,
  threads: threads ?? null,
});

function checkpoint(text: string): Checkpoint {
  if (text === "best" || text === "last") return text;
  if (/^\d+$/.test(text)) return Number(text);
  throw new TopofrError(
    "E_USAGE",
    `--checkpoint: expected best, last or the number of a step, found "${text}"`,
  );
}

/** Says which files were written. */
export function printFiles(files: readonly string[]): void {
  if (files.length > 0) print(`\nwritten:\n${files.map((file) => `  ${file}`).join("\n")}`);
}

export function noteWarnings(warnings: readonly string[]): void {
  for (const warning of warnings) note(`warning: ${warning}`);
}
