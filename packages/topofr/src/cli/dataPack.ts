// topofr data pack: a data set from one form into another.

import { TopofrError } from "@topofr/formats";
import { type Command, Option } from "commander";
import { formatOfPath, PACK_FORMATS, type PackFormat } from "../data/pack/packFormat.js";
import { addCommand, note, print, printJson, wholeNumber } from "./command.js";
import { type PackOptions, packDataset } from "./engine.js";
import { interruptible } from "./interrupt.js";
import { formatBytes, noteSome, openDataForCommand } from "./openedData.js";
import { countView } from "./progressView.js";

interface PackFlags {
  format?: PackFormat;
  size?: number;
  shardImages?: number;
  shuffle?: number;
  skipBroken?: boolean;
  overwrite?: boolean;
  cache: boolean;
  json?: boolean;
}

export function addPack(data: Command): void {
  addCommand(data, "pack", "Copy a data set into another form; images stay as they are, byte for byte.", [
    "data pack faces faces-rec --format recordio",
    "data pack faces faces.tar --shard-images 10000",
    "data pack faces_emore faces",
  ])
    .argument("<from>", "image folder, .rec or its folder, .tar, folder or pattern of .tar files")
    .argument("<to>", ".rec, .tar, or a new folder")
    .addOption(
      new Option(
        "--format <name>",
        "of the target (default: by its ending; folder, unless <from> is one)",
      ).choices(PACK_FORMATS),
    )
    .option(
      "--size <pixels>",
      "scale and crop images that are not this high and wide (they should be aligned)",
      wholeNumber("--size", { min: 1, max: 4096 }),
    )
    .option(
      "--shard-images <n>",
      "images a tar file (default: all in one)",
      wholeNumber("--shard-images", { min: 1 }),
    )
    .option("--shuffle <seed>", "in random order (default: person after person)", wholeNumber("--shuffle"))
    .option("--skip-broken", "leave out images that cannot be read, and name them")
    .option("--overwrite", "replace what is there")
    .option("--no-cache", "neither use nor keep the listing of <from>")
    .option("--json", "print what was written as JSON")
    .action(pack);
}

async function pack(from: string, to: string, flags: PackFlags): Promise<void> {
  const dataset = await openDataForCommand(from, { cache: flags.cache });
  const format = flags.format ?? formatOfPath(to) ?? (dataset.kind === "folder" ? null : "folder");
  if (format === null) {
    throw new TopofrError(
      "E_USAGE",
      `${to}: which format? End the name with .rec or .tar, or add --format recordio (a folder with train.rec)`,
    );
  }
  const interrupt = interruptible("stopping");
  const view = countView("packing", "images");
  const options: PackOptions = {
    format,
    size: flags.size ?? null,
    shardImages: flags.shardImages ?? null,
    shuffleSeed: flags.shuffle ?? null,
    skipBroken: flags.skipBroken ?? false,
    overwrite: flags.overwrite ?? false,
    signal: interrupt.signal,
    onProgress: view.onProgress,
  };
  const packed = await packDataset(dataset, to, options).finally(() => {
    view.close();
    interrupt.release();
  });
  if (flags.json) return printJson({ from, to, ...packed });
  noteSome(packed.broken, "images left out");
  const { images, identities, bytes, seconds, paths } = packed;
  const rate = (images / Math.max(seconds, 1e-3)).toFixed(0);
  print(`${images} images of ${identities} people, ${formatBytes(bytes)}, ${rate} img/s`);
  if (packed.encodedAgain > 0)
    print(`${packed.encodedAgain} of them scaled and cropped to ${flags.size}x${flags.size}`);
  if (packed.withoutImages > 0 && format === "folder")
    note(
      `${packed.withoutImages} people without images are not in the folder; the labels of those behind them change`,
    );
  const shown = paths.length > 4 ? [paths[0]!, `… ${paths.length} files …`, paths.at(-1)!] : paths;
  print(shown.join("\n"));
}
