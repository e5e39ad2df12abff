// One cell of an experiment: its recipe, what its run folder already holds, and the work that is left (train, then evaluate the last
// checkpoint). Which cells, in what order: runner.ts.
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { TopofrError, writeFileAtomic } from "@topofr/formats";
import { openBenchmark } from "../evaluate/benchmarks/open.js";
import { openTorchEmbedder } from "../evaluate/embedderTorch.js";
import { type Evaluation, evaluateModel } from "../evaluate/evaluateModel.js";
import { describeEnvironment } from "../runs/environment.js";
import { readEventLog } from "../runs/eventLog.js";
import type { LoggedEvent } from "../runs/events.js";
import {
  checkpointPaths,
  createRunFolder,
  isRunFolder,
  type RunFolder,
  readConfig,
  recordResume,
  runPaths,
} from "../runs/runFolder.js";
import { trainRun } from "../train/loop.js";
import type { Recipe } from "../train/recipe.js";
import { valueAt } from "../train/recipeErrors.js";
import { type LoadedRecipe, loadRecipe, type RecipeOverride } from "../train/recipeFile.js";
import { takesWholeNumbers } from "../train/recipeKeys.js";
import type { DiscrepancySummary } from "./analysis/discrepancyFigures.js";
import { type BenchmarkChoice, benchmarkName, type Cell, isMultiple, type Plan } from "./plan.js";
import { measurePlanDiscrepancy } from "./planDiscrepancy.js";
import { changedSettings } from "./runSettings.js";

const EMBEDDED_AT_ONCE = 64;
const DISCREPANCY = "discrepancy";

/** An evaluation as a cell keeps it: of the last checkpoint, at `step`. */
export type CellEvaluation = Evaluation & { step: number };

/** What a cell's run folder holds. */
export type CellState =
  | { kind: "new" | "started" }
  /** `missing`: benchmarks not evaluated yet, by their place in the plan; `discrepancy` likewise. */
  | { kind: "trained"; step: number; missing: BenchmarkChoice[]; discrepancy: boolean }
  | { kind: "diverged"; step: number; message: string };

export interface CellOptions {
  /** Of the engine; null: the recipe's. */
  threads: number | null;
  signal: AbortSignal;
  commandLine: readonly string[];
  onEvent(event: LoggedEvent): void;
}

export const cellRun = (folder: string, cell: Cell): RunFolder => runPaths(join(folder, "runs", cell.id));

/** @throws E_RECIPE, E_FILE naming the level that is wrong */
export async function cellRecipe(plan: Plan, cell: Cell): Promise<LoadedRecipe> {
  const source = `plan ${plan.name}`;
  const settings = Object.entries({ ...plan.set, ...cell.row.set });
  const ownEvaluation = settings.some(([key]) => key.startsWith("evaluate."));
  const off = { data: null, pairs: null, everySteps: null, atStart: false };
  const setting = ([path, value]: [string, unknown]): RecipeOverride => ({
    path,
    value,
    source: `${source}, ${cell.row.label}`,
  });
  const overrides: RecipeOverride[] = [
    ...(ownEvaluation ? [] : [{ path: "evaluate", value: off, source }]),
    ...(plan.data[0] === undefined ? [] : [{ path: "data.path", value: plan.data[0], source: "--data" }]),
    ...settings.filter(([, value]) => !isMultiple(value)).map(setting),
    { path: "seed", value: cell.seed, source },
    { path: "name", value: cell.id, source },
  ];
  const loaded = await loadRecipe(plan.recipe, overrides);
  const multiples = settings.flatMap(([path, value]): RecipeOverride[] => {
    if (!isMultiple(value)) return [];
    const own = valueAt(loaded.recipe, path.split("."));
    if (typeof own === "number") return [setting([path, multiple(path, own * value.times)])];
    if (own === undefined || own === null) return []; // of a part that the variant has not
    throw new TopofrError(
      "E_RECIPE",
      `${source}, ${cell.row.label}: ${path} is ${JSON.stringify(own)}, of which there are no multiples`,
    );
  });
  return multiples.length === 0 ? loaded : loadRecipe(plan.recipe, [...overrides, ...multiples]);
}

/** 25/30 of 30 epochs are 25, not 25.000000000000004, and of 4 they are 3. */
function multiple(path: string, product: number): number {
  if (takesWholeNumbers(path.split("."))) return Math.max(1, Math.round(product));
  return Number(product.toPrecision(12));
}

/**
 * Looks at the run folder.
 *
 * @throws E_USAGE when it holds a run of other settings: the plan has changed
 */
export async function cellState(folder: string, plan: Plan, cell: Cell): Promise<CellState> {
  const run = cellRun(folder, cell);
  if (!(await isRunFolder(run.path))) return { kind: "new" };
  const { recipe } = await cellRecipe(plan, cell);
  const changes = changedSettings(await readConfig(run), recipe);
  if (changes.length > 0)
    throw new TopofrError(
      "E_USAGE",
      `${run.path}: the plan has changed since this run: ${changes.join("; ")}. Give another --out, or remove that folder`,
    );
  if (!existsSync(run.events)) return { kind: "new" };
  const end = readEventLog(run.events).events.findLast(({ type }) => type === "end");
  if (!existsSync(checkpointPaths(run, "last").weights) && end?.type !== "end") return { kind: "new" };
  if (end?.type !== "end") return { kind: "started" };
  if (end.reason === "diverged") return { kind: "diverged", step: end.step, message: end.message ?? "" };
  const enough =
    end.reason === "finished" || (end.reason === "maxSteps" && end.step >= (recipe.maxSteps ?? Infinity));
  if (!enough)
    return existsSync(checkpointPaths(run, "last").weights) ? { kind: "started" } : { kind: "new" };
  const kept = await cellEvaluations(run, end.step);
  const missing = plan.benchmarks.filter(
    ({ path, pairs }) => !kept.some((one) => one.data === path && one.pairList === pairs),
  );
  const discrepancy = plan.discrepancy !== null && (await cellDiscrepancy(run, end.step)) === null;
  return { kind: "trained", step: end.step, missing, discrepancy };
}

export const isDone = (state: CellState): boolean =>
  state.kind === "diverged" || (state.kind === "trained" && state.missing.length === 0 && !state.discrepancy);

/** Does what is left. @returns what it came to; "interrupted" when the signal stopped it */
export async function runCell(
  folder: string,
  plan: Plan,
  cell: Cell,
  { threads, signal, commandLine, onEvent }: CellOptions,
): Promise<"done" | "diverged" | "interrupted"> {
  const run = cellRun(folder, cell);
  const loaded = await cellRecipe(plan, cell);
  const recipe = { ...loaded.recipe, threads: threads ?? loaded.recipe.threads };
  let state = await cellState(folder, plan, cell);
  if (state.kind === "new" || state.kind === "started") {
    const environment = await describeEnvironment({ seed: cell.seed, commandLine, torch: null });
    if (state.kind === "started") await recordResume(run, environment);
    else
      await createRunFolder({
        root: join(folder, "runs"),
        name: cell.id,
        recipeText: loaded.text,
        config: loaded.recipe,
        environment,
        overwrite: true, // what is there has no checkpoint
      });
    try {
      const resume = state.kind === "started";
      const { reason } = await trainRun({ recipe, runFolder: run, resume, signal, onEvent });
      if (reason === "interrupted" || reason === "maxMinutes") return "interrupted";
    } catch (error) {
      if (error instanceof TopofrError && error.code === "E_DIVERGED") return "diverged"; // a result, not a failure
      throw error;
    }
    state = await cellState(folder, plan, cell);
  }
  if (state.kind !== "trained") return "diverged";
  try {
    for (const [index, choice] of plan.benchmarks.entries()) {
      signal.throwIfAborted();
      if (state.missing.includes(choice))
        await evaluate(run, recipe, plan, { step: state.step, choice, index, signal });
    }
    signal.throwIfAborted();
    if (state.discrepancy) await measure(run, recipe, state.step, plan);
    return "done";
  } catch (error) {
    if (signal.aborted) return "interrupted";
    throw error;
  }
}

/** The kept evaluations of the checkpoint at `step`, in the plan's order. */
export async function cellEvaluations(run: RunFolder, step: number): Promise<CellEvaluation[]> {
  const found: CellEvaluation[] = [];
  for (let index = 0; ; index++) {
    const kept = await readKept<CellEvaluation>(run, `benchmark${index + 1}`);
    if (kept === null) return found;
    if (kept.step === step) found.push(kept);
  }
}

export async function cellDiscrepancy(run: RunFolder, step: number): Promise<DiscrepancySummary[] | null> {
  const kept = await readKept<{ step: number; summary: DiscrepancySummary[] }>(run, DISCREPANCY);
  return kept?.step === step ? kept.summary : null;
}

async function evaluate(
  run: RunFolder,
  recipe: Recipe,
  plan: Plan,
  work: { step: number; choice: BenchmarkChoice; index: number; signal: AbortSignal },
): Promise<void> {
  const { step, choice, index, signal } = work;
  const benchmark = await openBenchmark(choice.path, { pairs: choice.pairs });
  const embedder = await openLast(run, recipe);
  try {
    const { report, imagesPerSecond } = await evaluateModel(embedder, benchmark, {
      flip: true,
      batchSize: EMBEDDED_AT_ONCE,
      resize: recipe.data.resize,
      signal,
    });
    const evaluation: CellEvaluation = {
      model: run.name,
      source: checkpointPaths(run, "last").weights,
      network: recipe.model.network,
      benchmark: benchmarkName(plan, choice, benchmark.name),
      data: choice.path,
      pairList: choice.pairs,
      flip: true,
      imagesPerSecond,
      warnings: benchmark.warnings,
      ...report,
      step,
    };
    await keep(run, `benchmark${index + 1}`, evaluation);
  } finally {
    await embedder.close();
  }
}

async function measure(run: RunFolder, recipe: Recipe, step: number, plan: Plan): Promise<void> {
  const { alignment } = recipe.objective;
  const model = { name: run.name, step, alignment, open: () => openLast(run, recipe) };
  await keep(run, DISCREPANCY, { step, summary: await measurePlanDiscrepancy(plan, recipe, model) });
}

const openLast = (run: RunFolder, { model, threads }: Recipe) =>
  openTorchEmbedder({
    name: run.name,
    weights: checkpointPaths(run, "last").weights,
    network: model.network,
    embeddingSize: model.embeddingSize,
    threads,
  });

const keptFile = (run: RunFolder, name: string): string => join(run.evaluation, `${name}.json`);

const keep = (run: RunFolder, name: string, value: unknown) =>
  writeFileAtomic(keptFile(run, name), [Buffer.from(`${JSON.stringify(value, null, 2)}\n`)]);

async function readKept<Value>(run: RunFolder, name: string): Promise<Value | null> {
  const text = await readFile(keptFile(run, name), "utf8").catch(() => null);
  if (text === null) return null;
  try {
    return JSON.parse(text) as Value;
  } catch (cause) {
    throw new TopofrError(
      "E_FORMAT",
      `${keptFile(run, name)}: not JSON; remove it, and the experiment measures again`,
      { cause },
    );
  }
}
