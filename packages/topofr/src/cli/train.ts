// topofr train: reads a recipe, makes or opens the run folder, trains, and says how to go on.

import { TopofrError } from "@topofr/formats";
import type { Command } from "commander";
import { stringify } from "yaml";
import { describeEnvironment } from "../runs/environment.js";
import { formatDuration } from "../runs/progress.js";
import {
  createRunFolder,
  listRuns,
  openRunFolder,
  type RunFolder,
  readConfig,
  recordResume,
} from "../runs/runFolder.js";
import { RESUMABLE_KEYS, type Recipe } from "../train/recipe.js";
import { loadRecipe, parseRecipe, type RecipeOverride } from "../train/recipeFile.js";
import { recipeKeys } from "../train/recipeKeys.js";
import { addCommand, EXIT_INTERRUPTED, note, print, printJson } from "./command.js";
import { engineInfo, type TrainResult, trainRun } from "./engine.js";
import { interruptible } from "./interrupt.js";
import { trainingView } from "./progressView.js";
import { addRecipeFlags, recipeOverrides } from "./recipeFlags.js";

interface TrainFlags {
  out: string;
  resume?: string | true;
  overwrite?: boolean;
  listKeys?: boolean;
  printConfig?: boolean;
  json?: boolean;
}

export function addTrain(program: Command): void {
  const command = addCommand(program, "train", "Train a network by a recipe, into a run folder.", [
    "train recipes/pins_mobilefacenet.yaml --data faces --name first",
    "train --data faces --network mobilefacenet --variant arcface --epochs 12",
    "train --resume runs/first",
  ]).argument("[recipe]", "YAML file; without it, the defaults and the flags make the recipe");
  addRecipeFlags(command)
    .option("--out <folder>", "folder that holds runs", "runs")
    .option("--resume [run]", "go on from the run's last checkpoint; without a folder, of the newest run")
    .option("--overwrite", "replace a run of the same name")
    .option("--print-config", "print the resolved recipe as YAML and stop")
    .option("--list-keys", "print every recipe key with its default and stop")
    .option("--json", "print the result as JSON")
    .action(async (recipe: string | undefined, flags: TrainFlags & Record<string, unknown>) => {
      if (flags.listKeys) return print(keyList());
      const overrides = recipeOverrides(flags);
      if (flags.resume !== undefined) return resume(recipe, flags, overrides);
      const loaded = await loadRecipe(recipe ?? null, overrides);
      for (const warning of loaded.warnings) note(`warning: ${warning}`);
      if (flags.printConfig) return print(stringify(loaded.recipe).trimEnd());
      const run = await createRunFolder({
        root: flags.out,
        name: loaded.recipe.name,
        recipeText: loaded.text,
        config: loaded.recipe,
        environment: await environment(loaded.recipe),
        overwrite: flags.overwrite ?? false,
      });
      note(`run folder ${run.path}`);
      printResult(run, await runTraining(loaded.recipe, run, false), flags);
    });
}

/** Trains with progress on standard error; prints no result. Ctrl-C saves, and sets the exit status. */
export async function runTraining(recipe: Recipe, run: RunFolder, resume: boolean): Promise<TrainResult> {
  const interrupt = interruptible("stopping after this step and saving");
  const view = trainingView({ maxMinutes: recipe.maxMinutes });
  try {
    const { signal } = interrupt;
    const result = await trainRun({ recipe, runFolder: run, resume, signal, onEvent: view.onEvent });
    if (result.reason === "interrupted") process.exitCode = EXIT_INTERRUPTED;
    return result;
  } finally {
    view.close();
    interrupt.release();
  }
}

function printResult(run: RunFolder, result: TrainResult, { json = false }: TrainFlags): void {
  if (json) printJson({ run: run.path, ...result });
  else print(trainingSummary(run, result));
}

async function resume(
  recipeFile: string | undefined,
  flags: TrainFlags,
  overrides: readonly RecipeOverride[],
): Promise<void> {
  if (recipeFile !== undefined)
    throw new TopofrError(
      "E_USAGE",
      `${recipeFile}: a resumed run goes on with its own recipe; leave the file out, or start a new run without --resume`,
    );
  const resumable: readonly string[] = RESUMABLE_KEYS;
  const fixed = overrides.filter(({ path }) => !resumable.includes(path));
  if (fixed.length > 0)
    throw new TopofrError(
      "E_USAGE",
      `${fixed.map(({ source }) => source).join(", ")}: cannot change in a resumed run, whose numbers would no longer be those of one run; only ${resumable.join(", ")} can. Start a new run instead`,
    );
  const run = await runToResume(flags);
  const { recipe } = parseRecipe(JSON.stringify(await readConfig(run)), run.config, overrides);
  await recordResume(run, await environment(recipe));
  note(`resuming ${run.path}`);
  printResult(run, await runTraining(recipe, run, true), flags);
}

async function runToResume({ resume, out }: TrainFlags): Promise<RunFolder> {
  if (typeof resume === "string") return openRunFolder(resume);
  const [newest] = await listRuns(out);
  if (!newest)
    throw new TopofrError("E_USAGE", `--resume: no runs in ${out}/; name one: --resume runs/<name>`);
  return newest;
}

async function environment({ seed }: Recipe) {
  const engine = await engineInfo();
  const torch = "info" in engine ? engine.info : null;
  return describeEnvironment({ seed, commandLine: ["topofr", ...process.argv.slice(2)], torch });
}

/** What came out, and the command that goes on from there. */
export function trainingSummary(run: RunFolder, result: TrainResult): string {
  const again = `topofr train --resume ${run.path}`;
  const done = `${result.step} steps, ${formatDuration(result.seconds)} in this session`;
  const lines =
    result.reason === "interrupted"
      ? [`saved at step ${result.step}; resume with ${again}`]
      : [
          result.reason === "finished" ? `finished: ${done}` : `stopped at ${result.reason}: ${done}`,
          ...(result.bestAccuracy === null
            ? []
            : [`best accuracy ${(100 * result.bestAccuracy).toFixed(2)}% on the evaluation pairs`]),
          ...(result.reason === "finished" ? [] : [`go on with ${again}`]),
          `evaluate with topofr evaluate ${run.path} --data <folder>`,
        ];
  return lines.join("\n");
}

/** One line a key: path, default, what it takes, what it is for. */
function keyList(): string {
  return recipeKeys()
    .filter(({ section }) => !section)
    .map(({ path, expected, default: value, description }) => {
      const standard = value === undefined ? "" : ` = ${JSON.stringify(value)}`;
      return `${path}${standard}\n    ${expected}${description ? `: ${description}` : ""}`;
    })
    .join("\n");
}
