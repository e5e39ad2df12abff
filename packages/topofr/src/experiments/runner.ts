// Runs the cells of an experiment, one after the other in this process or several at once in processes of their own. What is done is
// skipped, what was started goes on. One cell's work: cell.ts.
import { fork } from "node:child_process";
import { mkdir, readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { fileError, TopofrError, writeFileAtomic } from "@topofr/formats";
import { openBenchmark } from "../evaluate/benchmarks/open.js";
import type { LoggedEvent } from "../runs/events.js";
import type { RunFolder } from "../runs/runFolder.js";
import { cellRecipe, cellRun, cellState, isDone, runCell } from "./cell.js";
import { type Cell, cellsOf, checkVariants, type Plan, planSchema } from "./plan.js";
import { discrepancySets } from "./planDiscrepancy.js";
import { finishedRuns, sameRun, takeRun } from "./reuse.js";

const PLAN_FILE = "plan.json";
const CELL_PROCESS = fileURLToPath(new URL("./cellProcess.js", import.meta.url));

export type CellMessage =
  | { kind: "event"; event: LoggedEvent }
  | { kind: "result"; result: "done" | "diverged" | "interrupted" }
  | { kind: "error"; code: TopofrError["code"] | null; message: string };

export interface RunnerOptions {
  /** Cells at a time. */
  jobs: number;
  /** Folders of experiments whose finished runs are taken where they are what this plan would train. */
  reuse: readonly string[];
  signal: AbortSignal;
  commandLine: readonly string[];
  /** Told before a cell's work, of its events, and after it. */
  onCell(cell: Cell, news: "start" | "done" | "diverged" | "interrupted"): void;
  onEvent(cell: Cell, event: LoggedEvent): void;
}

export interface ExperimentResult {
  /** Cells that had been finished before, and in this session. */
  skipped: number;
  done: number;
  diverged: number;
  /** True when the signal stopped it; go on with the same command. */
  interrupted: boolean;
}

export interface PlannedCell {
  cell: Cell;
  done: boolean;
  /** A finished run of another experiment that is this cell; null: none, or the cell has begun. */
  reusable: RunFolder | null;
}

/**
 * What a plan comes to, without training: every cell's recipe and run folder is checked, every benchmark opened.
 *
 * @param reuse folders of experiments, as in {@link RunnerOptions}
 * @throws E_RECIPE, E_USAGE for these, or a plan that measures time and reuses; E_FILE, E_DATA for a benchmark, a folder of `reuse`, or
 *   where the discrepancy cannot be measured
 */
export async function planCells(
  folder: string,
  plan: Plan,
  reuse: readonly string[] = [],
): Promise<PlannedCell[]> {
  checkVariants(plan);
  if (plan.timed && reuse.length > 0)
    throw new TopofrError("E_USAGE", `--reuse: plan ${plan.name} measures time, so all its runs are its own`);
  const finished = await finishedRuns(reuse);
  const cells: PlannedCell[] = [];
  const opened = new Set<string>();
  for (const cell of cellsOf(plan)) {
    const { recipe } = await cellRecipe(plan, cell);
    const state = await cellState(folder, plan, cell);
    const reusable = state.kind === "new" ? await sameRun(recipe, finished) : null;
    cells.push({ cell, done: isDone(state), reusable });
    const data = JSON.stringify(recipe.data);
    if (plan.discrepancy === null || plan.benchmarks.length === 0 || opened.has(data)) continue;
    opened.add(data);
    await discrepancySets(plan, recipe);
  }
  for (const { path, pairs } of plan.benchmarks) await openBenchmark(path, { pairs });
  return cells;
}

/**
 * Runs what is left of a plan. The folder keeps the plan (plan.json) and a run folder for each cell (runs/).
 *
 * @throws E_RECIPE, E_USAGE before anything is trained: a wrong recipe, a changed plan, several jobs for a plan that measures time;
 *   E_DATA, E_FILE … of the first cell that fails, when those beside it have saved
 */
export async function runExperiment(
  folder: string,
  plan: Plan,
  options: RunnerOptions,
): Promise<ExperimentResult> {
  const { jobs, reuse, signal, onCell } = options;
  if (plan.timed && jobs > 1)
    throw new TopofrError(
      "E_USAGE",
      `--jobs ${jobs}: plan ${plan.name} measures time, so its runs go one at a time`,
    );
  const cells = await planCells(folder, plan, reuse);
  await savePlan(folder, plan);
  for (const { cell, reusable } of cells)
    if (reusable !== null) await takeRun(reusable, cellRun(folder, cell));
  const waiting = cells.filter(({ done }) => !done).map(({ cell }) => cell);
  const result = { skipped: cells.length - waiting.length, done: 0, diverged: 0, interrupted: false };
  const failures: unknown[] = [];
  const stop = new AbortController(); // one failure stops the others at their next step
  const both = AbortSignal.any([signal, stop.signal]);
  const work = async () => {
    for (let cell = waiting.shift(); cell !== undefined && !both.aborted; cell = waiting.shift()) {
      onCell(cell, "start");
      try {
        const came = await (jobs > 1 ? inProcess : inline)(folder, plan, cell, { ...options, signal: both });
        onCell(cell, came);
        if (came !== "interrupted") result[came]++;
        else result.interrupted = true;
      } catch (error) {
        failures.push(error);
        stop.abort();
      }
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
  if (failures.length > 0) throw failures[0];
  result.interrupted ||= signal.aborted;
  return result;
}

/** @throws E_FILE when there is no experiment, E_FORMAT when its plan is damaged */
export async function readPlan(folder: string): Promise<Plan> {
  const file = join(folder, PLAN_FILE);
  const text = await readFile(file, "utf8").catch((error) => {
    throw fileError(file, "read the plan of the experiment", error);
  });
  try {
    return planSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new TopofrError(
      "E_FORMAT",
      `${file}: is no plan of an experiment; it was changed by hand or damaged`,
      { cause },
    );
  }
}

async function savePlan(folder: string, plan: Plan): Promise<void> {
  await mkdir(folder, { recursive: true }).catch((error) => {
    throw fileError(folder, "make the folder of the experiment", error);
  });
  await writeFileAtomic(join(folder, PLAN_FILE), [Buffer.from(`${JSON.stringify(plan, null, 2)}\n`)]);
}

function inline(folder: string, plan: Plan, cell: Cell, { signal, commandLine, onEvent }: RunnerOptions) {
  return runCell(folder, plan, cell, {
    threads: null,
    signal,
    commandLine,
    onEvent: (event) => onEvent(cell, event),
  });
}

/** A child that stops at its next step when it is told to, or when this process is gone. */
function inProcess(
  folder: string,
  _plan: Plan,
  cell: Cell,
  { jobs, signal, commandLine, onEvent }: RunnerOptions,
): Promise<"done" | "diverged" | "interrupted"> {
  const threads = Math.max(1, Math.floor(availableParallelism() / jobs));
  const args = [folder, cell.id, String(threads), JSON.stringify(commandLine)];
  const child = fork(CELL_PROCESS, args, { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  const stop = () => void (child.connected && child.send("stop"));
  signal.addEventListener("abort", stop);
  return new Promise<"done" | "diverged" | "interrupted">((resolve, reject) => {
    let answer: CellMessage | null = null;
    child.on("message", (message: CellMessage) => {
      if (message.kind === "event") onEvent(cell, message.event);
      else answer = message;
    });
    child.on("error", reject);
    child.on("exit", (code, killed) => {
      if (answer?.kind === "result") resolve(answer.result);
      else if (answer?.kind === "error")
        reject(
          answer.code === null ? new Error(answer.message) : new TopofrError(answer.code, answer.message),
        );
      else
        reject(
          new TopofrError(
            "E_SETUP",
            `run ${cell.id}: its process ended (${killed ?? `status ${code}`}); was there enough memory for ${jobs} jobs? The same command goes on`,
          ),
        );
    });
  }).finally(() => signal.removeEventListener("abort", stop));
}
