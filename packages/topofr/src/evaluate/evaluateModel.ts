// One model on one benchmark: embed, check, report. Opening models: embedderTorch.ts, embedderOnnx.ts; benchmarks: benchmarks/open.ts.
import { TopofrError } from "@topofr/formats";
import { sourceName } from "../data/imageSource.js";
import type { Benchmark, BenchmarkReport, ReportOptions } from "./benchmark.js";
import type { Embedder, EmbedOptions } from "./embedder.js";

/** What stands beside a report's numbers wherever it is kept. */
export interface EvaluationHead {
  /** What tables call the model. */
  model: string;
  /** The file it came from: weights, ONNX, or saved embeddings or scores. */
  source: string;
  /** Null when the file says it (ONNX) or there is none. */
  network: string | null;
  /** What tables call the benchmark, and where it was. Null for scores alone. */
  benchmark: string;
  data: string | null;
  /** Pair list, where it was given. */
  pairList: string | null;
  /** Whether mirror images were added; null when not known (saved embeddings). */
  flip: boolean | null;
  /** Null when nothing was embedded. */
  imagesPerSecond: number | null;
  warnings: readonly string[];
}

/** A report as it is printed with --json and kept in a run's evaluation/ folder. */
export type Evaluation = EvaluationHead & BenchmarkReport;

export interface EvaluateOptions extends EmbedOptions, Pick<ReportOptions, "onScores"> {
  /** Told the embeddings [images, dimension] when they are complete. */
  onEmbeddings?(embeddings: Float32Array, dimension: number): Promise<void>;
  /** Pairs compared so far, of all, where a benchmark compares all pairs of a group. */
  onComparison?(done: number, total: number): void;
}

/** @throws E_DATA for an unreadable image, or an embedding with NaN or infinity (the image is named) */
export async function evaluateModel(
  embedder: Embedder,
  benchmark: Benchmark,
  options: EvaluateOptions,
): Promise<{ report: BenchmarkReport; imagesPerSecond: number }> {
  const { onEmbeddings, onScores, onComparison, signal, ...rest } = options;
  const started = performance.now();
  const embeddings = await embedder.embed(benchmark.images, { ...rest, ...(signal && { signal }) });
  const seconds = (performance.now() - started) / 1000;
  const { dimension } = embedder;
  checkEmbeddings(embeddings, dimension, benchmark, embedder.name);
  await onEmbeddings?.(embeddings, dimension);
  const report = await benchmark.report(embeddings, dimension, {
    ...(onScores && { onScores }),
    ...(signal && { signal }),
    ...(onComparison && { onProgress: onComparison }),
  });
  return { report, imagesPerSecond: benchmark.images.length / seconds };
}

/** @throws E_DATA naming the first image whose row holds NaN or infinity */
export function checkEmbeddings(
  embeddings: Float32Array,
  dimension: number,
  { images }: Pick<Benchmark, "images">,
  source: string,
): void {
  const broken = embeddings.findIndex((value) => !Number.isFinite(value));
  if (broken < 0) return;
  const row = Math.floor(broken / dimension);
  throw new TopofrError(
    "E_DATA",
    `${source}: embedding ${row} of ${images.length} (${sourceName(images[row]!)}) holds NaN or infinity; ` +
      "the network, its preprocessing or the file is broken",
  );
}
