// How well a threshold can part pairs of one person from pairs of two.

import * as Plot from "@observablehq/plot";
import { baseline, xAxis, yAxis } from "./axes.js";
import { CONTENT_WIDTH, composeFigure, drawPanel, emptyPanel } from "./figure.js";
import { count, percent, shortNumber } from "./format.js";
import { INK, LABEL_SIZE, SERIES_COLORS } from "./theme.js";

export interface DistanceHistogramOptions {
  readonly title?: string;
  readonly xLabel?: string;
  /** Where the verifier decides, in the unit of the distances. */
  readonly threshold?: number;
}

const BINS = 48;

/**
 * Distances of pairs of the same and of different people, each as shares of its own kind, so that unequal
 * numbers of pairs compare.
 */
export function distanceHistogram(
  same: ArrayLike<number>,
  different: ArrayLike<number>,
  {
    title = "Distances of pairs",
    xLabel = "distance of the two embeddings",
    threshold,
  }: DistanceHistogramOptions = {},
): string {
  const kinds = [
    { name: "same person", all: Array.from(same), color: SERIES_COLORS[0] },
    { name: "different people", all: Array.from(different), color: SERIES_COLORS[1] },
  ].map((kind) => ({ ...kind, values: kind.all.filter(Number.isFinite) }));
  const notes = kinds.flatMap(({ name, all, values }) => {
    const dropped = all.length - values.length;
    return dropped > 0 ? [`${name}: ${count(dropped, "distance")} not finite, left out.`] : [];
  });
  const everything = kinds.flatMap(({ values }) => values);
  if (everything.length === 0) {
    return composeFigure({ title, rows: [[emptyPanel(CONTENT_WIDTH, 240, "no pairs to draw")]], notes });
  }
  const low = everything.reduce((a, b) => Math.min(a, b));
  const high = everything.reduce((a, b) => Math.max(a, b));
  const edges = binEdges(low, high);
  const shares = kinds.map(({ values }) => histogram(values, edges));
  const tallest = Math.max(...shares.flat());
  const panel = drawPanel({
    width: CONTENT_WIDTH,
    height: 320,
    x: { domain: [edges[0]!, edges.at(-1)!] },
    y: { domain: [0, tallest * 1.08] },
    marks: [
      yAxis({ label: "share of the pairs of its kind", format: percent }),
      xAxis({ label: xLabel, ticks: 8 }),
      ...shares.flatMap((share, k) => {
        const outline = stepOutline(share, edges);
        const { color } = kinds[k]!;
        return [
          Plot.areaY(outline, { x: "x", y1: 0, y2: "y", fill: color, fillOpacity: 0.28 }),
          Plot.line(outline, { x: "x", y: "y", stroke: color, strokeWidth: 1.6 }),
        ];
      }),
      baseline(),
      ...(threshold === undefined ? [] : thresholdMarks(threshold, edges, tallest)),
    ],
  });
  return composeFigure({
    title,
    legend: kinds.map(({ name, color, values }) => ({
      name: `${name} (${count(values.length, "pair")})`,
      color,
      mark: "area" as const,
    })),
    rows: [[panel]],
    notes,
  });
}

/** Equal bins over the values; one unit wide when all values are equal. */
function binEdges(low: number, high: number): number[] {
  const [from, to] = low === high ? [low - 0.5, low + 0.5] : [low, high];
  return Array.from({ length: BINS + 1 }, (_, k) => from + ((to - from) * k) / BINS);
}

/** Share of the values in each bin; the last bin includes its right edge. */
function histogram(values: readonly number[], edges: readonly number[]): number[] {
  const [from, to] = [edges[0]!, edges.at(-1)!];
  const shares = new Array<number>(BINS).fill(0);
  for (const value of values) {
    const bin = Math.min(BINS - 1, Math.floor(((value - from) / (to - from)) * BINS));
    shares[bin]! += 1 / values.length;
  }
  return shares;
}

function stepOutline(shares: readonly number[], edges: readonly number[]): { x: number; y: number }[] {
  return shares.flatMap((y, k) => [
    { x: edges[k]!, y },
    { x: edges[k + 1]!, y },
  ]);
}

function thresholdMarks(threshold: number, edges: readonly number[], tallest: number): Plot.Markish[] {
  const [from, to] = [edges[0]!, edges.at(-1)!];
  if (!(threshold >= from && threshold <= to)) return [];
  const leftHalf = threshold < (from + to) / 2;
  return [
    Plot.ruleX([threshold], { stroke: INK, strokeWidth: 1.2, strokeDasharray: "4 3" }),
    Plot.text([[threshold, tallest * 1.03]], {
      text: [`threshold ${shortNumber(threshold)}`],
      textAnchor: leftHalf ? "start" : "end",
      dx: leftHalf ? 6 : -6,
      fontSize: LABEL_SIZE,
      stroke: "white",
      strokeWidth: 4,
      fill: INK,
    }),
  ];
}
