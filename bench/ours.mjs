// Times steps of this project, in a process of its own; prints one JSON line. The counterpart of reference/step.py. A training
// step is the one that `topofr train` does, on a random batch that stays in memory.
import { parseOptions, positive, STEP_OPTIONS } from "./options.mjs";

const HELP = `Usage: node bench/ours.mjs [options], which bench/suite.mjs does

  --network iresnet18  --batch 32  --classes 1000  --precision fp32|bf16  --objective arcface|topofr
  --steps 5  --warmup 2  --threads N  --seed 2048  --inference
`;
const values = parseOptions(STEP_OPTIONS, HELP);

const { buildInfo } = await import("@topofr/torch");
const { benchmarkInference, benchmarkTraining } = await import("../packages/topofr/dist/train/benchmark.js");
const { parseRecipe } = await import("../packages/topofr/dist/train/recipeFile.js");

const keys = {
  "data.path": "none",
  "model.network": values.network,
  "objective.preset": "official",
  "objective.variant": values.objective,
  batchSize: positive(values, "batch"),
  precision: values.precision,
  seed: positive(values, "seed"),
  threads: values.threads === undefined ? null : positive(values, "threads"),
};
const overrides = Object.entries(keys).map(([path, value]) => ({ path, value, source: path }));
const request = {
  recipe: parseRecipe("", "benchmark", overrides).recipe,
  classes: positive(values, "classes"),
  steps: positive(values, "steps"),
  warmup: Number(values.warmup),
};
const result = await (values.inference ? benchmarkInference(request) : benchmarkTraining(request));
process.stdout.write(`${JSON.stringify({ version: buildInfo().version, ...result })}\n`);
