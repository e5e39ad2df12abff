// A training run at a glance: small multiples of what the step events of a run hold.

import { COLUMN_GAP, columnWidth, composeFigure, emptyPanel, type Panel } from "./figure.js";
import { percent, shortNumber } from "./format.js";
import { gapNotes, lineLegend, linePanel, type Point, type Series } from "./lineChart.js";

/** One step event; whatever a run does not log is absent. */
export interface TrainingRow {
  readonly step: number;
  /** Total loss, mean over the batch. */
  readonly loss?: number | null;
  readonly classificationLoss?: number | null;
  readonly alignmentLoss?: number | null;
  /** Share of the training batch classified right, 0 to 1. */
  readonly accuracy?: number | null;
  /** Accuracy on verification pairs, 0 to 1. */
  readonly verificationAccuracy?: number | null;
  readonly learningRate?: number | null;
  /** Mean L2 norm of the embeddings. */
  readonly embeddingNorm?: number | null;
  readonly imagesPerSecond?: number | null;
}

type Metric = Exclude<keyof TrainingRow, "step">;

interface Chart {
  readonly heading: string;
  readonly yLabel: string;
  readonly metrics: readonly { readonly metric: Metric; readonly name: string }[];
  readonly format?: (value: number) => string;
}

const CHARTS: readonly Chart[] = [
  {
    heading: "Loss",
    yLabel: "mean over the batch",
    metrics: [
      { metric: "loss", name: "total" },
      { metric: "classificationLoss", name: "classification" },
    ],
  },
  {
    heading: "Alignment loss",
    yLabel: "before its weight",
    metrics: [{ metric: "alignmentLoss", name: "alignment" }],
  },
  {
    heading: "Accuracy",
    yLabel: "share correct",
    metrics: [
      { metric: "accuracy", name: "batch" },
      { metric: "verificationAccuracy", name: "verification" },
    ],
    format: percent,
  },
  {
    heading: "Learning rate",
    yLabel: "step size",
    metrics: [{ metric: "learningRate", name: "learning rate" }],
  },
  { heading: "Embedding norm", yLabel: "mean L2 norm", metrics: [{ metric: "embeddingNorm", name: "norm" }] },
  { heading: "Speed", yLabel: "images a second", metrics: [{ metric: "imagesPerSecond", name: "speed" }] },
];

/** From this many points on, a curve is drawn pale with its moving mean on top. */
const SMOOTH_FROM = 80;

/**
 * Two columns of charts over the step: losses, alignment, accuracy, learning rate, embedding norm, speed; those of
 * which no value was logged are left out. Rows may come in any order; of two rows with the same step both count.
 */
export function trainingCurves(
  rows: readonly TrainingRow[],
  { title = "Training" }: { title?: string } = {},
): string {
  const ordered = [...rows].sort((a, b) => a.step - b.step);
  const width = columnWidth(2);
  const charts = CHARTS.map((chart) => ({ chart, series: seriesOf(chart, ordered) })).filter(
    ({ series }) => series.length > 0,
  );
  if (charts.length === 0) {
    return composeFigure({ title, rows: [[emptyPanel(2 * width + COLUMN_GAP, 200, "no step events yet")]] });
  }
  const panels = charts.map(({ chart, series }) => panelOf(chart, series, width));
  const pairs = panels.flatMap((panel, k) => (k % 2 === 0 ? [[panel, ...panels.slice(k + 1, k + 2)]] : []));
  const smoothed = charts.some(({ series }) => series.some(isLong));
  return composeFigure({
    title,
    subtitle: describe(ordered),
    rows: pairs,
    notes: [
      ...(smoothed ? ["Pale: each step. Strong: mean over the fiftieth part of the steps around it."] : []),
      ...charts.flatMap(({ series }) => gapNotes(series)),
    ],
  });
}

function seriesOf({ metrics }: Chart, rows: readonly TrainingRow[]): Series[] {
  return metrics
    .map(({ metric, name }) => ({
      name,
      points: rows.flatMap((row): Point[] => {
        const value = row[metric];
        return value === undefined || value === null ? [] : [[row.step, value]];
      }),
    }))
    .filter(({ points }) => points.length > 0);
}

function panelOf({ heading, yLabel, format }: Chart, series: readonly Series[], width: number): Panel {
  const panel = linePanel({
    xLabel: "step",
    yLabel,
    series,
    width,
    height: 220,
    smoothFrom: SMOOTH_FROM,
    ...(format === undefined ? {} : { yFormat: format }),
  });
  const legend = series.length > 1 ? series.map(({ name }, index) => lineLegend(name, index)) : [];
  return { ...panel, heading, legend };
}

const isLong = ({ points }: Series): boolean => points.length >= SMOOTH_FROM;

function describe(rows: readonly TrainingRow[]): string {
  const [first, last] = [rows[0]!.step, rows.at(-1)!.step];
  return first === last
    ? `step ${shortNumber(first)}`
    : `steps ${shortNumber(first)} to ${shortNumber(last)}`;
}
