// Histograms of several series of numbers over each other, a panel for each group.

import * as Plot from "@observablehq/plot";
import { baseline, xAxis, yAxis } from "../../plots/axes.js";
import { CONTENT_WIDTH, composeFigure, drawPanel, emptyPanel, type Panel } from "../../plots/figure.js";
import { percent } from "../../plots/format.js";
import { seriesStyle } from "../../plots/theme.js";

export interface HistogramPanel {
  heading: string;
  series: { name: string; values: readonly number[] }[];
}

export interface HistogramOptions {
  title: string;
  subtitle: string;
  xLabel: string;
  notes: readonly string[];
}

const MOST_BINS = 40;
const FEWEST_BINS = 8;

/** All panels on one scale; series of one name have one colour. Values must be finite. */
export function valueHistogram(
  panels: readonly HistogramPanel[],
  { title, subtitle, xLabel, notes }: HistogramOptions,
): string {
  const names = [...new Set(panels.flatMap(({ series }) => series.map(({ name }) => name)))];
  const all = panels.flatMap(({ series }) => series.flatMap(({ values }) => values));
  if (all.length === 0)
    return composeFigure({
      title,
      subtitle,
      rows: [[emptyPanel(CONTENT_WIDTH, 240, "no values to draw")]],
      notes,
    });
  const most = Math.max(...panels.flatMap(({ series }) => series.map(({ values }) => values.length)));
  const bins = Math.min(MOST_BINS, Math.max(FEWEST_BINS, Math.ceil(2 * Math.sqrt(most))));
  const edges = binEdges(all, bins);
  return composeFigure({
    title,
    subtitle,
    legend: names.map((name, index) => ({ name, mark: "area", color: seriesStyle(index).color })),
    rows: panels.map((panel) => [{ ...histogramPanel(panel, names, edges, xLabel), heading: panel.heading }]),
    notes,
  });
}

function histogramPanel(
  { series }: HistogramPanel,
  names: readonly string[],
  edges: readonly number[],
  xLabel: string,
): Panel {
  const outlines = series.map(({ name, values }) => ({
    color: seriesStyle(names.indexOf(name)).color,
    outline: outlineOf(values, edges),
  }));
  const tallest = Math.max(...outlines.flatMap(({ outline }) => outline.map(({ y }) => y)));
  return drawPanel({
    width: CONTENT_WIDTH,
    height: 210,
    x: { domain: [edges[0]!, edges.at(-1)!] },
    y: { domain: [0, tallest * 1.08] },
    marks: [
      yAxis({ label: "share of the batches", format: percent }),
      xAxis({ label: xLabel, ticks: 8 }),
      ...outlines.flatMap(({ outline, color }) => [
        Plot.areaY(outline, { x: "x", y1: 0, y2: "y", fill: color, fillOpacity: 0.25 }),
        Plot.line(outline, { x: "x", y: "y", stroke: color, strokeWidth: 1.6 }),
      ]),
      baseline(),
    ],
  });
}

function binEdges(values: readonly number[], bins: number): number[] {
  const low = values.reduce((a, b) => Math.min(a, b));
  const high = values.reduce((a, b) => Math.max(a, b));
  const room = (high - low || Math.abs(high) || 1) * 0.05;
  const [from, to] = [low >= 0 ? Math.max(0, low - room) : low - room, high + room];
  return Array.from({ length: bins + 1 }, (_, k) => from + ((to - from) * k) / bins);
}

/** The staircase of shares. */
function outlineOf(values: readonly number[], edges: readonly number[]): { x: number; y: number }[] {
  const bins = edges.length - 1;
  const [from, to] = [edges[0]!, edges.at(-1)!];
  const shares = new Array<number>(bins).fill(0);
  for (const value of values)
    shares[Math.min(bins - 1, Math.floor(((value - from) / (to - from)) * bins))]! += 1 / values.length;
  return shares.flatMap((y, k) => [
    { x: edges[k]!, y },
    { x: edges[k + 1]!, y },
  ]);
}
