// topofr experiment: runs a plan (one of the paper's by name, or a file), goes on where it was stopped, and writes the table.
import { join } from "node:path";
import { TopofrError } from "@topofr/formats";
import type { Command } from "commander";
import { stringify } from "yaml";
import { cellsOf } from "../experiments/plan.js";
import { loadPlan, type PlanChanges } from "../experiments/planFile.js";
import { PAPER_PLANS } from "../experiments/plans/paperPlans.js";
import { parseSetArgument } from "../train/recipeFile.js";
import { addCommand, collect, EXIT_INTERRUPTED, note, print, printJson, wholeNumber } from "./command.js";
import { planCells, runExperiment, writeExperimentReport } from "./engine.js";
import { experimentView } from "./experimentView.js";
import { interruptible } from "./interrupt.js";

interface ExperimentFlags {
  recipe?: string;
  data?: string[];
  evalData?: string[];
  pairs?: string;
  out?: string;
  seeds?: number;
  set: string[];
  levels: string[];
  maxSteps?: number;
  jobs: number;
  reuse: string[];
  dryRun?: boolean;
  printPlan?: boolean;
  json?: boolean;
}

export function addExperiment(program: Command): void {
  addCommand(
    program,
    "experiment",
    "Run an experiment of the paper, or one of your own, and make its table.",
    [
      "experiment ablation --data faces --eval-data lfw --recipe recipes/experiment_small.yaml",
      "experiment mine.yaml --dry-run",
      "experiment report runs/experiments/ablation",
    ],
  )
    .argument("<plan>", `${PAPER_PLANS.map(({ name }) => name).join(", ")}; a plan file (.yaml); or report`)
    .argument("[folder]", "of report: the experiment's folder")
    .option("--recipe <file>", "start from this recipe instead of the plan's")
    .option("--data <folder...>", "training images; several are compared")
    .option("--eval-data <folder...>", "benchmarks that every finished run is evaluated on")
    .option("--pairs <file>", "pair list of the --eval-data folder (one)")
    .option("--out <folder>", "folder of the experiment (default: runs/experiments/<name>)")
    .option(
      "--seeds <n>",
      "seeds 1 to n instead of the plan's",
      wholeNumber("--seeds", { min: 1, max: 1000 }),
    )
    .option("--set <key=value>", "any recipe key, for all runs; may be repeated", collect, [])
    .option("--levels <axis=a,b>", "only these levels of an axis; may be repeated", collect, [])
    .option("--max-steps <n>", "stop each run after so many steps", wholeNumber("--max-steps", { min: 1 }))
    .option("--jobs <n>", "runs at a time, each a process", wholeNumber("--jobs", { min: 1, max: 64 }), 1)
    .option("--reuse <folder...>", "take finished runs of these experiments where they are the same", [])
    .option("--dry-run", "check the plan and list its runs; train nothing")
    .option("--print-plan", "print the plan as YAML, to change and give back, and stop")
    .option("--json", "print the outcome as JSON")
    .action(experiment);
}

async function experiment(
  planName: string,
  folder: string | undefined,
  flags: ExperimentFlags,
): Promise<void> {
  if (planName === "report") {
    if (folder === undefined)
      throw new TopofrError(
        "E_USAGE",
        "report: of which experiment? topofr experiment report runs/experiments/<name>",
      );
    return printReport(folder, flags);
  }
  if (folder !== undefined)
    throw new TopofrError("E_USAGE", `${folder}: one argument too many; --out chooses the folder`);
  const plan = await loadPlan(planName, changesOf(flags));
  if (flags.printPlan) return print(stringify(plan).trimEnd());
  const out = flags.out ?? join("runs", "experiments", plan.name);
  if (
    plan.benchmarks.length === 0 &&
    plan.measures.some((measure) => ["accuracy", "auc", "tar"].includes(measure))
  )
    note("warning: no benchmark: give --eval-data, or the table has no accuracies");
  const cells = await planCells(out, plan, flags.reuse);
  const finished = cells.filter(({ done }) => done).length;
  if (flags.dryRun) {
    if (flags.json)
      return printJson(
        cells.map(({ cell, done, reusable }) => ({
          ...{ id: cell.id, seed: cell.seed, row: cell.row.label, done },
          reuse: reusable?.path ?? null,
        })),
      );
    for (const { cell, done, reusable } of cells)
      print(`${done ? "done" : "    "}  ${cell.id}${reusable === null ? "" : `  from ${reusable.path}`}`);
    return print(`${cells.length} runs, ${finished} done; in ${out}`);
  }
  note(`${plan.title}: ${cellsOf(plan).length} runs, ${finished} done; in ${out}`);
  for (const { cell, reusable } of cells) if (reusable !== null) note(`${cell.id}: from ${reusable.path}`);
  const interrupt = interruptible("stopping after this step and saving");
  const view = experimentView(cells.length, finished, flags.jobs);
  const result = await runExperiment(out, plan, {
    jobs: flags.jobs,
    reuse: flags.reuse,
    signal: interrupt.signal,
    commandLine: ["topofr", ...process.argv.slice(2)],
    onCell: ({ id }, news) => view.onCell(id, news),
    onEvent: ({ id }, event) => view.onEvent(id, event),
  }).finally(() => {
    view.close();
    interrupt.release();
  });
  if (result.interrupted) process.exitCode = EXIT_INTERRUPTED;
  await printReport(out, flags);
  if (result.interrupted) note("stopped and saved; the same command goes on");
}

async function printReport(folder: string, { json = false }: ExperimentFlags): Promise<void> {
  const { outcome, markdown, report } = await writeExperimentReport(folder);
  if (json) return printJson({ folder, report, ...outcome });
  print(markdown.trimEnd());
  note(`report ${report}`);
}

function changesOf(flags: ExperimentFlags): PlanChanges {
  const { recipe, data, evalData, pairs, seeds, maxSteps } = flags;
  if (pairs !== undefined && evalData?.length !== 1)
    throw new TopofrError(
      "E_USAGE",
      `--pairs ${pairs}: belongs to one folder, --eval-data; found ${evalData?.length ?? 0}`,
    );
  const set = Object.fromEntries(
    flags.set.map((argument) => {
      const { path, value } = parseSetArgument(argument);
      return [path, value];
    }),
  );
  if (maxSteps !== undefined) set.maxSteps = maxSteps;
  return {
    set,
    levels: Object.fromEntries(flags.levels.map(parseLevels)),
    ...(recipe !== undefined && { recipe }),
    ...(data && { data }),
    ...(evalData && { benchmarks: evalData.map((path) => ({ path, pairs: pairs ?? null })) }),
    ...(seeds !== undefined && { seeds }),
  };
}

function parseLevels(argument: string): [string, string[]] {
  const at = argument.indexOf("=");
  const labels = argument
    .slice(at + 1)
    .split(",")
    .map((label) => label.trim());
  if (at < 1 || labels.includes(""))
    throw new TopofrError(
      "E_USAGE",
      `--levels ${argument}: expected axis=level,level, for example --levels method=ArcFace,TopoFR`,
    );
  return [argument.slice(0, at), labels];
}
