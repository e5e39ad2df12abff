// One model, or what was saved of one, on benchmarks: the work of topofr evaluate, with its progress and its files.

import { join } from "node:path";
import { TopofrError, writeFileAtomic } from "@topofr/formats";
import type { CardFields } from "@topofr/recognizer";
import {
  type Benchmark,
  type BenchmarkReport,
  imageNames,
  type PairScores,
  reportOnScores,
} from "../evaluate/benchmark.js";
import type { Embedder } from "../evaluate/embedder.js";
import {
  checkEmbeddings,
  type EvaluateOptions,
  type Evaluation,
  evaluateModel,
} from "../evaluate/evaluateModel.js";
import {
  embeddingsOf,
  pairScoresOf,
  readSaved,
  type SavedEmbeddings,
  writeEmbeddings,
  writeScores,
} from "../evaluate/savedEmbeddings.js";
import { note } from "./command.js";
import { openOnnxEmbedder, openTorchEmbedder } from "./engine.js";
import { interruptible } from "./interrupt.js";
import type { ModelPath } from "./modelPath.js";
import { countView } from "./progressView.js";

export interface EvaluateFlags {
  data?: string[];
  pairs?: string;
  network?: string;
  embeddingSize?: number;
  card?: string;
  pixelMean?: number[];
  pixelStd?: number[];
  pixelScale?: string | number;
  color?: "rgb" | "bgr";
  output?: string;
  flip: boolean;
  resize?: boolean;
  batchSize: number;
  threads?: number;
  embeddingsOut?: string;
  scoresOut?: string;
  roc?: string;
  json?: boolean;
}

type FileOf = (model: string, benchmark: string) => string;

/** Where embeddings and scores are saved; null: not at all. */
export interface Outputs {
  embeddings: FileOf | null;
  scores: FileOf | null;
}

/** One model on all benchmarks; with saved scores and no benchmark, the scores alone. */
export async function evaluateOne(
  model: ModelPath,
  benchmarks: readonly Benchmark[],
  flags: EvaluateFlags,
  outputs: Outputs,
): Promise<Evaluation[]> {
  if (model.kind === "saved") return evaluateSaved(model, benchmarks, flags, outputs);
  const embedder = await openEmbedder(model, flags);
  try {
    const evaluations: Evaluation[] = [];
    for (const benchmark of benchmarks) {
      note(`${model.source} on ${benchmark.path}: ${benchmark.images.length} images`);
      const { report, imagesPerSecond } = await withProgress((stages) =>
        evaluateModel(embedder, benchmark, {
          flip: flags.flip,
          batchSize: flags.batchSize,
          resize: flags.resize ? "fit" : "error",
          ...stages,
          ...keeping(outputs, embedder.name, benchmark),
        }),
      );
      const evaluation: Evaluation = {
        model: embedder.name,
        source: model.source,
        network: model.kind === "checkpoint" ? model.network : null,
        ...benchmarkHead(benchmark, flags),
        flip: flags.flip,
        imagesPerSecond,
        ...report,
      };
      if (model.kind === "checkpoint" && model.run) await keepReport(model.run.evaluation, evaluation);
      evaluations.push(evaluation);
    }
    return evaluations;
  } finally {
    await embedder.close();
  }
}

async function openEmbedder(model: ModelPath, flags: EvaluateFlags): Promise<Embedder> {
  const threads = flags.threads ?? null;
  if (model.kind !== "checkpoint")
    return openOnnxEmbedder(model.source, {
      name: model.name,
      card: flags.card ?? null,
      fields: cardFields(flags),
      threads,
    });
  const { name, source: weights, network, embeddingSize } = model;
  return openTorchEmbedder({ name, weights, network, embeddingSize, threads });
}

/** The model card as the command line has it. */
function cardFields({ pixelMean, pixelStd, pixelScale, color, output }: EvaluateFlags): CardFields {
  return {
    input: {
      ...(pixelMean && { mean: pixelMean }),
      ...(pixelStd && { std: pixelStd }),
      ...(pixelScale !== undefined && { scale: pixelScale }),
      ...(color && { color }),
    },
    ...(output !== undefined && { output }),
  };
}

type Stages = Required<Pick<EvaluateOptions, "signal" | "onProgress" | "onComparison">>;

/** Runs the work with a progress line for each of its stages, and stops it at Ctrl-C. */
export async function withProgress<Result>(work: (stages: Stages) => Promise<Result>): Promise<Result> {
  const interrupt = interruptible("stopping");
  const embedding = countView("embedding", "images");
  let comparing: ReturnType<typeof countView> | null = null; // begins when embedding has ended
  try {
    return await work({
      signal: interrupt.signal,
      onProgress: embedding.onProgress,
      onComparison(done, total) {
        comparing ??= countView("comparing", "pairs");
        comparing.onProgress(done, total);
      },
    });
  } finally {
    (comparing ?? embedding).close();
    interrupt.release();
  }
}

/** Saves embeddings and scores where they are asked for. */
function keeping(outputs: Outputs, model: string, benchmark: Benchmark) {
  return {
    async onEmbeddings(rows: Float32Array, dimension: number): Promise<void> {
      if (outputs.embeddings === null) return;
      const file = outputs.embeddings(model, benchmark.name);
      await writeEmbeddings(file, rows, dimension, imageNames(benchmark));
      note(`embeddings saved as ${file}`);
    },
    async onScores(scores: PairScores): Promise<void> {
      if (outputs.scores === null) return;
      const file = outputs.scores(model, benchmark.name);
      await writeScores(file, scores);
      note(`scores saved as ${file}`);
    },
  };
}

async function evaluateSaved(
  model: ModelPath,
  benchmarks: readonly Benchmark[],
  flags: EvaluateFlags,
  outputs: Outputs,
): Promise<Evaluation[]> {
  const saved = await readSaved(model.source);
  const head = { model: model.name, source: model.source, network: null, flip: null, imagesPerSecond: null };
  if (saved.kind === "scores") {
    const choices = benchmarks.length === 0 ? [null] : benchmarks;
    return choices.map((benchmark) => ({
      ...head,
      ...(benchmark === null
        ? { benchmark: model.name, data: null, pairList: null, warnings: [] }
        : benchmarkHead(benchmark, flags)),
      ...reportOnScores(pairScoresOf(saved, benchmark)),
    }));
  }
  if (benchmarks.length === 0)
    throw new TopofrError(
      "E_USAGE",
      `--data: of which benchmark's images are the embeddings of ${model.source}?`,
    );
  const evaluations: Evaluation[] = [];
  for (const benchmark of benchmarks) {
    const report = await reportOnSaved(saved, benchmark, keeping(outputs, model.name, benchmark));
    evaluations.push({ ...head, ...benchmarkHead(benchmark, flags), ...report });
  }
  return evaluations;
}

async function reportOnSaved(
  saved: SavedEmbeddings,
  benchmark: Benchmark,
  { onEmbeddings, onScores }: ReturnType<typeof keeping>,
) {
  const rows = embeddingsOf(saved, benchmark);
  checkEmbeddings(rows, saved.dimension, benchmark, saved.path);
  await onEmbeddings(rows, saved.dimension);
  return withProgress<BenchmarkReport>(({ signal, onComparison: onProgress }) =>
    benchmark.report(rows, saved.dimension, { signal, onProgress, onScores }),
  );
}

function benchmarkHead({ name, path, warnings }: Benchmark, { pairs }: EvaluateFlags) {
  return { benchmark: name, data: path, pairList: pairs ?? null, warnings };
}

async function keepReport(folder: string, evaluation: Evaluation): Promise<void> {
  const file = join(folder, `${evaluation.benchmark}${evaluation.flip ? "" : "-no-flip"}.json`);
  await writeFileAtomic(file, [Buffer.from(`${JSON.stringify(evaluation, null, 2)}\n`)]);
  note(`report kept as ${file}`);
}
