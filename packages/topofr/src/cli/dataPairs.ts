// topofr data pairs: image pairs into a .bin benchmark, and a .bin into a folder.

import { join } from "node:path";
import { TopofrError } from "@topofr/formats";
import type { Command } from "commander";
import { readPairs } from "../evaluate/pairs.js";
import { addCommand, note, print, printJson, wholeNumber } from "./command.js";
import { packPairs, unpackPairs } from "./engine.js";
import { type Interrupt, interruptible } from "./interrupt.js";
import { formatBytes } from "./openedData.js";
import { countView } from "./progressView.js";

interface PairsFlags {
  pairs?: string;
  size?: number;
  overwrite?: boolean;
  json?: boolean;
}

export function addPairs(data: Command): void {
  addCommand(data, "pairs", "Write image pairs as a .bin benchmark, or a .bin as a folder.", [
    "data pairs lfw lfw.bin",
    "data pairs photos mine.bin --pairs pairs_label.txt",
    "data pairs lfw.bin lfw",
  ])
    .argument("<from>", "folder of images, or a .bin")
    .argument("<to>", "a .bin, or a new folder")
    .option("--pairs <file>", "list of pairs (default: pairs.txt in the folder)")
    .option(
      "--size <pixels>",
      "scale and crop images that are not this high and wide (they should be aligned)",
      wholeNumber("--size", { min: 1, max: 4096 }),
    )
    .option("--overwrite", "replace what is there")
    .option("--json", "print what was written as JSON")
    .action(pairs);
}

async function pairs(from: string, to: string, flags: PairsFlags): Promise<void> {
  const unpacks = /\.bin$/i.test(from);
  if (unpacks === /\.bin$/i.test(to))
    throw new TopofrError(
      "E_USAGE",
      `expected a folder and a .bin, or a .bin and a folder, found ${from} and ${to}`,
    );
  const interrupt = interruptible("stopping");
  await (unpacks ? unpack : pack)(from, to, flags, interrupt).finally(interrupt.release);
}

async function pack(folder: string, bin: string, flags: PairsFlags, { signal }: Interrupt): Promise<void> {
  const list = flags.pairs ?? join(folder, "pairs.txt");
  const listed = await readPairs(list, folder);
  for (const warning of listed.warnings) note(`warning: ${warning}`);
  const view = countView("packing", "pairs");
  const packed = await packPairs(listed, bin, {
    size: flags.size ?? null,
    overwrite: flags.overwrite ?? false,
    signal,
    onProgress: view.onProgress,
  }).finally(view.close);
  const sizes = Object.keys(packed.sizes);
  if (sizes.some((size) => size !== "112x112"))
    note(
      `warning: images of ${sizes.slice(0, 5).join(", ")} pixels; benchmarks have aligned faces of 112x112`,
    );
  if (flags.json) return printJson({ folder, list, bin, ...packed });
  print(`${packed.pairs} pairs (${packed.same} same) in ${bin}, ${formatBytes(packed.bytes)} of images`);
  if (packed.encodedAgain > 0)
    print(`${packed.encodedAgain} images scaled and cropped to ${flags.size}x${flags.size}`);
}

async function unpack(bin: string, folder: string, flags: PairsFlags, { signal }: Interrupt): Promise<void> {
  for (const flag of ["pairs", "size"] as const) {
    if (flags[flag] !== undefined)
      throw new TopofrError(
        "E_USAGE",
        `--${flag}: is for writing a .bin; ${bin} has its pairs, and images are kept as they are`,
      );
  }
  const view = countView("unpacking", "pairs");
  const { pairs, same } = await unpackPairs(bin, folder, {
    overwrite: flags.overwrite ?? false,
    signal,
    onProgress: view.onProgress,
  }).finally(view.close);
  if (flags.json) return printJson({ bin, folder, pairs, same });
  print(`${pairs} pairs (${same} same) in ${folder}, listed in ${join(folder, "pairs.txt")}`);
}
