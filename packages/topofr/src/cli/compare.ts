// topofr compare: reports that topofr evaluate kept, in one table and one ROC picture.

import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { TopofrError } from "@topofr/formats";
import type { Command } from "commander";
import { curvesOf, distinguish, readEvaluations } from "../evaluate/compare.js";
import type { Evaluation } from "../evaluate/evaluateModel.js";
import { evaluationTables } from "../evaluate/report.js";
import { isRunFolder, openRunFolder, type RunFolder } from "../runs/runFolder.js";
import { addCommand, note, print, printJson } from "./command.js";
import { writeRocPicture } from "./engine.js";
import { pictureFile } from "./outputFiles.js";

interface CompareFlags {
  roc?: string;
  json?: boolean;
}

export function addCompare(program: Command): void {
  addCommand(program, "compare", "Compare reports of evaluate in one table and one ROC picture.", [
    "compare runs/baseline runs/topofr --roc roc.png",
    "compare runs/topofr arcface.json",
  ])
    .argument("<run-or-report...>", "run folders (all reports in evaluation/), or files of evaluate --json")
    .option("--roc <file>", "also draw all curves in one picture (.svg or .png)", pictureFile("--roc"))
    .option("--json", "print the reports as a JSON list")
    .action(compare);
}

async function compare(paths: string[], flags: CompareFlags): Promise<void> {
  const read: Evaluation[] = [];
  for (const path of paths)
    read.push(
      ...((await isRunFolder(path)) ? await readRun(await openRunFolder(path)) : await readEvaluations(path)),
    );
  const evaluations = distinguish(read);
  if (flags.roc !== undefined) {
    await writeRocPicture(flags.roc, curvesOf(evaluations));
    note(`ROC drawn as ${flags.roc}`);
  }
  if (flags.json) return printJson(evaluations);
  print(evaluationTables(evaluations));
}

/** Every report in the run's evaluation/, by name. */
async function readRun(run: RunFolder): Promise<Evaluation[]> {
  const names = (await readdir(run.evaluation).catch((): string[] => [])).filter((name) =>
    name.endsWith(".json"),
  );
  if (names.length === 0)
    throw new TopofrError(
      "E_DATA",
      `${run.path}: no reports in evaluation/; make some with topofr evaluate ${run.path} --data <benchmark>`,
    );
  const reports = await Promise.all(names.sort().map((name) => readEvaluations(join(run.evaluation, name))));
  return reports.flat();
}
