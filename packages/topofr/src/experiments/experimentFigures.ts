// The figures that a plan asks for, of an outcome: bars over rows, lines over a number in the labels.
import * as Plot from "@observablehq/plot";
import { linearDomain, xAxis } from "../plots/axes.js";
import { CONTENT_WIDTH, composeFigure, drawPanel, emptyPanel } from "../plots/figure.js";
import { shortNumber } from "../plots/format.js";
import { lineChart, type Point } from "../plots/lineChart.js";
import { INK, SERIES_COLORS, textWidth } from "../plots/theme.js";
import type { Column, Outcome } from "./outcome.js";
import { formOf } from "./table.js";

export interface ExperimentFigure {
  /** Also the file's. */
  name: string;
  svg: string;
}

const BAR_HEIGHT = 26;
const SPREAD_NOTE = "Mean over seeds; whiskers: one standard deviation (n - 1).";

export function experimentFigures(outcome: Outcome): ExperimentFigure[] {
  return outcome.plan.figures.flatMap(({ kind, measure, axis }) =>
    outcome.columns
      .filter((column) => column.measure === measure)
      .map((column) => ({
        name: `${column.name} ${kind}`.replace(/[^\w.]+/g, "-"),
        svg: kind === "bars" ? bars(outcome, column) : lines(outcome, column, axis!),
      })),
  );
}

function bars({ plan, rows }: Outcome, column: Column): string {
  const { factor, suffix } = formOf(column);
  const shown = rows.flatMap(({ label, entries }) => {
    const { spread } = entries[column.name]!;
    if (spread === null) return [];
    const [mean, std] = [factor * spread.mean, factor * (spread.std ?? 0)];
    return [{ label, mean, low: mean - std, high: mean + std }];
  });
  const title = `${plan.title}: ${column.name}`;
  if (shown.length === 0)
    return composeFigure({ title, rows: [[emptyPanel(CONTENT_WIDTH, 120, "nothing measured yet")]] });
  // Times start at 0, so that lengths compare; accuracies would then all look the same.
  const ends = shown.flatMap(({ low, high }) => [low, high]);
  const [low, high] = linearDomain(column.unit === "seconds" ? [0, ...ends] : ends);
  const start = column.unit === "seconds" ? 0 : low;
  const marginLeft = Math.min(260, 16 + Math.max(...shown.map(({ label }) => textWidth(label, 11))));
  const panel = drawPanel({
    width: CONTENT_WIDTH,
    height: 68 + BAR_HEIGHT * shown.length,
    marginLeft,
    marginRight: 70,
    x: { domain: [start, high] },
    y: { type: "band", domain: shown.map(({ label }) => label), padding: 0.3 },
    marks: [
      Plot.axisY({ label: null, tickSize: 0, fontSize: 11 }),
      xAxis({ label: column.name + suffix }),
      Plot.barX(shown, { x1: start, x2: "mean", y: "label", fill: SERIES_COLORS[0], fillOpacity: 0.75 }),
      Plot.ruleY(shown, { x1: "low", x2: "high", y: "label", stroke: INK, strokeWidth: 1.5 }),
      Plot.text(shown, {
        x: "high",
        y: "label",
        text: ({ mean }: { mean: number }) => shortNumber(mean),
        dx: 6,
        textAnchor: "start",
        fill: INK,
      }),
    ],
  });
  const cut = start > 0 ? ["The axis does not start at 0."] : [];
  return composeFigure({ title, rows: [[panel]], notes: [SPREAD_NOTE, ...cut] });
}

/** What stands before the number in a level's label, and the other levels, name the line. */
function lines({ plan, rows }: Outcome, column: Column, axis: string): string {
  const { factor, suffix } = formOf(column);
  const series = new Map<string, Point[]>();
  for (const { levels, entries } of rows) {
    const { spread } = entries[column.name]!;
    const [, before = "", number] = /^(.*?)(-?[\d.]+(?:e-?\d+)?)$/i.exec(levels[axis]!) ?? [];
    if (spread === null || number === undefined) continue;
    const others = Object.entries(levels).flatMap(([name, label]) => (name === axis ? [] : [label]));
    const name = [before.trim(), ...others].filter(Boolean).join(", ") || column.name;
    series.set(name, [...(series.get(name) ?? []), [Number(number), factor * spread.mean]]);
  }
  return lineChart({
    title: `${plan.title}: ${column.name}`,
    xLabel: axis,
    yLabel: column.name + suffix,
    series: [...series].map(([name, points]) => ({ name, points: points.sort(([a], [b]) => a - b) })),
    notes: ["Mean over seeds."],
  });
}
