// topofr evaluate: models on benchmarks, with the rules of insightface's scripts. What an argument means: modelPath.ts; output files:
// outputFiles.ts; numbers and tables: evaluate/.

import { join } from "node:path";
import { TopofrError, writeFileAtomic } from "@topofr/formats";
import { type Command, Option } from "commander";
import { type Benchmark, imageNames, type PairScores, reportOnScores } from "../evaluate/benchmark.js";
import { openBenchmark } from "../evaluate/benchmarks/open.js";
import { curvesOf } from "../evaluate/compare.js";
import type { Embedder } from "../evaluate/embedder.js";
import { checkEmbeddings, type Evaluation, evaluateModel } from "../evaluate/evaluateModel.js";
import { evaluationTables, rowNames } from "../evaluate/report.js";
import {
  embeddingsOf,
  isSavedPath,
  pairScoresOf,
  readSaved,
  writeEmbeddings,
  writeScores,
} from "../evaluate/savedEmbeddings.js";
import type { CardFields } from "../models/modelCard.js";
import { addCommand, note, print, printJson, wholeNumber } from "./command.js";
import { openOnnxEmbedder, openTorchEmbedder, writeRocPicture } from "./engine.js";
import { interruptible } from "./interrupt.js";
import { findModel, type ModelPath } from "./modelPath.js";
import { arrayFiles, checkWritable, fileName, pictureFile } from "./outputFiles.js";
import { countView } from "./progressView.js";

interface EvaluateFlags {
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

const SEVERAL_MODELS = "(several: put them before --data)";

export function addEvaluate(program: Command): void {
  addCommand(program, "evaluate", "Evaluate models on benchmarks: LFW, .bin files, IJB-B, IJB-C, groups.", [
    "evaluate runs/first --data lfw",
    "evaluate runs/first runs/second --data lfw faces/agedb_30.bin IJBC --roc roc.png",
    "evaluate backbone.pt --network r50 --data lfw --pairs lfw/pairs.txt --json",
    "evaluate model.onnx --pixel-mean 127.5 --pixel-std 128 --data lfw --embeddings-out lfw.npz",
    "evaluate lfw.npz --data lfw",
  ])
    .argument(
      "<model...>",
      "run folder (its best checkpoint, or the last), a .safetensors, .pt or .pth file, an .onnx file, or embeddings or scores " +
        `saved as .npz or .npy ${SEVERAL_MODELS}`,
    )
    .option(
      "--data <benchmark...>",
      "folder of images with a list of pairs, .bin file, IJB-B or IJB-C folder, or manifest of groups (.csv, .tsv)",
    )
    .option(
      "--pairs <file>",
      "list of pairs of an image folder (default: pairs.txt or pairs_label.txt in it)",
    )
    .option("--network <name>", "of a checkpoint file outside a run folder: iresnet50, mobilefacenet …")
    .option(
      "--embedding-size <n>",
      "of such a file, when not 512",
      wholeNumber("--embedding-size", { min: 1 }),
    )
    .option("--card <file>", "model card of an .onnx file (default: <model>.card.yaml beside it)")
    .option(
      "--pixel-mean <numbers>",
      "of ONNX models: subtracted, one number or r,g,b",
      channelNumbers("--pixel-mean"),
    )
    .option("--pixel-std <numbers>", "of ONNX models: divides after that", channelNumbers("--pixel-std"))
    .option(
      "--pixel-scale <factor>",
      'of ONNX models: multiplies pixels before that, such as "1/255"',
      factor,
    )
    .addOption(new Option("--color <order>", "of ONNX models: order of the channels").choices(["rgb", "bgr"]))
    .option("--output <name>", "of ONNX models: which output is the embedding")
    .option("--no-flip", "leave out the mirror images (faster, a little less accurate)")
    .option("--resize", "scale and crop images of another size than the model's (they should be aligned)")
    .option("--batch-size <n>", "images a batch", wholeNumber("--batch-size", { min: 1 }), 64)
    .option("--threads <n>", "of the engine (default: all cores)", wholeNumber("--threads", { min: 1 }))
    .option("--embeddings-out <path>", "save embeddings: .npz, .npy, or a folder for several")
    .option("--scores-out <path>", "save the scores of the pairs: .npz, .npy, or a folder for several")
    .option("--roc <file>", "draw all ROC curves in one picture (.svg or .png)", pictureFile("--roc"))
    .option("--json", "print the report as JSON (a list, when there are several)")
    .action(evaluate);
}

async function evaluate(paths: string[], flags: EvaluateFlags): Promise<void> {
  const unsaved = paths.find((path) => !isSavedPath(path));
  if (flags.data === undefined && unsaved !== undefined)
    throw new TopofrError("E_USAGE", `--data: on which benchmark is ${unsaved} to be evaluated?`);
  const given = { network: flags.network ?? null, embeddingSize: flags.embeddingSize ?? null };
  const models: ModelPath[] = [];
  for (const path of paths) models.push(await findModel(path, given));
  checkFlags(models, flags);
  const benchmarks = await openAll(flags);
  const several = models.length * Math.max(1, benchmarks.length) > 1;
  const outputs: Outputs = {
    embeddings: await arrayFiles("--embeddings-out", flags.embeddingsOut, several),
    scores: await arrayFiles("--scores-out", flags.scoresOut, several),
  };
  if (flags.roc !== undefined) await checkWritable(flags.roc);

  const evaluations: Evaluation[] = [];
  const names = distinctNames(models);
  for (const [k, model] of models.entries())
    evaluations.push(...(await evaluateOne({ ...model, name: names[k]! }, benchmarks, flags, outputs)));

  if (flags.roc !== undefined) {
    await writeRocPicture(flags.roc, curvesOf(evaluations));
    note(`ROC drawn as ${flags.roc}`);
  }
  if (flags.json) return printJson(several ? evaluations : evaluations[0]);
  print(evaluationTables(evaluations));
  const speeds = speedLine(evaluations);
  if (speeds !== "") print(speeds);
}

interface Outputs {
  embeddings: ((model: string, benchmark: string) => string) | null;
  scores: ((model: string, benchmark: string) => string) | null;
}

const ONNX_FLAGS = ["card", "pixelMean", "pixelStd", "pixelScale", "color", "output"] as const;

/** What can be known to be wrong before anything is opened. */
function checkFlags(models: readonly ModelPath[], flags: EvaluateFlags): void {
  const onnxFlag = ONNX_FLAGS.find((flag) => flags[flag] !== undefined);
  if (onnxFlag && !models.some(({ kind }) => kind === "onnx"))
    throw new TopofrError("E_USAGE", `--${kebab(onnxFlag)}: is for .onnx files, and none is given`);
  if (flags.pairs !== undefined && flags.data?.length !== 1)
    throw new TopofrError("E_USAGE", "--pairs: goes with one --data, the folder of its images");
}

async function openAll({ data = [], pairs }: EvaluateFlags): Promise<Benchmark[]> {
  const benchmarks: Benchmark[] = [];
  for (const path of data) {
    const benchmark = await openBenchmark(path, { pairs: pairs ?? null });
    const known = benchmarks.find(({ name }) => name === benchmark.name);
    benchmarks.push(known ? { ...benchmark, name: fileName(path) } : benchmark);
    for (const warning of benchmark.warnings) note(`warning: ${warning}`);
  }
  return benchmarks;
}

/** One model on all benchmarks; with saved scores and no benchmark, the scores alone. */
async function evaluateOne(
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
      const measured = await embedAndReport(embedder, benchmark, flags, outputs);
      const head = {
        model: embedder.name,
        source: model.source,
        network: model.kind === "checkpoint" ? model.network : null,
        ...benchmarkHead(benchmark, flags),
        flip: flags.flip,
        imagesPerSecond: measured.imagesPerSecond,
      };
      const evaluation: Evaluation = { ...head, ...measured.report };
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

async function embedAndReport(
  embedder: Embedder,
  benchmark: Benchmark,
  flags: EvaluateFlags,
  outputs: Outputs,
) {
  const interrupt = interruptible("stopping");
  const view = countView("embedding", "images");
  let scores: PairScores | null = null;
  try {
    const measured = await evaluateModel(embedder, benchmark, {
      flip: flags.flip,
      batchSize: flags.batchSize,
      resize: flags.resize ? "fit" : "error",
      signal: interrupt.signal,
      onProgress: view.onProgress,
      onEmbeddings: (rows, dimension) => saveEmbeddings(outputs, embedder.name, benchmark, rows, dimension),
      onScores(found) {
        scores = found;
      },
    });
    view.close();
    await saveScores(outputs, embedder.name, benchmark.name, scores);
    return measured;
  } finally {
    view.close();
    interrupt.release();
  }
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
    const rows = embeddingsOf(saved, benchmark);
    checkEmbeddings(rows, saved.dimension, benchmark, model.source);
    await saveEmbeddings(outputs, model.name, benchmark, rows, saved.dimension);
    let scores: PairScores | null = null;
    const report = await benchmark.report(rows, saved.dimension, {
      onScores(found) {
        scores = found;
      },
    });
    await saveScores(outputs, model.name, benchmark.name, scores);
    evaluations.push({ ...head, ...benchmarkHead(benchmark, flags), ...report });
  }
  return evaluations;
}

function benchmarkHead({ name, path, warnings }: Benchmark, { pairs }: EvaluateFlags) {
  return { benchmark: name, data: path, pairList: pairs ?? null, warnings };
}

async function saveEmbeddings(
  { embeddings }: Outputs,
  model: string,
  benchmark: Benchmark,
  rows: Float32Array,
  dimension: number,
): Promise<void> {
  if (embeddings === null) return;
  const file = embeddings(model, benchmark.name);
  await writeEmbeddings(file, rows, dimension, imageNames(benchmark));
  note(`embeddings saved as ${file}`);
}

async function saveScores(
  { scores: file }: Outputs,
  model: string,
  benchmark: string,
  scores: PairScores | null,
): Promise<void> {
  if (file === null) return;
  if (scores === null) return note(`${benchmark}: compares all pairs of a group; no scores are kept`);
  await writeScores(file(model, benchmark), scores);
  note(`scores saved as ${file(model, benchmark)}`);
}

async function keepReport(folder: string, evaluation: Evaluation): Promise<void> {
  const file = join(folder, `${evaluation.benchmark}${evaluation.flip ? "" : "-no-flip"}.json`);
  await writeFileAtomic(file, [Buffer.from(`${JSON.stringify(evaluation, null, 2)}\n`)]);
  note(`report kept as ${file}`);
}

/** "120.5 img/s", or one for each evaluation that embedded images. */
function speedLine(evaluations: readonly Evaluation[]): string {
  const names = rowNames(evaluations);
  return evaluations
    .flatMap(({ imagesPerSecond }, k) =>
      imagesPerSecond === null
        ? []
        : [`${evaluations.length > 1 ? `${names[k]}: ` : ""}${imagesPerSecond.toFixed(1)} img/s`],
    )
    .join("\n");
}

/** The models' names; the whole path where two are called alike. */
function distinctNames(models: readonly ModelPath[]): string[] {
  return models.map(({ name, source }) =>
    models.filter((other) => other.name === name).length > 1 ? source : name,
  );
}

/** Parser of an option that is one number, or three for the channels. */
function channelNumbers(flag: string) {
  return (text: string): number[] => {
    const values = text.split(",").map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
    if (values.every(Number.isFinite) && (values.length === 1 || values.length === 3))
      return values.length === 1 ? [values[0]!, values[0]!, values[0]!] : values;
    throw new TopofrError("E_USAGE", `${flag}: expected one number or three (r,g,b), found "${text}"`);
  };
}

/** A number as such; "1/255" is left to the card's schema, which knows what is allowed. */
function factor(text: string): string | number {
  return Number.isFinite(Number(text)) && text.trim() !== "" ? Number(text) : text;
}

const kebab = (flag: string) => flag.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
