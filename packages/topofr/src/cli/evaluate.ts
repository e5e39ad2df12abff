// topofr evaluate: models on benchmarks, with the rules of insightface's scripts. What an argument means: modelPath.ts; one model's
// evaluations: evaluations.ts; output files: outputFiles.ts; numbers and tables: evaluate/.

import { TopofrError } from "@topofr/formats";
import { type Command, Option } from "commander";
import type { Benchmark } from "../evaluate/benchmark.js";
import { openBenchmark } from "../evaluate/benchmarks/open.js";
import { curvesOf } from "../evaluate/compare.js";
import type { Evaluation } from "../evaluate/evaluateModel.js";
import { evaluationTables, rowNames } from "../evaluate/report.js";
import { isSavedPath } from "../evaluate/savedEmbeddings.js";
import { addCommand, note, print, printJson, wholeNumber } from "./command.js";
import { writeRocPicture } from "./engine.js";
import { type EvaluateFlags, evaluateOne, type Outputs } from "./evaluations.js";
import { findModel, type ModelPath } from "./modelPath.js";
import { arrayFiles, checkWritable, fileName, pictureFile } from "./outputFiles.js";

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
  const unlisted = benchmarks.filter(({ pairs }) => pairs === null);
  if (flags.scoresOut !== undefined && unlisted.length > 0)
    note(
      `--scores-out: ${unlisted.map(({ name }) => name).join(", ")}: all pairs of a group; no scores are kept`,
    );

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
