// topofr bench: how fast this machine trains or embeds with a network, and where the time goes. Needs no data set.

import { type Command, Option } from "commander";
import { NETWORKS } from "../models/names.js";
import type { Benchmark } from "../train/benchmark.js";
import { machineWarnings } from "../train/machineWarnings.js";
import type { Recipe } from "../train/recipe.js";
import { loadRecipe, parseSetArgument, type RecipeOverride } from "../train/recipeFile.js";
import type { StepProfile } from "../train/stepProfile.js";
import { addCommand, collect, note, print, printJson, wholeNumber } from "./command.js";
import { benchmark } from "./engine.js";
import { table } from "./table.js";

interface BenchFlags {
  recipe?: string;
  set: string[];
  classes: number;
  steps: number;
  warmup: number;
  inference?: boolean;
  profile?: boolean;
  json?: boolean;
}

/** Flags that stand for recipe keys. */
const RECIPE_KEYS: Readonly<Record<string, string>> = {
  network: "model.network",
  batch: "batchSize",
  precision: "precision",
  variant: "objective.variant",
  preset: "objective.preset",
  threads: "threads",
};

const SHOWN_OPERATORS = 25;
const MOST_SHAPES = 70; // characters

export function addBench(program: Command): void {
  addCommand(
    program,
    "bench",
    "Time training steps of a network on this machine, without a data set: images per second, memory, and where the time goes.",
    [
      "bench --network iresnet50 --batch 64 --precision bf16",
      "bench --network mobilefacenet --variant arcface --profile",
      "bench --recipe recipes/pins_mobilefacenet.yaml --steps 20 --json",
    ],
  )
    .option("--recipe <file>", "time what this recipe trains; flags change it")
    .option("--network <name>", `one of ${NETWORKS.join(", ")} (default: iresnet50)`)
    .option("--batch <n>", "images a step (default: 128)", wholeNumber("--batch", { min: 2 }))
    .addOption(
      new Option("--precision <name>", "of the network (default: fp32)").choices(["fp32", "bf16", "auto"]),
    )
    .option("--variant <name>", "the method, as of topofr train (default: all parts of the preset)")
    .option("--preset <name>", "paper, official or spherical (default: official)")
    .option("--threads <n>", "of the engine (default: all cores)", wholeNumber("--threads", { min: 1 }))
    .option("--set <key=value>", "any recipe key, as of topofr train; may be repeated", collect, [])
    .option("--classes <n>", "identities of the classifier", wholeNumber("--classes", { min: 1 }), 1000)
    .option("--steps <n>", "timed steps, of which the median counts", wholeNumber("--steps", { min: 1 }), 8)
    .option("--warmup <n>", "steps before them", wholeNumber("--warmup"), 2)
    .option("--inference", "time embedding instead of training steps")
    .option("--profile", "also profile one more step: its time by kind, and the slowest operators")
    .option("--json", "print the result as JSON")
    .action(async (flags: BenchFlags & Record<string, unknown>) => {
      const { recipe, warnings } = await loadRecipe(flags.recipe ?? null, overridesOf(flags));
      for (const warning of [...warnings, ...machineWarnings(recipe)]) note(`warning: ${warning}`);
      const { classes, steps, warmup, inference = false, profile = false, json = false } = flags;
      const result = await benchmark({ recipe, classes, steps, warmup }, { inference, profile });
      if (json) return printJson({ ...described(recipe), inference, ...result });
      print(timesText(recipe, inference, result));
      if (result.profile !== null) print(`\n${profileText(result.profile)}`);
    });
}

function overridesOf(flags: BenchFlags & Record<string, unknown>): RecipeOverride[] {
  const given = Object.entries(RECIPE_KEYS).filter(([flag]) => flags[flag] !== undefined);
  return [
    { path: "data.path", value: "none", source: "topofr bench" }, // required of a recipe, and never opened
    ...flags.set.map(parseSetArgument),
    ...given.map(([flag, path]) => ({ path, value: flags[flag], source: `--${flag}` })),
  ];
}

function described({ model, batchSize, accumulate, precision, objective, threads }: Recipe) {
  const { preset, variant } = objective;
  return { network: model.network, batchSize, accumulate, precision, preset, variant, threads };
}

function timesText(recipe: Recipe, inference: boolean, result: Benchmark): string {
  const { model, batchSize, accumulate, precision, objective, threads } = recipe;
  const method = inference ? "embedding" : `training ${objective.variant ?? ""} (preset ${objective.preset})`;
  const batches = accumulate > 1 ? `${accumulate} batches of ${batchSize}` : `batch ${batchSize}`;
  const parts = Object.entries(result.parts).map(([name, seconds]) => [
    name,
    milliseconds(seconds),
    percent(seconds / result.medianSeconds),
  ]);
  const { topologySeconds: topology } = result;
  const lines = [
    `${model.network}, ${method.replace("  ", " ")}, ${batches}, ${precision}, ${threads ?? "all"} threads`,
    `${result.imagesPerSecond.toFixed(1)} img/s, median step ${result.medianSeconds.toFixed(3)} s ` +
      `(${result.stepSeconds.length} steps, fastest ${Math.min(...result.stepSeconds).toFixed(3)} s), ` +
      `peak memory ${(result.peakResidentBytes / 1e9).toFixed(2)} GB`,
    "",
    table(["part", "ms", "share"], parts),
  ];
  if (topology !== null)
    lines.push(
      "",
      `topology alone, its gradient included (part of loss and backward): ${milliseconds(topology)} ms, ` +
        percent(topology / result.medianSeconds, 2),
    );
  return lines.join("\n");
}

function profileText({ seconds, kinds, operators }: StepProfile): string {
  const speed = (gflop: number | null) => (gflop === null ? "-" : gflop.toFixed(0));
  const byKind = kinds.map(({ kind, seconds: own, share, gflopPerSecond }) => [
    kind,
    milliseconds(own),
    percent(share),
    speed(gflopPerSecond),
  ]);
  const slowest = operators
    .slice(0, SHOWN_OPERATORS)
    .map(({ name, shapes, calls, seconds: own, share, gflopPerSecond }) => [
      milliseconds(own),
      percent(share),
      String(calls),
      speed(gflopPerSecond),
      name,
      shapes.length > MOST_SHAPES ? `${shapes.slice(0, MOST_SHAPES)}…` : shapes,
    ]);
  return [
    `one profiled step: ${seconds.toFixed(3)} s`,
    table(["kind", "ms", "share", "GFLOP/s"], byKind),
    "",
    `the slowest of ${operators.length} operators and shapes`,
    table(["ms", "share", "calls", "GFLOP/s", "operator", "shapes"], slowest),
  ].join("\n");
}

const milliseconds = (seconds: number): string => (seconds * 1000).toFixed(1);
const percent = (share: number, digits = 1): string => `${(100 * share).toFixed(digits)}%`;
