// Degree-0 persistence in pictures. All births are 0 there, so the usual diagram is a single column of points: it is
// drawn, with the series set side by side, and next to it the barcodes, which show how the deaths are distributed.

import * as Plot from "@observablehq/plot";
import { baseline, roundTicks, xAxis, yAxis } from "./axes.js";
import {
  type DiagramSeries,
  longestDeath,
  type PersistencePlotOptions,
  type PreparedDiagram,
  prepareDiagrams,
} from "./diagramSeries.js";
import {
  COLUMN_GAP,
  CONTENT_WIDTH,
  composeFigure,
  drawPanel,
  emptyPanel,
  PANEL_LEFT,
  PANEL_RIGHT,
  type Panel,
} from "./figure.js";
import { count, shortNumber } from "./format.js";
import { BACKGROUND, FRAME, GRID, INK, MUTED_INK, NOTE_SIZE } from "./theme.js";

/** Diagram at the left, one sorted barcode for each series at the right. */
export function persistenceDiagramPlot(
  series: readonly DiagramSeries[],
  { title = "Degree-0 persistence", scale }: PersistencePlotOptions = {},
): string {
  const { prepared, unit, notes } = prepareDiagrams(series, scale);
  if (prepared.every(({ deaths }) => deaths.length === 0)) {
    return composeFigure({
      title,
      rows: [[emptyPanel(CONTENT_WIDTH, 240, "no finite deaths to draw")]],
      notes,
    });
  }
  const largest = longestDeath(prepared);
  const left = 320;
  const shared = { series: prepared, largest, unit, height: Math.max(300, 96 * prepared.length + 40) };
  return composeFigure({
    title,
    subtitle:
      "Each death is the scale at which two clusters of the mini-batch merge: an edge of its minimum spanning tree.",
    legend: prepared.map(({ name, color }) => ({ name, color, mark: "dot" as const })),
    rows: [
      [
        { ...scatterPanel({ ...shared, width: left }), heading: "Persistence diagram" },
        {
          ...barcodePanel({ ...shared, width: CONTENT_WIDTH - left - COLUMN_GAP }),
          heading: "Sorted barcodes",
        },
      ],
    ],
    notes: ["All births are 0; the diagram's columns stand apart only to be told apart.", ...notes],
  });
}

interface PanelInput {
  readonly series: readonly PreparedDiagram[];
  /** Longest finite death of all, in the figure's unit; above 0. */
  readonly largest: number;
  readonly unit: string;
  readonly width: number;
  readonly height: number;
}

/** Pixels between the columns of two series in the diagram, and at most of all of them. */
const COLUMN_STEP = 10;
const ALL_COLUMNS = 50;

function scatterPanel({ series, largest, unit, width, height }: PanelInput): Panel {
  const [never, top] = [largest * 1.1, largest * 1.18];
  const left = -largest * 0.12;
  // Columns stand around birth 0, a fixed number of pixels apart.
  const unitsPerPixel = (top - left) / (width - PANEL_LEFT - PANEL_RIGHT);
  const step = Math.min(COLUMN_STEP, ALL_COLUMNS / series.length) * unitsPerPixel;
  const columnOf = (index: number) => (index - (series.length - 1) / 2) * step;
  const points = series.flatMap(({ drawn, color }, index) =>
    drawn.map((death) => ({ x: columnOf(index), y: death, color })),
  );
  const essential = series.flatMap(({ essentialCount, color }, index) =>
    essentialCount > 0 ? [{ x: columnOf(index), y: never, color }] : [],
  );
  return drawPanel({
    width,
    height,
    x: { domain: [left, top] },
    y: { domain: [0, top] },
    color: { type: "identity" },
    marks: [
      yAxis({ label: `death (${unit})`, ticks: roundTicks(0, largest * 1.02, 5) }),
      xAxis({ label: `birth (${unit})`, ticks: roundTicks(0, largest * 1.02, 4) }),
      baseline(),
      Plot.line(
        [
          [0, 0],
          [largest, largest],
        ],
        { stroke: FRAME, strokeDasharray: "4 3" },
      ),
      Plot.text([[largest * 0.72, largest * 0.62]], {
        text: ["birth = death"],
        ...SMALL_TEXT,
        textAnchor: "start",
      }),
      Plot.ruleY([never], { stroke: FRAME, strokeDasharray: "1 3" }),
      Plot.text([[top, never]], { text: ["never dies"], ...SMALL_TEXT, textAnchor: "end", dy: -8 }),
      Plot.dot(points, { x: "x", y: "y", fill: "color", fillOpacity: 0.45, r: 2.6 }),
      Plot.dot(essential, { x: "x", y: "y", stroke: "color", strokeWidth: 1.8, fill: "white", r: 4 }),
    ],
  });
}

const SMALL_TEXT = { fill: MUTED_INK, fontSize: NOTE_SIZE };

/** Bars drawn apart; more become one area, whose edge is the same staircase. */
const SEPARATE_BARS = 24;

/** Of a series' band, bar and gap together. */
const THICKEST_BAR = 0.14;

function barcodePanel({ series, largest, unit, width, height }: PanelInput): Panel {
  const end = largest * 1.05;
  // Series k owns the band from k to k + 1: its name, then its bars with the shortest on top.
  const [firstBar, lastBar] = [0.27, 0.95];
  const bars = series.flatMap(({ drawn, color }, index) => {
    const step = Math.min(THICKEST_BAR, (lastBar - firstBar) / drawn.length);
    const gap = drawn.length > SEPARATE_BARS ? 0 : 0.25;
    return drawn.map((death, k) => ({
      band: index,
      death,
      top: index + firstBar + k * step,
      bottom: index + firstBar + (k + 1 - gap) * step,
      color,
      separate: gap > 0,
    }));
  });
  const stairs = bars
    .filter(({ separate }) => !separate)
    .flatMap((bar) => [
      { ...bar, y: bar.top },
      { ...bar, y: bar.bottom },
    ]);
  return drawPanel({
    width,
    height,
    marginLeft: 12,
    x: { domain: [0, end] },
    y: { domain: [series.length, 0], axis: null },
    color: { type: "identity" },
    marks: [
      Plot.gridX(roundTicks(0, end, 5), { stroke: GRID, strokeOpacity: 1 }),
      xAxis({ label: `scale (${unit})`, ticks: roundTicks(0, end, 5) }),
      baseline(),
      Plot.areaX(stairs, { x1: 0, x2: "death", y: "y", z: "band", fill: "color", fillOpacity: 0.75 }),
      Plot.rect(
        bars.filter(({ separate }) => separate),
        { x1: 0, x2: "death", y1: "top", y2: "bottom", fill: "color", fillOpacity: 0.75 },
      ),
      Plot.text(series, {
        x: 0,
        y: (_, index) => index + firstBar,
        text: ({ name, deaths }: PreparedDiagram) =>
          `${name}: ${count(deaths.length, "bar")}${deaths.length > 0 ? `, median ${shortNumber(median(deaths))}` : ""}`,
        textAnchor: "start",
        lineAnchor: "bottom",
        dy: -5,
        ...SMALL_TEXT,
        fill: INK,
        stroke: BACKGROUND,
        strokeWidth: 4,
      }),
    ],
  });
}

function median(sorted: readonly number[]): number {
  if (sorted.length === 0) return NaN;
  const middle = sorted.length / 2;
  return (sorted[Math.ceil(middle - 1)]! + sorted[Math.floor(middle)]!) / 2;
}
