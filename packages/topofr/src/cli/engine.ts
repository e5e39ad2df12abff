// Every call from the command line into training, evaluation and drawing, in one place. Modules that need the
// engine, or take long to load, are imported when a command runs, so that `--help` and `doctor` work without it.
import { writeFileAtomic } from "@topofr/formats";
import type { BuildInfo } from "@topofr/torch";
import type { FaceDataset } from "../data/dataset.js";
import type { DatasetInfo, DatasetInfoOptions } from "../data/datasetInfo.js";
import type { OpenedDataset } from "../data/openDataset.js";
import type { AlignedFolder, AlignOptions } from "../data/pack/alignFolder.js";
import type { ListedPairs, PackedPairs, PairsOptions } from "../data/pack/facePairs.js";
import type { Packed, PackOptions } from "../data/pack/packDataset.js";
import type { WriteWorldOptions, WrittenWorld } from "../data/synthetic/writeWorld.js";
import type { Embedder } from "../evaluate/embedder.js";
import type { OnnxEmbedderOptions } from "../evaluate/embedderOnnx.js";
import type { TorchModel } from "../evaluate/embedderTorch.js";
import type { DiagramReport, DiagramRequest } from "../experiments/analysis/diagramAnalysis.js";
import type { DiscrepancyReport, DiscrepancyRequest } from "../experiments/analysis/discrepancyAnalysis.js";
import type {
  EntropyReport,
  EntropyRequest,
  HardSamplesReport,
  HardSamplesRequest,
} from "../experiments/analysis/runAnalyses.js";
import type { WrittenReport } from "../experiments/experimentReport.js";
import type { Plan } from "../experiments/plan.js";
import type { ExperimentResult, PlannedCell, RunnerOptions } from "../experiments/runner.js";
import type { ExportReport, ExportRequest } from "../export/exportModel.js";
import type { RocSeries } from "../plots/rocPlot.js";
import type { RunFolder } from "../runs/runFolder.js";
import type { Benchmark, BenchmarkRequest } from "../train/benchmark.js";
import type { TrainOptions, TrainResult } from "../train/loop.js";
import type { StepProfile } from "../train/stepProfile.js";

export type { BuildInfo, PackOptions, TrainResult, WriteWorldOptions };

export async function trainRun(options: TrainOptions): Promise<TrainResult> {
  return (await import("../train/loop.js")).trainRun(options);
}

/** Times steps and then, when asked, profiles one of a fresh network. */
export async function benchmark(
  request: BenchmarkRequest,
  { inference, profile }: { inference: boolean; profile: boolean },
): Promise<Benchmark & { profile: StepProfile | null }> {
  const timing = await import("../train/benchmark.js");
  const times = await (inference ? timing.benchmarkInference(request) : timing.benchmarkTraining(request));
  if (!profile) return { ...times, profile: null };
  const profiling = await import("../train/stepProfile.js");
  const measured = inference ? profiling.profileInference(request) : profiling.profileTraining(request);
  return { ...times, profile: await measured };
}

export async function openTorchEmbedder(model: TorchModel): Promise<Embedder> {
  return (await import("../evaluate/embedderTorch.js")).openTorchEmbedder(model);
}

export async function openOnnxEmbedder(path: string, options: OnnxEmbedderOptions): Promise<Embedder> {
  return (await import("../evaluate/embedderOnnx.js")).openOnnxEmbedder(path, options);
}

export async function exportModel(request: ExportRequest): Promise<ExportReport> {
  return (await import("../export/exportModel.js")).exportModel(request);
}

/** Writes ROC curves as .svg or .png, by the path's ending. */
export async function writeRocPicture(path: string, curves: readonly RocSeries[]): Promise<void> {
  const svg = (await import("../plots/rocPlot.js")).rocPlot(curves, { title: "ROC" });
  const isPng = path.toLowerCase().endsWith(".png");
  const bytes = isPng ? (await import("../plots/rasterize.js")).rasterize(svg) : Buffer.from(svg);
  await writeFileAtomic(path, [bytes]);
}

export async function writeWorld(
  folder: string,
  options: WriteWorldOptions,
  onProgress: (done: number, total: number) => void,
): Promise<WrittenWorld> {
  return (await import("../data/synthetic/writeWorld.js")).writeWorld(folder, options, onProgress);
}

export async function datasetInfo(dataset: FaceDataset, options: DatasetInfoOptions): Promise<DatasetInfo> {
  return (await import("../data/datasetInfo.js")).datasetInfo(dataset, options);
}

export async function packDataset(
  dataset: OpenedDataset,
  target: string,
  options: PackOptions,
): Promise<Packed> {
  return (await import("../data/pack/packDataset.js")).packDataset(dataset, target, options);
}

export async function alignFolder(
  folder: string,
  target: string,
  options: AlignOptions,
): Promise<AlignedFolder> {
  return (await import("../data/pack/alignFolder.js")).alignFolder(folder, target, options);
}

export async function packPairs(
  pairs: ListedPairs,
  bin: string,
  options: PairsOptions,
): Promise<PackedPairs> {
  return (await import("../data/pack/facePairs.js")).packPairs(pairs, bin, options);
}

export async function unpackPairs(
  bin: string,
  folder: string,
  options: Omit<PairsOptions, "size">,
): Promise<{ pairs: number; same: number }> {
  return (await import("../data/pack/facePairs.js")).unpackPairs(bin, folder, options);
}

/** Writes report.html of a finished run and returns its path. */
export async function writeRunReport(runFolder: RunFolder): Promise<string> {
  return (await import("../experiments/runReport.js")).writeRunReport(runFolder);
}

export async function analyseDiagrams(request: DiagramRequest): Promise<DiagramReport> {
  return (await import("../experiments/analysis/diagramAnalysis.js")).analyseDiagrams(request);
}

export async function analyseDiscrepancy(request: DiscrepancyRequest): Promise<DiscrepancyReport> {
  return (await import("../experiments/analysis/discrepancyAnalysis.js")).analyseDiscrepancy(request);
}

export async function analyseEntropy(request: EntropyRequest): Promise<EntropyReport> {
  return (await import("../experiments/analysis/runAnalyses.js")).analyseEntropy(request);
}

export async function analyseHardSamples(request: HardSamplesRequest): Promise<HardSamplesReport> {
  return (await import("../experiments/analysis/runAnalyses.js")).analyseHardSamples(request);
}

/** Every run of a plan, each recipe checked, and whether it is done. */
export async function planCells(
  folder: string,
  plan: Plan,
  reuse: readonly string[],
): Promise<PlannedCell[]> {
  return (await import("../experiments/runner.js")).planCells(folder, plan, reuse);
}

export async function runExperiment(
  folder: string,
  plan: Plan,
  options: RunnerOptions,
): Promise<ExperimentResult> {
  return (await import("../experiments/runner.js")).runExperiment(folder, plan, options);
}

export async function writeExperimentReport(folder: string): Promise<WrittenReport> {
  return (await import("../experiments/experimentReport.js")).writeExperimentReport(folder);
}

/** What the engine says of itself, or why it cannot be used. */
export async function engineInfo(): Promise<{ info: BuildInfo } | { problem: string }> {
  try {
    return { info: (await import("@topofr/torch")).buildInfo() };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}
