// topofr analyze entropy: entropies of right and wrong predictions with the fitted mixture (the paper's figure 4).

import type { Command } from "commander";
import type { EntropyGroup } from "../experiments/analysis/runAnalyses.js";
import type { PictureFormat } from "../experiments/analysis/saveFiles.js";
import { openRunFolder } from "../runs/runFolder.js";
import {
  addRunFlags,
  noteWarnings,
  outFolder,
  printFiles,
  type RunFlags,
  runRequest,
  withProgress,
  words,
} from "./analyzeFlags.js";
import { addCommand, print, printJson, wholeNumber } from "./command.js";
import { analyseEntropy } from "./engine.js";
import { table } from "./table.js";

interface EntropyFlags extends RunFlags {
  count: number;
  format: PictureFormat[];
}

export function addEntropy(analyze: Command): void {
  const command = addCommand(
    analyze,
    "entropy",
    "Entropies of right and wrong predictions, with the fitted Gaussian-uniform mixture.",
    ["analyze entropy runs/topofr", "analyze entropy runs/topofr --checkpoint last --count 5000 --json"],
  )
    .argument("<run>", "run folder; its classifier predicts")
    .option("--count <n>", "images, drawn at random", wholeNumber("--count", { min: 1 }), 2000)
    .option("--format <list>", "of pictures: svg,png", words("--format", ["svg", "png"]), ["svg", "png"]);
  addRunFlags(command).action(entropy);
}

async function entropy(path: string, flags: EntropyFlags): Promise<void> {
  const run = await openRunFolder(path);
  const report = await withProgress((onProgress) =>
    analyseEntropy({
      ...runRequest(run, flags),
      count: flags.count,
      pictures: flags.format,
      out: outFolder(flags.out, run),
      onProgress,
    }),
  );
  noteWarnings(report.warnings);
  if (flags.json) return printJson(report);
  const short = (value: number | null) => (value === null ? "-" : String(Number(value.toPrecision(4))));
  const row = (name: string, { count, meanEntropy, meanHard, hardShare }: EntropyGroup) => [
    name,
    String(count),
    short(meanEntropy),
    short(meanHard),
    short(hardShare),
  ];
  print(`${report.run}, step ${report.step}: ${report.samples} images of ${report.data}\n`);
  print(
    table(
      [
        "prediction",
        "images",
        "mean entropy (nats)",
        "mean posterior of being hard",
        "share with it above 1/2",
      ],
      [row("right", report.right), row("wrong", report.wrong)],
    ),
  );
  const { mixing, variance, deviation, iterations } = report.mixture;
  print(
    `\nmixture: Gaussian share ${short(mixing)}, standard deviation ${short(Math.sqrt(variance) * deviation)} nats, ${iterations} iterations`,
  );
  printFiles(report.files);
}
