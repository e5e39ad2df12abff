// Statistics and tables of made-up cells, against numbers worked out by hand; progress of made-up events.
import { expect, test } from "vitest";
import { experimentFigures } from "./experimentFigures.js";
import {
  cellEnded,
  cellEvent,
  cellStarted,
  experimentSecondsLeft,
  newProgress,
} from "./experimentProgress.js";
import { outcomeMarkdown } from "./experimentReport.js";
import { type Column, type OutcomeCell, outcomeOf } from "./outcome.js";
import { planSchema } from "./plan.js";
import { outcomeCsv, outcomeTable, testTable } from "./table.js";

const plan = planSchema.parse({
  name: "made",
  title: "Made up",
  about: "Nothing was trained.",
  axes: [{ name: "alpha", key: "objective.alignment.weight", values: [0.1, 0.2] }],
  baseline: { alpha: "0.1" },
  benchmarks: ["lfw"],
  figures: [
    { kind: "bars", measure: "accuracy" },
    { kind: "line", measure: "accuracy", axis: "alpha" },
  ],
  paper: { source: "figure 6", setting: "IResNet-50", columns: ["IJB-C"], rows: { "0.1": [96.49] } },
});
const column: Column = { name: "lfw accuracy", measure: "accuracy", unit: "share", lessIsBetter: false };
const cell = (row: string, seed: number, accuracy: number | null): OutcomeCell => ({
  id: `${row}-${seed}`,
  row,
  seed,
  status: accuracy === null ? "diverged" : "done",
  steps: 2,
  message: null,
  values: accuracy === null ? {} : { "lfw accuracy": accuracy },
});
// Differences of seeds 1 and 2: 0.02 and 0.04, so mean 0.03, deviation 0.01414, t = 0.03 / 0.01 = 3, p = 0.2048 (1 degree).
const outcome = outcomeOf(
  plan,
  [column],
  [
    cell("0.1", 1, 0.8),
    cell("0.2", 1, 0.82),
    cell("0.1", 2, 0.82),
    cell("0.2", 2, 0.86),
    cell("0.1", 3, 0.84),
    cell("0.2", 3, null),
  ],
);

test("mean ± deviation over the seeds that have a value, with the paper's number beside it", () => {
  expect(outcomeTable(outcome)).toEqual({
    columns: ["", "n", "lfw accuracy", "paper: IJB-C"],
    rows: [
      ["0.1", "3", "82.00 ± 2.00", "96.49"],
      ["0.2 (1 diverged)", "2", "84.00 ± 2.83", "–"],
    ],
  });
});

test("the test pairs only the seeds that both have", () => {
  const { rows } = testTable(outcome);
  expect(rows).toHaveLength(1);
  expect(rows[0]).toEqual(["0.2", "0.1", "lfw accuracy", "2", "+3.00", "-9.71 … +15.71", "3.00", "0.205"]);
});

test("CSV has full precision and a line for each row and column", () => {
  const [head, first, second] = outcomeCsv(outcome).trimEnd().split("\n");
  expect(head!.split(",")).toHaveLength(14);
  expect(first!.split(",").slice(0, 3)).toEqual(["0.1", "lfw accuracy", "3"]);
  expect(Number(second!.split(",")[10])).toBeCloseTo(-0.097062, 6); // 0.03 - 12.7062 x 0.01
});

test("the figures are drawn, the text says what is incomplete", () => {
  const figures = experimentFigures(outcome);
  expect(figures.map(({ name }) => name)).toEqual(["lfw-accuracy-bars", "lfw-accuracy-line"]);
  for (const { svg } of figures) expect(svg).toMatch(/^<svg .*Made up/s);
  // Accuracies are points with whiskers, at 82 and 84; lines join them over alpha.
  expect(figures[0]!.svg).not.toContain("<rect aria-label");
  expect(figures[0]!.svg).toContain(">82.00<");
  expect(figures[1]!.svg.match(/<circle/g)).toHaveLength(2);
  expect(figures.map(({ heading }) => heading)).toEqual(["lfw accuracy", "lfw accuracy by alpha"]);
  expect(outcomeMarkdown(outcome)).toContain("5 of 6 runs are finished");
});

test("time left: what the rest takes if it goes on as it went", () => {
  let state = cellStarted(newProgress(3, 1), "a");
  expect(experimentSecondsLeft(state, 1)).toBe(Number.POSITIVE_INFINITY);
  const start = {
    type: "start",
    step: 0,
    totalSteps: 10,
    stepsPerEpoch: 10,
    epochs: 1,
    images: 1,
    identities: 1,
  } as const;
  state = cellEvent(state, "a", { ...start, network: "n", parameters: 1, time: 0 });
  const step = {
    type: "step",
    epoch: 0,
    loss: 1,
    classificationLoss: 1,
    alignmentLoss: null,
    omegaMean: null,
  } as const;
  const rates = { gradientNorm: 1, learningRate: 1, embeddingNorm: 1, imagesPerSecond: 1, secondsPerStep: 3 };
  state = cellEvent(state, "a", { ...step, ...rates, step: 5, time: 0 });
  expect(experimentSecondsLeft(state, 1)).toBeCloseTo(45); // half of one run and another, 30 s each
  expect(experimentSecondsLeft(state, 2)).toBeCloseTo(22.5);
  expect(cellEnded(state, "a", true)).toMatchObject({ finished: 2, running: [] });
});
