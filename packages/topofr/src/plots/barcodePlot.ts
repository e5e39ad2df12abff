// Barcodes of any degree: a bar from birth to death for each class, a panel for each diagram, one scale for all.

import * as Plot from "@observablehq/plot";
import { baseline, roundTicks, xAxis } from "./axes.js";
import { type Bar, type BarSeries, barSeries, scaleRange } from "./bars.js";
import type { DiagramSeries } from "./diagramSeries.js";
import { CONTENT_WIDTH, composeFigure, drawPanel, emptyPanel, type Panel } from "./figure.js";
import { count, shortNumber } from "./format.js";
import { GRID } from "./theme.js";

/** Bars of one diagram that are drawn: the longest. */
const BARS_DRAWN = 150;

const THICKEST_STEP = 12; // pixels from one bar to the next
const TALLEST_PANEL = 260; // less margins
const MARGIN_TOP = 8;
const MARGIN_BOTTOM = 42;

/** Bars by birth; a class that never dies runs to an arrow at the right. */
export function barcodePlot(
  series: readonly DiagramSeries[],
  { title = "Barcode", notes = [] }: { title?: string; notes?: readonly string[] } = {},
): string {
  const prepared = barSeries(series);
  if (prepared.every(({ bars }) => bars.length === 0)) {
    return composeFigure({ title, rows: [[emptyPanel(CONTENT_WIDTH, 240, "no classes to draw")]], notes });
  }
  const [low, high] = scaleRange(prepared);
  const end = high + (high - low) * 0.06;
  return composeFigure({
    title,
    rows: prepared.map((one) => [
      one.bars.length > 0
        ? barsPanel(one, low, end)
        : { ...emptyPanel(CONTENT_WIDTH, 60, "no classes"), heading: `${one.name}: no bars` },
    ]),
    notes: [
      ...prepared
        .filter(({ bars }) => bars.length > BARS_DRAWN)
        .map(({ name }) => `${name}: the ${BARS_DRAWN} longest bars are drawn.`),
      ...notes,
    ],
  });
}

function barsPanel({ name, color, bars }: BarSeries, low: number, end: number): Panel {
  const drawn = longest(bars).map((bar, k) => ({ ...bar, top: k + 0.15, bottom: k + 0.85 }));
  const endless = drawn.filter(({ death }) => death === Infinity);
  const ticks = roundTicks(low, end, 8);
  const panel = drawPanel({
    width: CONTENT_WIDTH,
    height: MARGIN_TOP + MARGIN_BOTTOM + Math.min(TALLEST_PANEL, Math.max(24, THICKEST_STEP * drawn.length)),
    marginLeft: 12,
    marginTop: MARGIN_TOP,
    marginBottom: MARGIN_BOTTOM,
    x: { domain: [low, end] },
    y: { domain: [drawn.length, 0], axis: null },
    marks: [
      Plot.gridX(ticks, { stroke: GRID, strokeOpacity: 1 }),
      xAxis({ label: "scale", ticks }),
      baseline(),
      Plot.rect(drawn, {
        x1: "birth",
        x2: ({ death }: Bar) => Math.min(death, end),
        y1: "top",
        y2: "bottom",
        fill: color,
        fillOpacity: 0.85,
      }),
      Plot.dot(endless, {
        x: end,
        y: ({ top, bottom }) => (top + bottom) / 2,
        symbol: "triangle",
        rotate: 90,
        fill: color,
        r: 4,
      }),
    ],
  });
  const lasting = bars.filter(({ death }) => death === Infinity).length;
  const heading = `${name}: ${count(bars.length, "bar")}${lasting > 0 ? `, ${shortNumber(lasting)} never dying` : ""}`;
  return { ...panel, heading };
}

function longest(bars: readonly Bar[]): Bar[] {
  return [...bars]
    .sort((a, b) => b.death - b.birth - (a.death - a.birth) || a.birth - b.birth)
    .slice(0, BARS_DRAWN)
    .sort((a, b) => a.birth - b.birth || (a.death === b.death ? 0 : a.death - b.death));
}
