// topofr demo: draws faces, trains the whole method on them, verifies people it has not seen before and after,
// and leaves a run folder with a report.

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { TopofrError } from "@topofr/formats";
import type { Command } from "commander";
import { describeEnvironment } from "../runs/environment.js";
import { readEventLog } from "../runs/eventLog.js";
import type { EventOfType } from "../runs/events.js";
import { formatDuration } from "../runs/progress.js";
import { createRunFolder } from "../runs/runFolder.js";
import { loadRecipe, parseSetArgument, type RecipeOverride } from "../train/recipeFile.js";
import { addCommand, collect, note, print, printJson } from "./command.js";
import { engineInfo, type WriteWorldOptions, writeRunReport, writeWorld } from "./engine.js";
import { countView } from "./progressView.js";
import { runTraining, trainingSummary } from "./train.js";

const RUN_NAME = "demo";
const TRAIN_WORLD: WriteWorldOptions = {
  seed: 1,
  identities: 80,
  imagesPerIdentity: 30,
  hardShare: 0.15,
  format: "jpg",
  quality: 95,
};
/** Other people: another seed. */
const TEST_WORLD: WriteWorldOptions = {
  ...TRAIN_WORLD,
  seed: 2,
  identities: 60,
  imagesPerIdentity: 10,
  pairs: { folds: 10, perFold: 60 },
};

interface DemoFlags {
  out: string;
  set: string[];
  json?: boolean;
}

export function addDemo(program: Command): void {
  addCommand(
    program,
    "demo",
    "Draw faces, train on them, and show what was learnt (about 5 minutes on two cores).",
    ["demo", "demo --set maxSteps=20"],
  )
    .option("--out <folder>", "folder that holds runs", "runs")
    .option("--set <key=value>", "change a key of recipes/demo.yaml; may be repeated", collect, [])
    .option("--json", "print the result as JSON")
    .action(demo);
}

async function demo(flags: DemoFlags): Promise<void> {
  const started = performance.now();
  const faces = {
    train: join(flags.out, "demo-faces", "train"),
    test: join(flags.out, "demo-faces", "test"),
  };
  const overrides: RecipeOverride[] = [
    { path: "data.path", value: faces.train, source: "demo" },
    { path: "evaluate.data", value: faces.test, source: "demo" },
    ...flags.set.map(parseSetArgument),
  ];
  const { recipe, text } = await loadRecipe(recipePath("demo.yaml"), overrides);
  const engine = await engineInfo();
  if ("problem" in engine) throw new TopofrError("E_SETUP", engine.problem);

  await drawFaces(faces.train, TRAIN_WORLD, "faces to train on");
  await drawFaces(faces.test, TEST_WORLD, "faces of other people");
  const run = await createRunFolder({
    root: flags.out,
    name: RUN_NAME,
    recipeText: text,
    config: recipe,
    environment: await describeEnvironment({
      seed: recipe.seed,
      commandLine: ["topofr", ...process.argv.slice(2)],
      torch: engine.info,
    }),
    overwrite: true, // a demo may be run again
  });
  const result = await runTraining(recipe, run, false);
  if (result.reason === "interrupted") return note(trainingSummary(run, result));
  const report = await writeRunReport(run);
  const { events } = readEventLog(run.events);
  const evaluations = events.filter((event) => event.type === "evaluation");
  const seconds = (performance.now() - started) / 1000;
  if (flags.json) {
    const [before, after] = [evaluations[0]?.metrics, evaluations.at(-1)?.metrics];
    return printJson({ run: run.path, ...result, seconds, before, after, report });
  }
  print(beforeAndAfter(evaluations));
  print(`\n${formatDuration(seconds)} in all; run folder ${run.path}; open ${report}`);
}

/** A table of the first and the last evaluation, a row a metric. Shares are in percent, the AUC is not. */
export function beforeAndAfter(evaluations: readonly EventOfType<"evaluation">[]): string {
  const [before, after] = [evaluations[0], evaluations.at(-1)];
  if (!before || !after) return "no evaluation was made";
  const rows = Object.keys(after.metrics).map((metric) => {
    const show = (value: number | undefined) =>
      value === undefined ? "-" : metric === "auc" ? value.toFixed(4) : `${(100 * value).toFixed(2)}%`;
    return [metric, show(before.metrics[metric]), show(after.metrics[metric])];
  });
  const table = [[`people not seen in training`, `step ${before.step}`, `step ${after.step}`], ...rows];
  const widths = [0, 1, 2].map((column) => Math.max(...table.map((row) => row[column]!.length)));
  return table
    .map((row) =>
      row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join("  "),
    )
    .join("\n");
}

async function drawFaces(folder: string, options: WriteWorldOptions, what: string): Promise<void> {
  const view = countView(what, "faces");
  const made = await writeWorld(folder, { ...options, overwrite: true }, view.onProgress).finally(view.close);
  if (made.reused) note(`${what}: already in ${folder}`);
}

/** A recipe of this repository: recipes/ lies beside packages/, four folders above dist/cli/. */
function recipePath(name: string): string {
  return fileURLToPath(new URL(`../../../../recipes/${name}`, import.meta.url));
}
