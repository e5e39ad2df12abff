// topofr export: a checkpoint as an ONNX or safetensors file. What an argument means: modelPath.ts; the work: export/.

import { basename, extname } from "node:path";
import { TopofrError } from "@topofr/formats";
import { cardPath } from "@topofr/recognizer";
import { type Command, Option } from "commander";
import { openDataset } from "../data/openDataset.js";
import type { Benchmark } from "../evaluate/benchmark.js";
import { openBenchmark } from "../evaluate/benchmarks/open.js";
import type { Embedder } from "../evaluate/embedder.js";
import { type Evaluation, evaluateModel } from "../evaluate/evaluateModel.js";
import { evaluationTables } from "../evaluate/report.js";
import type { ExportReport, NamedImages, Precision } from "../export/exportModel.js";
import { OPSETS } from "../export/graphWriter.js";
import { spread } from "../export/spread.js";
import { NETWORKS, networkName } from "../models/names.js";
import { addCommand, note, print, printJson, wholeNumber } from "./command.js";
import { exportModel, openOnnxEmbedder, openTorchEmbedder } from "./engine.js";
import { withProgress } from "./evaluations.js";
import { findCheckpoint } from "./modelPath.js";
import { formatBytes } from "./openedData.js";
import { checkWritable } from "./outputFiles.js";
import { countView } from "./progressView.js";

const TARGETS = [".onnx", ".safetensors"];
const CHECK_IMAGES = 32;
const DEFAULT_OPSET = 17;
const BATCH = 32;

interface ExportFlags {
  to: string;
  network?: string;
  embeddingSize?: number;
  opset?: number;
  precision?: "fp32" | "fp16";
  foldBatchNorm: boolean;
  int8?: boolean;
  calibration?: string;
  calibrationImages?: number;
  images?: string;
  data?: string;
  pairs?: string;
  resize?: boolean;
  threads?: number;
  overwrite?: boolean;
  json?: boolean;
}

export function addExport(program: Command, version: string): void {
  addCommand(
    program,
    "export",
    "Export a checkpoint as ONNX or safetensors, compared with the training engine.",
    [
      "export runs/first --to model.onnx",
      "export backbone.pt --to model.onnx --data lfw",
      "export runs/first --to half.onnx --precision fp16",
      "export runs/first --to small.onnx --int8 --calibration faces --data lfw",
      "export backbone.pt --to backbone.safetensors",
    ],
  )
    .argument("<model>", "run folder (its best checkpoint, or the last), or a .safetensors, .pt or .pth file")
    .requiredOption("--to <file>", ".onnx or .safetensors")
    .option("--network <name>", "what the file must be of (default: what its shapes say)")
    .option("--embedding-size <n>", "likewise", wholeNumber("--embedding-size", { min: 1 }))
    .option(
      "--opset <n>",
      `version of ONNX's operators, ${OPSETS[0]} to ${OPSETS.at(-1)} (default: ${DEFAULT_OPSET})`,
      wholeNumber("--opset", { min: OPSETS[0]!, max: OPSETS.at(-1)! }),
    )
    .addOption(
      new Option(
        "--precision <name>",
        "of the weights (default: fp32); input and output are float32",
      ).choices(["fp32", "fp16"]),
    )
    .option("--no-fold-batch-norm", "keep every batch norm as a node of its own")
    .option("--int8", "8-bit integers, with --calibration")
    .option("--calibration <dataset>", "faces from which the ranges of int8 are taken")
    .option(
      "--calibration-images <n>",
      "how many of them (default: 200)",
      wholeNumber("--calibration-images", { min: 1 }),
    )
    .option("--images <dataset>", `compare on ${CHECK_IMAGES} of these faces too, beside random images`)
    .option("--data <benchmark>", "compare on faces of this benchmark too, and evaluate before and after")
    .option("--pairs <file>", "list of pairs of the benchmark's folder (default: pairs.txt in it)")
    .option("--resize", "scale and crop images that are not 112x112 (they should be aligned)")
    .option(
      "--threads <n>",
      "of engine and runtime (default: all cores)",
      wholeNumber("--threads", { min: 1 }),
    )
    .option("--overwrite", "replace the file and its model card")
    .option("--json", "print the report as JSON")
    .action((model: string, flags: ExportFlags) => exportCommand(model, flags, version));
}

async function exportCommand(path: string, flags: ExportFlags, version: string): Promise<void> {
  checkFlags(path, flags);
  const model = await findCheckpoint(path);
  await checkWritable(flags.to);
  const benchmark =
    flags.data === undefined ? null : await openBenchmark(flags.data, { pairs: flags.pairs ?? null });
  for (const warning of benchmark?.warnings ?? []) note(`warning: ${warning}`);
  const count = flags.calibrationImages ?? 200;
  const view = countView("calibrating", "images");
  const report = await exportModel({
    source: model.source,
    name: model.name,
    network: askedNetwork(flags.network ?? null),
    embeddingSize: flags.embeddingSize ?? null,
    target: flags.to,
    precision: precisionOf(flags),
    opset: flags.opset ?? DEFAULT_OPSET,
    foldBatchNorm: flags.foldBatchNorm,
    calibration: flags.calibration === undefined ? null : await imagesOf(flags.calibration, count),
    check: await checkImages(flags, benchmark, count),
    resize: flags.resize ? "fit" : "error",
    overwrite: flags.overwrite ?? false,
    threads: flags.threads ?? null,
    version,
    onProgress: (_, done, total) => view.onProgress(done, total),
  }).finally(() => view.close());
  if (!flags.json) print(describe(report));
  const evaluations = benchmark ? await evaluateBoth(report, model.name, benchmark, flags) : null;
  if (flags.json) return printJson({ ...report, evaluations });
  if (evaluations) print(`\n${evaluationTables(evaluations)}${costLine(evaluations)}`);
}

/** What can be known to be wrong before anything is opened. */
function checkFlags(path: string, flags: ExportFlags): void {
  const fail = (message: string) => new TopofrError("E_USAGE", message);
  const target = extname(flags.to);
  if (!TARGETS.includes(target))
    throw fail(`--to: expected a ${TARGETS.join(" or ")} file, found "${flags.to}"`);
  if (extname(path).toLowerCase() === ".onnx")
    throw fail(`${path}: is an ONNX file already; export takes the checkpoint that it was made from`);
  const onlyOnnx = (
    [
      ["--opset", flags.opset !== undefined],
      ["--no-fold-batch-norm", !flags.foldBatchNorm],
      ["--int8", flags.int8 ?? false],
    ] as const
  ).find(([, given]) => given);
  if (onlyOnnx && target !== ".onnx") throw fail(`${onlyOnnx[0]}: is for .onnx files; --to is ${flags.to}`);
  if (flags.data !== undefined && target !== ".onnx")
    throw fail("--data: a .safetensors file has the same weights; evaluate it with topofr evaluate");
  if (flags.int8 && flags.precision !== undefined)
    throw fail("--precision: --int8 decides it; leave one of them out");
  if (flags.int8 && !flags.foldBatchNorm)
    throw fail("--no-fold-batch-norm: 8-bit integers need batch norms folded; leave one of them out");
  if (flags.int8 && flags.calibration === undefined)
    throw fail("--int8: needs --calibration <dataset>, faces like those that the model will see");
  if (!flags.int8 && (flags.calibration ?? flags.calibrationImages) !== undefined)
    throw fail("--calibration: is for --int8");
  if (flags.pairs !== undefined && flags.data === undefined)
    throw fail("--pairs: goes with --data, the folder of its images");
}

const precisionOf = (flags: ExportFlags): Precision => (flags.int8 ? "int8" : (flags.precision ?? "fp32"));

function askedNetwork(asked: string | null) {
  if (asked === null) return null;
  const network = networkName(asked);
  const known = NETWORKS.find((name) => name === network);
  if (known) return known;
  throw new TopofrError("E_USAGE", `--network: expected one of ${NETWORKS.join(", ")}, found "${asked}"`);
}

/** Some images of a data set, spread evenly. */
async function imagesOf(path: string, count: number, offset = 0): Promise<NamedImages> {
  const dataset = await openDataset(path);
  const images = spread(dataset.labels.length, count, offset).map((index) => dataset.source(index));
  return { name: `images of ${dataset.name}`, images };
}

/** Faces to compare on: those asked for; else others than calibrated on, as far as there are more; else the benchmark's. */
async function checkImages(
  flags: ExportFlags,
  benchmark: Benchmark | null,
  calibrated: number,
): Promise<NamedImages | null> {
  if (flags.images !== undefined) return imagesOf(flags.images, CHECK_IMAGES);
  if (flags.calibration !== undefined) {
    const { name, images } = await imagesOf(flags.calibration, calibrated, 0.5);
    return { name, images: spread(images.length, CHECK_IMAGES).map((i) => images[i]!) };
  }
  if (benchmark === null) return null;
  const places = spread(benchmark.images.length, CHECK_IMAGES);
  return { name: `images of ${benchmark.name}`, images: places.map((i) => benchmark.images[i]!) };
}

/** The checkpoint and the file made from it on one benchmark. */
async function evaluateBoth(
  report: ExportReport,
  name: string,
  benchmark: Benchmark,
  flags: ExportFlags,
): Promise<Evaluation[]> {
  const { source, target, network, embeddingSize } = report;
  const threads = flags.threads ?? null;
  const models: [source: string, open: () => Promise<Embedder>][] = [
    [source, () => openTorchEmbedder({ name, weights: source, network, embeddingSize, threads })],
    [target, () => openOnnxEmbedder(target, { name, card: cardPath(target), fields: {}, threads })],
  ];
  const evaluations: Evaluation[] = [];
  for (const [file, open] of models) {
    note(`${file} on ${benchmark.path}: ${benchmark.images.length} images`);
    const embedder = await open();
    try {
      const { report: numbers, imagesPerSecond } = await withProgress((stages) =>
        evaluateModel(embedder, benchmark, {
          flip: true,
          batchSize: BATCH,
          resize: flags.resize ? "fit" : "error",
          ...stages,
        }),
      );
      evaluations.push({
        model: basename(file),
        source: file,
        network,
        benchmark: benchmark.name,
        data: benchmark.path,
        pairList: flags.pairs ?? null,
        flip: true,
        imagesPerSecond,
        warnings: benchmark.warnings,
        ...numbers,
      });
    } finally {
      await embedder.close();
    }
  }
  return evaluations;
}

function describe(report: ExportReport): string {
  const { source, network, embeddingSize, target, precision, opset, batchNorms, bytes, card } = report;
  const graph = opset === null ? "" : `opset ${opset}, `;
  const norms = batchNorms === null ? "" : `, ${batchNorms} batch norms left`;
  const lines = [
    `${source}: ${network}, embeddings of ${embeddingSize} numbers`,
    `${target}: ${graph}${precision}${norms}, ${formatBytes(bytes)}`,
    ...(card === null ? [] : [`${card}: model card`]),
    ...report.differences.map(({ images, count, largest, meanCosine, leastCosine }) => {
      const limit = report.limit === null ? "" : ` (limit ${report.limit})`;
      const cosine =
        precision === "fp32"
          ? ""
          : `, cosine ${meanCosine.toFixed(5)} on average, ${leastCosine.toFixed(5)} at least`;
      return `beside the training engine, ${count} ${images}: largest difference ${largest.toExponential(1)}${limit}${cosine}`;
    }),
  ];
  return lines.join("\n");
}

/** "accuracy 99.20 % -> 99.15 % (-0.05)", for benchmarks of pairs. */
function costLine([before, after]: readonly Evaluation[]): string {
  if (before?.kind !== "pairs" || after?.kind !== "pairs") return "";
  const [a, b] = [before, after].map(({ accuracy }) => 100 * accuracy) as [number, number];
  const change = `${b < a ? "" : "+"}${(b - a).toFixed(2)}`;
  return `\n\naccuracy ${a.toFixed(2)} % -> ${b.toFixed(2)} % (${change})`;
}
