// Persistence diagrams of any degree, several over each other: the usual picture. Degree 0 of mini-batches, where all
// births are 0, has a figure of its own in persistenceDiagramPlot.ts.

import * as Plot from "@observablehq/plot";
import { baseline, roundTicks, xAxis, yAxis } from "./axes.js";
import { type Bar, barSeries, scaleRange } from "./bars.js";
import type { DiagramSeries } from "./diagramSeries.js";
import {
  COLUMN_GAP,
  CONTENT_WIDTH,
  composeFigure,
  drawPanel,
  emptyPanel,
  PANEL_LEFT,
  PANEL_RIGHT,
} from "./figure.js";
import { count } from "./format.js";
import { linePanel } from "./lineChart.js";
import { FRAME, MUTED_INK, NOTE_SIZE } from "./theme.js";

export interface PersistenceScatterOptions {
  readonly title?: string;
  readonly subtitle?: string;
  /** Distance from the diagonal (L-infinity) within which a point proves nothing: 2r for landmarks. Shaded. */
  readonly uncertainty?: number;
  /** Lines below the figure, such as the notes of `landmarkClaim`. */
  readonly notes?: readonly string[];
}

const SIDE = 480; // pixels: births and deaths on one scale
const LIFETIMES_DRAWN = 20; // the longest of each series
const UNCERTAIN = "#f0e6d8";

/** Points of one series that cover each other to half a pixel are drawn once. */
const CELL = 0.5;

/**
 * (birth, death) of each class, a colour for each series, classes that never die on a line of their own; beside it the longest
 * lifetimes in order: what stands out of the rest does so there.
 */
export function persistenceScatterPlot(
  series: readonly DiagramSeries[],
  { title = "Persistence diagram", subtitle, uncertainty = 0, notes = [] }: PersistenceScatterOptions = {},
): string {
  const prepared = barSeries(series);
  const figure = { title, ...(subtitle === undefined ? {} : { subtitle }) };
  if (prepared.every(({ bars }) => bars.length === 0)) {
    return composeFigure({
      ...figure,
      rows: [[emptyPanel(CONTENT_WIDTH, 240, "no classes to draw")]],
      notes,
    });
  }
  const [low, high] = scaleRange(prepared);
  const span = high - low;
  const [start, never, top] = [low - span * 0.03, high + span * 0.08, high + span * 0.15];
  const pixel = (top - start) / (SIDE - PANEL_LEFT - PANEL_RIGHT);
  const points = prepared.flatMap(({ bars, color }) =>
    distinct(bars, pixel * CELL).map(({ birth, death }) => ({ birth, death, color })),
  );
  const ticks = roundTicks(low, high, 6);
  const lift = Math.min(2 * uncertainty, top - start);
  const panel = drawPanel({
    width: SIDE,
    height: SIDE,
    x: { domain: [start, top] },
    y: { domain: [start, top] },
    color: { type: "identity" },
    marks: [
      uncertainty > 0
        ? Plot.areaY(
            [
              [start, start, start + lift],
              [top - lift, top - lift, top],
              [top, top, top],
            ],
            { x: (d) => d[0], y1: (d) => d[1], y2: (d) => d[2], fill: UNCERTAIN },
          )
        : null,
      yAxis({ label: "death", ticks }),
      xAxis({ label: "birth", ticks }),
      baseline(),
      Plot.line(
        [
          [start, start],
          [top, top],
        ],
        { stroke: FRAME, strokeDasharray: "4 3" },
      ),
      Plot.ruleY([never], { stroke: FRAME, strokeDasharray: "1 3" }),
      Plot.text([[top, never]], { text: ["never dies"], ...SMALL_TEXT, textAnchor: "end", dy: -8 }),
      Plot.dot(
        points.filter(({ death }) => death < Infinity),
        { x: "birth", y: "death", fill: "color", fillOpacity: 0.5, r: 2.8 },
      ),
      Plot.dot(
        points.filter(({ death }) => death === Infinity),
        { x: "birth", y: never, stroke: "color", strokeWidth: 1.8, fill: "white", r: 4 },
      ),
    ],
  });
  return composeFigure({
    ...figure,
    legend: prepared.map(({ name, color, bars }) => ({
      name: `${name}: ${count(bars.length, "point")}`,
      color,
      mark: "dot" as const,
    })),
    rows: [
      [
        panel,
        linePanel({
          xLabel: "rank",
          yLabel: "lifetime (death - birth)",
          series: prepared.map(({ name, bars }) => {
            const points = lifetimes(bars);
            return { name, points, whiskers: points.map(() => 0) };
          }),
          width: CONTENT_WIDTH - SIDE - COLUMN_GAP,
          height: SIDE,
        }),
      ],
    ],
    notes: [...(uncertainty > 0 ? ["Shaded: too near the diagonal to be told from nothing."] : []), ...notes],
  });
}

const SMALL_TEXT = { fill: MUTED_INK, fontSize: NOTE_SIZE };

/** Rank and length of the longest bars that end. */
function lifetimes(bars: readonly Bar[]): [number, number][] {
  const lengths = bars.map(({ birth, death }) => death - birth).filter(Number.isFinite);
  return lengths
    .sort((a, b) => b - a)
    .slice(0, LIFETIMES_DRAWN)
    .map((length, k) => [k + 1, length]);
}

/** The first point of each cell of a grid. */
function distinct(bars: readonly Bar[], cell: number): Bar[] {
  const first = new Map<string, Bar>();
  for (const bar of bars) {
    const key = `${Math.round(bar.birth / cell)},${Math.round(bar.death / cell)}`;
    if (!first.has(key)) first.set(key, bar);
  }
  return [...first.values()];
}
