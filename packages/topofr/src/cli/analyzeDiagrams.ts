// topofr analyze diagrams: persistence diagrams, barcodes and Betti curves of images, embeddings or points (the paper's figure 1).

import { TopofrError } from "@topofr/formats";
import { type Command, Option } from "commander";
import type { DiagramReport } from "../experiments/analysis/diagramAnalysis.js";
import type { Degree } from "../experiments/analysis/diagrams.js";
import { POINT_FORMATS, type PointFormat } from "../experiments/analysis/pointFile.js";
import type { DiagramFormat, PictureFormat } from "../experiments/analysis/saveFiles.js";
import {
  noteWarnings,
  openModel,
  outFolder,
  printFiles,
  wholeNumbers,
  withProgress,
  words,
} from "./analyzeFlags.js";
import { addCommand, print, printJson, realNumber, wholeNumber } from "./command.js";
import { analyseDiagrams } from "./engine.js";
import { findModel } from "./modelPath.js";
import { table } from "./table.js";

interface DiagramFlags {
  model?: string;
  network?: string;
  embeddingSize?: number;
  card?: string;
  raw?: boolean;
  count?: number[];
  maxDimension: Degree;
  threshold?: number;
  metric: "euclidean" | "cosine";
  input?: PointFormat;
  landmarks?: number;
  subsamples?: number;
  sampleSize?: number;
  exact?: boolean;
  out?: string;
  format: PictureFormat[];
  save: DiagramFormat[];
  resize?: boolean;
  batchSize: number;
  seed: number;
  threads?: number;
  json?: boolean;
}

export function addDiagrams(analyze: Command): void {
  addCommand(
    analyze,
    "diagrams",
    "Persistence of images, embeddings or points: diagrams, barcodes, Betti curves.",
    [
      "analyze diagrams faces --count 1000,5000",
      "analyze diagrams faces --model runs/topofr --max-dimension 2 --count 500",
      "analyze diagrams faces --count 20000 --landmarks 1500",
      "analyze diagrams faces --count 20000 --subsamples 50 --sample-size 500",
      "analyze diagrams points.npy --metric cosine --save csv,dipha --json",
      "analyze diagrams distances.txt --input lower-distance",
    ],
  )
    .argument(
      "<data>",
      "images (folder, .rec, .tar, .bin, IJB folder), or points: .npy, .npz, .csv, .txt of a point a line",
    )
    .option("--model <path>", "of its embeddings, not of the pixels: run folder, checkpoint or .onnx file")
    .option("--network <name>", "of a checkpoint file outside a run folder: iresnet50, mobilefacenet …")
    .option(
      "--embedding-size <n>",
      "of such a file, when not 512",
      wholeNumber("--embedding-size", { min: 1 }),
    )
    .option("--card <file>", "model card of an .onnx file (default: <model>.card.yaml beside it)")
    .option("--raw", "embeddings as the network gives them, not scaled to length 1")
    .option(
      "--count <n,…>",
      "how many, drawn at random; each size holds the smaller ones (default: 1000 images, all points of a file)",
      wholeNumbers("--count"),
    )
    .option(
      "--max-dimension <n>",
      "highest degree, 0 to 3; cost rises steeply",
      wholeNumber("--max-dimension", { max: 3 }),
      1,
    )
    .option("--threshold <scale>", "larger scales are not looked at", realNumber("--threshold"))
    .addOption(
      new Option("--metric <name>", "distance of two points")
        .choices(["euclidean", "cosine"])
        .default("euclidean"),
    )
    .addOption(new Option("--input <format>", "what a file of points holds").choices(POINT_FORMATS))
    .option(
      "--landmarks <n>",
      "degrees 1 and up of so many landmarks, with their bound (default: when there are too many points)",
      wholeNumber("--landmarks", { min: 2 }),
    )
    .option(
      "--subsamples <k>",
      "bands of Betti curves over so many samples instead",
      wholeNumber("--subsamples", { min: 2 }),
    )
    .option("--sample-size <n>", "points of such a sample", wholeNumber("--sample-size", { min: 2 }))
    .option("--exact", "all points, however long it takes")
    .option("--resize", "scale and crop images that are not 112x112")
    .option("--batch-size <n>", "images a batch", wholeNumber("--batch-size", { min: 1 }), 64)
    .option("--seed <n>", "of the drawing", wholeNumber("--seed"), 2048)
    .option("--threads <n>", "of the engine (default: all cores)", wholeNumber("--threads", { min: 1 }))
    .option("--out <folder>", "where files go (default: diagrams/ of the model's run, or ./analysis)")
    .option("--format <list>", "of pictures: svg,png", words("--format", ["svg", "png"]), ["svg", "png"])
    .option(
      "--save <list>",
      "formats of the diagrams: npz,csv,dipha",
      words("--save", ["npz", "csv", "dipha"]),
      ["npz"],
    )
    .option("--json", "print the summary as JSON")
    .action(diagrams);
}

async function diagrams(data: string, flags: DiagramFlags): Promise<void> {
  checkFlags(flags);
  const { model: path, card, threads } = flags;
  const given = { network: flags.network ?? null, embeddingSize: flags.embeddingSize ?? null };
  const model = path === undefined ? null : await findModel(path, given);
  const embedder = model && (await openModel(model, { ...(card && { card }), ...(threads && { threads }) }));
  const { count, input, json, resize, raw = false, format, out, ...rest } = flags;
  let report: DiagramReport;
  try {
    report = await withProgress((onProgress) =>
      analyseDiagrams({
        ...rest,
        onProgress,
        data,
        embedder,
        raw,
        counts: count ?? null,
        format: input ?? null,
        resize: resize ? "fit" : "error",
        pictures: format,
        out: outFolder(out, model?.kind === "checkpoint" ? model.run : null),
      }),
    );
  } finally {
    await embedder?.close();
  }
  noteWarnings(report.warnings);
  if (json) return printJson(report);
  printReport(report);
}

/** What contradicts itself, before anything is opened. */
function checkFlags(flags: DiagramFlags): void {
  const { model, landmarks, subsamples, sampleSize, exact, count } = flags;
  const refuse = (message: string) => {
    throw new TopofrError("E_USAGE", message);
  };
  const methods = Object.entries({ "--landmarks": landmarks, "--subsamples": subsamples, "--exact": exact })
    .filter(([, value]) => value !== undefined)
    .map(([flag]) => flag);
  if (methods.length > 1) refuse(`${methods.join(" and ")}: choose one`);
  if (sampleSize !== undefined && subsamples === undefined)
    refuse("--sample-size: goes with --subsamples, how many samples");
  const smallest = count?.[0] ?? Infinity;
  if (sampleSize !== undefined && sampleSize > smallest)
    refuse(`--sample-size: ${sampleSize} points cannot be drawn from the ${smallest} of --count`);
  for (const flag of ["network", "embeddingSize", "card", "raw"] as const)
    if (flags[flag] !== undefined && model === undefined)
      refuse(`--${flag === "embeddingSize" ? "embedding-size" : flag}: goes with --model`);
}

function printReport({ space, engine, summary, sizes, files }: DiagramReport): void {
  print(`${space} (${engine} core)\n`);
  if (summary.length > 0) {
    const short = (value: number | undefined) =>
      value === undefined ? "-" : String(Number(value.toPrecision(4)));
    const rows = summary.map(({ count, dimension, bars, essential, lengths, entropy, method, bound }) => [
      String(count),
      String(dimension),
      String(bars),
      String(essential),
      short(lengths?.max),
      short(lengths?.median),
      short(entropy),
      bound === null ? method : `${method}, 2r = ${short(bound)}`,
    ]);
    print(table(["points", "degree", "bars", "never die", "longest", "median", "entropy", "method"], rows));
  }
  for (const { count, seconds, notes } of sizes) {
    print(`\n${count} points: ${seconds.toFixed(1)} s`);
    for (const line of notes) print(`  ${line}`);
  }
  printFiles(files);
}
