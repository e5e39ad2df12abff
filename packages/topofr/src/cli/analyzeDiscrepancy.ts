// topofr analyze discrepancy: how far the shape of embeddings is from that of the images (the paper's figures 2, 5 and 7).

import { TopofrError } from "@topofr/formats";
import { type Command, Option } from "commander";
import type { WhichCheckpoints } from "../experiments/analysis/checkpoints.js";
import type { DiscrepancyReport, GivenModel } from "../experiments/analysis/discrepancyAnalysis.js";
import type { PictureFormat } from "../experiments/analysis/saveFiles.js";
import { isRunFolder } from "../runs/runFolder.js";
import {
  noteWarnings,
  openModel,
  outFolder,
  printFiles,
  wholeNumbers,
  withProgress,
  words,
} from "./analyzeFlags.js";
import { addCommand, print, printJson, wholeNumber } from "./command.js";
import { analyseDiscrepancy } from "./engine.js";
import { findModel } from "./modelPath.js";
import { table } from "./table.js";

interface DiscrepancyFlags {
  data?: string[];
  evalData?: string;
  pairs?: string;
  batchSize: number[];
  batches: number;
  checkpoints: WhichCheckpoints;
  network?: string;
  embeddingSize?: number;
  card?: string;
  out?: string;
  format: PictureFormat[];
  resize?: boolean;
  seed: number;
  threads?: number;
  json?: boolean;
}

export function addDiscrepancy(analyze: Command): void {
  addCommand(
    analyze,
    "discrepancy",
    "How far the shape of embeddings is from that of their images, batch by batch.",
    [
      "analyze discrepancy runs/baseline runs/topofr --batches 100",
      "analyze discrepancy runs/topofr --batch-size 32,64,128 --data faces IJBC",
      "analyze discrepancy runs/topofr --checkpoints all --eval-data lfw --pairs pairs_test.txt",
      "analyze discrepancy model.onnx --data faces --json",
    ],
  )
    .argument("<model...>", "run folders, checkpoints or .onnx files (several: put them before --data)")
    .option(
      "--data <path...>",
      "images (default: what the first run was trained on, and what it was verified on, side by side)",
    )
    .option(
      "--eval-data <path>",
      "a benchmark with people that the first run has not seen; images of people that it has are left out",
    )
    .option("--pairs <file>", "pair list of the --eval-data folder: only its images are looked at")
    .option("--batch-size <n,…>", "images in a batch", wholeNumbers("--batch-size", { min: 2 }), [128])
    .option("--batches <n>", "of each size", wholeNumber("--batches", { min: 1 }), 20)
    .addOption(
      new Option("--checkpoints <which>", "of run folders; all: a curve over training")
        .choices(["all", "best", "last"])
        .default("best"),
    )
    .option("--network <name>", "of checkpoint files outside a run folder: iresnet50, mobilefacenet …")
    .option(
      "--embedding-size <n>",
      "of such files, when not 512",
      wholeNumber("--embedding-size", { min: 1 }),
    )
    .option("--card <file>", "model card of an .onnx file (default: <model>.card.yaml beside it)")
    .option("--resize", "scale and crop images that are not 112x112")
    .option("--seed <n>", "of the drawing of batches", wholeNumber("--seed"), 2048)
    .option("--threads <n>", "of the engine (default: all cores)", wholeNumber("--threads", { min: 1 }))
    .option(
      "--out <folder>",
      "where files go (default: diagrams/ of the run when there is one, or ./analysis)",
    )
    .option("--format <list>", "of pictures: svg,png", words("--format", ["svg", "png"]), ["svg", "png"])
    .option("--json", "print summary and values as JSON")
    .action(discrepancy);
}

async function discrepancy(paths: string[], flags: DiscrepancyFlags): Promise<void> {
  const { data, evalData, pairs, batchSize, json, resize, format, out, card, threads, ...rest } = flags;
  if (pairs !== undefined && evalData === undefined)
    throw new TopofrError("E_USAGE", `--pairs ${pairs}: belongs to --eval-data, the folder of its images`);
  const models: GivenModel[] = [];
  for (const path of paths) models.push(await givenModel(path, flags));
  const onlyRun = paths.length === 1 ? models[0]!.run : null;
  const report = await withProgress((onProgress) =>
    analyseDiscrepancy({
      ...rest,
      models: distinctlyNamed(models, paths),
      data: data ?? null,
      unseen: evalData === undefined ? null : { path: evalData, pairs: pairs ?? null },
      batchSizes: batchSize,
      resize: resize ? "fit" : "error",
      pictures: format,
      out: outFolder(out, onlyRun),
      onProgress,
    }),
  );
  noteWarnings(report.warnings);
  if (json) return printJson(report);
  printReport(report);
}

async function givenModel(
  path: string,
  { network, embeddingSize, card, threads }: DiscrepancyFlags,
): Promise<GivenModel> {
  const model = await findModel(path, { network: network ?? null, embeddingSize: embeddingSize ?? null });
  const flags = { ...(card && { card }), ...(threads && { threads }) };
  return {
    name: model.name,
    run: model.kind === "checkpoint" ? model.run : null,
    isRun: await isRunFolder(path),
    open: (weights) => openModel(weights === null ? model : { ...model, source: weights }, flags),
  };
}

/** The path where two models are called alike. */
function distinctlyNamed(models: readonly GivenModel[], paths: readonly string[]): GivenModel[] {
  return models.map((model, k) =>
    models.filter(({ name }) => name === model.name).length > 1 ? { ...model, name: paths[k]! } : model,
  );
}

function printReport({ summary, normalisation, files }: DiscrepancyReport): void {
  const short = ({ mean, std }: { mean: number; std: number }) =>
    `${Number(mean.toPrecision(4))} ± ${Number(std.toPrecision(2))}`;
  const rows = summary.map(({ model, step, data, batchSize, batches, bottleneck, alignment }) => [
    model,
    step === null ? "-" : String(step),
    data,
    String(batchSize),
    String(batches),
    short(bottleneck),
    short(alignment),
  ]);
  print(table(["model", "step", "data", "batch", "batches", "bottleneck", "alignment loss"], rows));
  print(`\n${normalisation}`);
  printFiles(files);
}
