// topofr evaluate: verification of image pairs with a trained model.

import { join } from "node:path";
import { writeFileAtomic } from "@topofr/formats";
import type { Command } from "commander";
import { verificationTable } from "../evaluate/report.js";
import { addCommand, note, print, printJson, wholeNumber } from "./command.js";
import { evaluateModel } from "./engine.js";
import { interruptible } from "./interrupt.js";
import { findModel } from "./modelPath.js";
import { countView } from "./progressView.js";

interface EvaluateFlags {
  data: string;
  pairs?: string;
  network?: string;
  embeddingSize?: number;
  flip: boolean;
  resize?: boolean;
  batchSize: number;
  threads?: number;
  json?: boolean;
}

export function addEvaluate(program: Command): void {
  addCommand(program, "evaluate", "Verify image pairs: 10-fold accuracy, TAR at FAR, AUC.", [
    "evaluate runs/first --data lfw",
    "evaluate backbone.pt --network r50 --data lfw --pairs lfw/pairs.txt --json",
  ])
    .argument("<model>", "run folder (its best checkpoint, or the last), or a .safetensors, .pt or .pth file")
    .requiredOption("--data <folder>", "folder of the images that the pairs name")
    .option("--pairs <file>", "list of pairs (default: pairs.txt in that folder)")
    .option("--network <name>", "of a checkpoint file outside a run folder: iresnet50, mobilefacenet …")
    .option(
      "--embedding-size <n>",
      "of such a file, when not 512",
      wholeNumber("--embedding-size", { min: 1 }),
    )
    .option("--no-flip", "leave out the mirror images (faster, a little less accurate)")
    .option("--resize", "scale and crop images that are not 112x112 (they should be aligned)")
    .option("--batch-size <n>", "images a batch", wholeNumber("--batch-size", { min: 1 }), 64)
    .option("--threads <n>", "of the engine (default: all cores)", wholeNumber("--threads", { min: 1 }))
    .option("--json", "print the report as JSON")
    .action(evaluate);
}

async function evaluate(path: string, flags: EvaluateFlags): Promise<void> {
  const { network, embeddingSize } = flags;
  const model = await findModel(path, { network: network ?? null, embeddingSize: embeddingSize ?? null });
  const pairs = flags.pairs ?? join(flags.data, "pairs.txt");
  note(`${model.weights} (${model.network}), ${pairs}`);
  const interrupt = interruptible("stopping");
  const view = countView("embedding", "images");
  const report = await evaluateModel({
    weights: model.weights,
    network: model.network,
    embeddingSize: model.embeddingSize,
    data: flags.data,
    pairs,
    flip: flags.flip,
    resize: flags.resize ? "fit" : "error",
    batchSize: flags.batchSize,
    threads: flags.threads ?? null,
    signal: interrupt.signal,
    onProgress: view.onProgress,
  }).finally(() => {
    view.close();
    interrupt.release();
  });
  const name = setName(flags.data);
  const record = { model: model.weights, network: model.network, data: flags.data, pairs, flip: flags.flip };
  if (model.run) {
    const file = join(model.run.evaluation, `${name}${flags.flip ? "" : "-no-flip"}.json`);
    const text = `${JSON.stringify({ ...record, ...report }, null, 2)}\n`;
    await writeFileAtomic(file, [Buffer.from(text)]);
    note(`report kept as ${file}`);
  }
  if (flags.json) return printJson({ ...record, ...report });
  print(verificationTable([{ name, report }]));
  print(`${report.imagesPerSecond.toFixed(1)} img/s`);
}

/** "lfw" of "../data/lfw/", as a file name. */
function setName(folder: string): string {
  const last = folder
    .split(/[\\/]/)
    .filter((part) => part && part !== "." && part !== "..")
    .at(-1);
  return (last ?? "data").replace(/[^\w.-]/g, "_");
}
