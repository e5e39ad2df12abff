// What an experiment has come to: every row's numbers over seeds, compared with its baseline's of the same seeds. Values only; as
// text: table.ts, as pictures and a page: experimentReport.ts.
import { existsSync } from "node:fs";
import { readEventLog } from "../runs/eventLog.js";
import type { EventOfType } from "../runs/events.js";
import { type CellEvaluation, cellDiscrepancy, cellEvaluations, cellRun } from "./cell.js";
import { baselineOf, type Cell, cellsOf, type Measure, type Plan, type Row, rowsOf } from "./plan.js";
import { type PairedTest, pairedTest, type Spread, spreadOf } from "./statistics.js";

export interface Column {
  /** "lfw accuracy", "IJBC TAR at 1e-4", "s/epoch". */
  name: string;
  measure: Measure;
  /** Shares are kept as 0..1 and shown in percent. */
  unit: "share" | "seconds" | "plain";
  /** Whether less is better. */
  lessIsBetter: boolean;
}

export interface OutcomeCell {
  id: string;
  row: string;
  seed: number;
  status: "done" | "diverged" | "unfinished" | "waiting";
  /** Optimiser steps done. */
  steps: number;
  /** Its own last word when it diverged. */
  message: string | null;
  /** By column; only what was measured. */
  values: Record<string, number>;
}

export interface OutcomeEntry {
  /** Of the seeds that have the value. Null: none has. */
  spread: Spread | null;
  /** Against the baseline, over the seeds that both have. Null: it is the baseline, or fewer than two. */
  test: PairedTest | null;
}

export interface OutcomeRow {
  label: string;
  levels: Record<string, string>;
  baseline: string | null;
  diverged: number;
  /** By column. */
  entries: Record<string, OutcomeEntry>;
}

export interface Outcome {
  plan: Plan;
  columns: Column[];
  rows: OutcomeRow[];
  cells: OutcomeCell[];
}

const WARM_UP_SHARE = 0.1; // of the steps: caches fill and threads start

/** Reads the run folders of a plan; cells that are not finished have no values. */
export async function readOutcome(folder: string, plan: Plan): Promise<Outcome> {
  const columns = new Map<string, Column>();
  const cells: OutcomeCell[] = [];
  for (const cell of cellsOf(plan)) cells.push(await readCell(folder, plan, cell, columns));
  return outcomeOf(plan, [...columns.values()], cells);
}

/** The statistics of cells already read. */
export function outcomeOf(plan: Plan, columns: Column[], cells: OutcomeCell[]): Outcome {
  const valuesOf = (row: string, column: string) =>
    new Map(
      cells.flatMap((cell) => {
        const value = cell.values[column];
        return cell.row === row && value !== undefined ? [[cell.seed, value] as const] : [];
      }),
    );
  const entryOf = (row: Row, baseline: Row | null, column: string): OutcomeEntry => {
    const own = valuesOf(row.label, column);
    if (own.size === 0) return { spread: null, test: null };
    const others = baseline === null ? new Map<number, number>() : valuesOf(baseline.label, column);
    const shared = [...own.keys()].filter((seed) => others.has(seed));
    return {
      spread: spreadOf([...own.values()]),
      test: pairedTest(
        shared.map((seed) => own.get(seed)!),
        shared.map((seed) => others.get(seed)!),
      ),
    };
  };
  const rows = rowsOf(plan).map((row): OutcomeRow => {
    const baseline = baselineOf(plan, row);
    return {
      label: row.label,
      levels: row.levels,
      baseline: baseline?.label ?? null,
      diverged: cells.filter((cell) => cell.row === row.label && cell.status === "diverged").length,
      entries: Object.fromEntries(columns.map(({ name }) => [name, entryOf(row, baseline, name)])),
    };
  });
  return { plan, columns, rows, cells };
}

async function readCell(
  folder: string,
  plan: Plan,
  { id, row, seed }: Cell,
  columns: Map<string, Column>,
): Promise<OutcomeCell> {
  const run = cellRun(folder, { id, row, seed });
  const blank = { id, row: row.label, seed, steps: 0, message: null, values: {} };
  if (!existsSync(run.events)) return { ...blank, status: "waiting" };
  const { events } = readEventLog(run.events);
  const end = events.findLast((event): event is typeof event & EventOfType<"end"> => event.type === "end");
  const steps = events.findLast((event) => event.type === "step")?.step ?? 0;
  if (end?.reason === "diverged")
    return { ...blank, steps, status: "diverged", message: end.message ?? null };
  if (end === undefined || !["finished", "maxSteps"].includes(end.reason))
    return { ...blank, steps, status: "unfinished" };

  const values: Record<string, number> = {};
  const add = (name: string, measure: Measure, value: number, unit: Column["unit"], lessIsBetter = false) => {
    if (!plan.measures.includes(measure)) return;
    columns.set(name, { name, measure, unit, lessIsBetter });
    values[name] = value;
  };
  const evaluations = await cellEvaluations(run, end.step);
  for (const evaluation of evaluations) addEvaluation(evaluation, add);
  const time = timeOf(events);
  if (time !== null) {
    add("s/100 steps", "secondsPer100Steps", 100 * time.secondsPerStep, "seconds", true);
    add("s/epoch", "secondsPerEpoch", time.stepsPerEpoch * time.secondsPerStep, "seconds", true);
  }
  const discrepancy = plan.discrepancy === null ? [] : await cellDiscrepancy(run, end.step);
  for (const { data, batchSize, bottleneck } of discrepancy ?? [])
    add(`discrepancy, ${data}, batch ${batchSize}`, "discrepancy", bottleneck.mean, "plain", true);
  const isWhole = evaluations.length === plan.benchmarks.length && discrepancy !== null;
  return { ...blank, steps: end.step, status: isWhole ? "done" : "unfinished", values };
}

type Add = (name: string, measure: Measure, value: number, unit: Column["unit"]) => void;

function addEvaluation(evaluation: CellEvaluation, add: Add): void {
  const { benchmark } = evaluation;
  if (evaluation.kind === "groups") {
    for (const { name, tarAtFar } of evaluation.groups)
      for (const { far, tar, note } of tarAtFar ?? [])
        if (note === null) add(`${benchmark} ${name} TAR at ${far.toExponential(0)}`, "tar", tar, "share");
    return;
  }
  if (evaluation.kind === "pairs") add(`${benchmark} accuracy`, "accuracy", evaluation.accuracy, "share");
  add(`${benchmark} AUC`, "auc", evaluation.auc, "plain");
  for (const { far, tar, note } of evaluation.tarAtFar)
    if (note === null) add(`${benchmark} TAR at ${far.toExponential(0)}`, "tar", tar, "share");
}

type Events = ReturnType<typeof readEventLog>["events"];

/** Median over the steps after the first tenth. Null: too few were logged. */
function timeOf(events: Events): { secondsPerStep: number; stepsPerEpoch: number } | null {
  const start = events.find((event) => event.type === "start");
  const steps = events.flatMap((event) => (event.type === "step" ? event.secondsPerStep : []));
  const warm = steps
    .slice(Math.min(steps.length - 1, Math.ceil(steps.length * WARM_UP_SHARE)))
    .sort((a, b) => a - b);
  if (start === undefined || warm.length === 0) return null;
  const middle = (warm.length - 1) / 2;
  const secondsPerStep = (warm[Math.floor(middle)]! + warm[Math.ceil(middle)]!) / 2;
  return { secondsPerStep, stepsPerEpoch: start.stepsPerEpoch };
}
