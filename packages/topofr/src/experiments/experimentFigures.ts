// The figures that a plan asks for, of an outcome: means over rows, lines over a number in the labels.
import * as Plot from "@observablehq/plot";
import { linearDomain, xAxis } from "../plots/axes.js";
import { CONTENT_WIDTH, composeFigure, drawPanel, emptyPanel } from "../plots/figure.js";
import { lineChart } from "../plots/lineChart.js";
import { BACKGROUND, GRID, INK, SERIES_COLORS, textWidth } from "../plots/theme.js";
import type { Column, Outcome } from "./outcome.js";
import { formOf } from "./table.js";

export interface ExperimentFigure {
  /** Of the file. */
  name: string;
  heading: string;
  svg: string;
}

const ROW_HEIGHT = 26;
const SPREAD_NOTE = "Mean over seeds; whiskers: one standard deviation (n - 1).";

export function experimentFigures(outcome: Outcome): ExperimentFigure[] {
  return outcome.plan.figures.flatMap(({ kind, measure, axis }) =>
    outcome.columns
      .filter((column) => column.measure === measure)
      .map((column) => ({
        name: `${column.name} ${kind}`.replace(/[^\w.]+/g, "-"),
        heading: kind === "bars" ? column.name : `${column.name} by ${axis}`,
        svg: kind === "bars" ? bars(outcome, column) : lines(outcome, column, axis!),
      })),
  );
}

/** Times are bars from 0, whose lengths compare. Other values would all look the same so: they are points on a cut axis. */
function bars({ plan, rows }: Outcome, column: Column): string {
  const { factor, digits, suffix } = formOf(column);
  const shown = rows.flatMap(({ label, entries }) => {
    const { spread } = entries[column.name]!;
    if (spread === null) return [];
    const [mean, std] = [factor * spread.mean, factor * (spread.std ?? 0)];
    return [{ label, mean, low: mean - std, high: mean + std }];
  });
  const title = `${plan.title}: ${column.name}`;
  if (shown.length === 0)
    return composeFigure({ title, rows: [[emptyPanel(CONTENT_WIDTH, 120, "nothing measured yet")]] });
  const fromZero = column.unit === "seconds";
  const ends = shown.flatMap(({ low, high }) => [low, high]);
  const [low, high] = linearDomain(fromZero ? [0, ...ends] : ends);
  const start = fromZero ? 0 : low;
  const marginLeft = Math.min(260, 16 + Math.max(...shown.map(({ label }) => textWidth(label, 11))));
  const fill = SERIES_COLORS[0];
  const panel = drawPanel({
    width: CONTENT_WIDTH,
    height: 68 + ROW_HEIGHT * shown.length,
    marginLeft,
    marginRight: 70,
    x: { domain: [start, high] },
    y: { type: "band", domain: shown.map(({ label }) => label), padding: 0.3 },
    marks: [
      Plot.axisY({ label: null, tickSize: 0, fontSize: 11 }),
      xAxis({ label: column.name + suffix }),
      fromZero ? null : Plot.ruleY(shown, { y: "label", x1: start, x2: high, stroke: GRID }),
      fromZero ? Plot.barX(shown, { x1: 0, x2: "mean", y: "label", fill, fillOpacity: 0.75 }) : null,
      Plot.ruleY(shown, { x1: "low", x2: "high", y: "label", stroke: INK, strokeWidth: 1.5 }),
      fromZero ? null : Plot.dot(shown, { x: "mean", y: "label", fill, r: 5 }),
      Plot.text(shown, {
        x: "high",
        y: "label",
        text: ({ mean }: { mean: number }) => mean.toFixed(digits),
        dx: 9,
        textAnchor: "start",
        fill: INK,
        stroke: BACKGROUND, // a rim, where it stands on a line
        strokeWidth: 4,
      }),
    ],
  });
  return composeFigure({ title, rows: [[panel]], notes: [SPREAD_NOTE] });
}

interface LinePoint {
  x: number;
  mean: number;
  std: number;
}

/** What stands before the number in a level's label, and the other levels, name the line. */
function lines({ plan, rows }: Outcome, column: Column, axis: string): string {
  const { factor, suffix } = formOf(column);
  const series = new Map<string, LinePoint[]>();
  for (const { levels, entries } of rows) {
    const { spread } = entries[column.name]!;
    const [, before = "", number] = /^(.*?)(-?[\d.]+(?:e-?\d+)?)$/i.exec(levels[axis]!) ?? [];
    if (spread === null || number === undefined) continue;
    const others = Object.entries(levels).flatMap(([name, label]) => (name === axis ? [] : [label]));
    const name = [before.trim(), ...others].filter(Boolean).join(", ") || column.name;
    const point = { x: Number(number), mean: factor * spread.mean, std: factor * (spread.std ?? 0) };
    series.set(name, [...(series.get(name) ?? []), point]);
  }
  return lineChart({
    title: `${plan.title}: ${column.name}`,
    xLabel: axis,
    yLabel: column.name + suffix,
    series: [...series].map(([name, points]) => {
      points.sort((a, b) => a.x - b.x);
      return {
        name,
        points: points.map(({ x, mean }): [number, number] => [x, mean]),
        whiskers: points.map(({ std }) => std),
      };
    }),
    notes: [SPREAD_NOTE],
  });
}
