// topofr data align: faces onto the ArcFace template, by landmarks from a file.

import { type Command, Option } from "commander";
import { readLandmarkFile } from "../data/landmarkFile.js";
import { addCommand, print, printJson } from "./command.js";
import { alignFolder } from "./engine.js";
import { interruptible } from "./interrupt.js";
import { noteSome } from "./openedData.js";
import { countView } from "./progressView.js";

interface AlignFlags {
  landmarks: string;
  format: "jpg" | "png";
  overwrite?: boolean;
  json?: boolean;
}

export function addAlign(data: Command): void {
  addCommand(data, "align", "Align faces to 112x112 by five landmarks each, into another folder.", [
    "data align photos faces --landmarks landmarks.txt",
  ])
    .argument("<folder>", "images, in folders however deep")
    .argument("<out>", "new folder for the aligned faces, in the same folders inside")
    .requiredOption(
      "--landmarks <file>",
      'lines "path x1 y1 … x5 y5" (eyes, nose, mouth corners, left to right), or JSON lines; paths relative to the folder',
    )
    .addOption(
      new Option("--format <name>", "jpg (quality 95) or png (without loss)")
        .choices(["jpg", "png"])
        .default("jpg"),
    )
    .option("--overwrite", "begin again in a folder that a stopped command has left")
    .option("--json", "print what was done as JSON")
    .action(align);
}

async function align(folder: string, out: string, flags: AlignFlags): Promise<void> {
  const landmarks = await readLandmarkFile(flags.landmarks);
  const interrupt = interruptible("stopping");
  const view = countView("aligning", "images");
  const aligned = await alignFolder(folder, out, {
    landmarks,
    format: flags.format,
    overwrite: flags.overwrite ?? false,
    signal: interrupt.signal,
    onProgress: view.onProgress,
  }).finally(() => {
    view.close();
    interrupt.release();
  });
  const { invalid, duplicates } = landmarks;
  if (flags.json) return printJson({ folder, out, ...aligned, invalid, duplicates });
  noteSome(invalid, "lines of landmarks that cannot be used");
  noteSome(duplicates, "lines about images that have landmarks already");
  noteSome(aligned.missing, "images with landmarks are not there");
  noteSome(aligned.withoutLandmarks, "images without landmarks skipped");
  noteSome(aligned.failed, "images that cannot be aligned skipped");
  const rate = (aligned.images / Math.max(aligned.seconds, 1e-3)).toFixed(0);
  print(`${aligned.images} faces aligned into ${out}, ${rate} img/s`);
  const skipped = aligned.withoutLandmarks.length + aligned.failed.length;
  if (skipped > 0) print(`${skipped} images skipped`);
}
