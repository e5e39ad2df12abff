// topofr analyze hard-samples: the images that damage the structure most (the paper's figure 8).

import type { Command } from "commander";
import { openRunFolder } from "../runs/runFolder.js";
import {
  addRunFlags,
  noteWarnings,
  outFolder,
  printFiles,
  type RunFlags,
  runRequest,
  withProgress,
} from "./analyzeFlags.js";
import { addCommand, print, printJson, wholeNumber } from "./command.js";
import { analyseHardSamples } from "./engine.js";
import { table } from "./table.js";

interface HardSampleFlags extends RunFlags {
  count: number;
  scored: number;
}

export function addHardSamples(analyze: Command): void {
  const command = addCommand(
    analyze,
    "hard-samples",
    "The images with the highest structure damage scores.",
    [
      "analyze hard-samples runs/topofr",
      "analyze hard-samples runs/topofr --count 48 --scored 20000 --out hard",
    ],
  )
    .argument("<run>", "run folder")
    .option("--count <n>", "images to show", wholeNumber("--count", { min: 1 }), 24)
    .option("--scored <n>", "images to score, drawn at random", wholeNumber("--scored", { min: 1 }), 2000);
  addRunFlags(command).action(hardSamples);
}

async function hardSamples(path: string, flags: HardSampleFlags): Promise<void> {
  const run = await openRunFolder(path);
  const report = await withProgress((onProgress) =>
    analyseHardSamples({
      ...runRequest(run, flags),
      count: flags.count,
      scored: flags.scored,
      out: outFolder(flags.out, run),
      onProgress,
    }),
  );
  noteWarnings(report.warnings);
  if (flags.json) return printJson(report);
  print(`${report.run}, step ${report.step}: ${report.samples} images of ${report.data} scored\n`);
  const rows = report.hardest.map(({ score, identity, image }) => [score.toFixed(4), identity, image]);
  print(table(["score", "identity", "image"], rows));
  printFiles(report.files);
}
