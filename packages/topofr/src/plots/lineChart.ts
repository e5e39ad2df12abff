// Lines over one horizontal axis: any metric over steps, scales or thresholds.

import * as Plot from "@observablehq/plot";
import { baseline, linearDomain, logDomain, logTicks, roundTicks, xAxis, yAxis } from "./axes.js";
import {
  CONTENT_WIDTH,
  composeFigure,
  drawPanel,
  emptyPanel,
  type LegendEntry,
  type Panel,
} from "./figure.js";
import { count, powerOfTen, shortNumber } from "./format.js";
import { seriesStyle } from "./theme.js";

export type Point = readonly [x: number, y: number];

export interface Series {
  readonly name: string;
  /** Ascending in x. A y that is not finite leaves a gap in the line. */
  readonly points: readonly Point[];
  /** Length of a whisker up and down at each point; 0 for none. The points are then marked. */
  readonly whiskers?: readonly number[];
}

export interface LineChartOptions {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly series: readonly Series[];
  /** Linear unless given. On a logarithmic axis values that are not positive leave a gap. */
  readonly yScale?: "linear" | "log";
  readonly notes?: readonly string[];
}

/** Points of one series that are drawn; more than a screen has pixels only make the file large. */
const POINTS_DRAWN = 800;

/** A line chart with a legend when it has more than one series. Values left out are counted in a note. */
export function lineChart({
  title,
  xLabel,
  yLabel,
  series,
  yScale = "linear",
  notes = [],
}: LineChartOptions): string {
  const panel = linePanel({ xLabel, yLabel, series, yScale, width: CONTENT_WIDTH, height: 340 });
  return composeFigure({
    title,
    legend: series.length > 1 ? series.map(({ name }, index) => lineLegend(name, index)) : [],
    rows: [[panel]],
    notes: [...gapNotes(series, yScale), ...notes],
  });
}

export function lineLegend(name: string, index: number): LegendEntry {
  return { name, mark: "line", ...seriesStyle(index) };
}

export interface LinePanelOptions extends Omit<LineChartOptions, "title" | "notes"> {
  readonly width: number;
  readonly height: number;
  /** Series of so many points or more get a moving mean, and the points themselves become pale. */
  readonly smoothFrom?: number;
  readonly yFormat?: (value: number) => string;
}

/** The axes and lines alone. */
export function linePanel(options: LinePanelOptions): Panel {
  const { xLabel, yLabel, yScale = "linear", width, height, smoothFrom = Infinity } = options;
  const drawable = (y: number) => Number.isFinite(y) && (yScale === "linear" || y > 0);
  const series = options.series.map(({ points }) =>
    points.filter(([x]) => Number.isFinite(x)).map(([x, y]): Point => [x, drawable(y) ? y : NaN]),
  );
  const values = series.flat().filter(([, y]) => drawable(y));
  if (values.length === 0) return emptyPanel(width, height, "no values to draw");

  const whiskers = options.series.map(({ points, whiskers: lengths = [] }) =>
    lengths.flatMap((length, k): Whisker[] => {
      const [x, y] = points[k]!;
      return Number.isFinite(x) && drawable(y) ? [{ x, y, low: y - length, high: y + length }] : [];
    }),
  );
  const heights = [...values.map(([, y]) => y), ...whiskers.flat().flatMap(({ low, high }) => [low, high])];
  const xDomain = linearExtent(values.map(([x]) => x));
  const yDomain = yScale === "log" ? logDomain(heights) : linearDomain(heights);
  const yTicks = yScale === "log" ? logTicks(yDomain) : Math.round(height / 55);
  const ticks = roundTicks(...xDomain, Math.max(3, Math.round(width / 70)));
  // Steps and epochs are whole numbers: no ticks between them.
  const xTicks = values.every(([x]) => Number.isInteger(x)) ? ticks.filter(Number.isInteger) : ticks;
  return drawPanel({
    width,
    height,
    x: { domain: xDomain },
    y: { domain: yDomain, type: yScale },
    marks: [
      yAxis({
        label: yLabel,
        ticks: yTicks,
        format: options.yFormat ?? (yScale === "log" ? powerOfTen : shortNumber),
      }),
      xAxis({ label: xLabel, ticks: xTicks }),
      baseline(),
      ...series.flatMap((points, index) =>
        seriesMarks(points, index, {
          smooth: points.length >= smoothFrom,
          marked: whiskers[index]!.length > 0,
        }),
      ),
      ...whiskers.flatMap((ends, index) => {
        const { color } = seriesStyle(index);
        return [
          Plot.ruleX(ends, { x: "x", y1: "low", y2: "high", stroke: color, strokeWidth: 1.5 }),
          Plot.dot(ends, { x: "x", y: "y", fill: color, r: 3.5 }),
        ];
      }),
    ],
  });
}

interface Whisker {
  readonly x: number;
  readonly y: number;
  readonly low: number;
  readonly high: number;
}

function seriesMarks(
  points: readonly Point[],
  index: number,
  { smooth, marked }: { smooth: boolean; marked: boolean },
): Plot.Markish[] {
  const { color, dash } = seriesStyle(index);
  const line = (data: readonly Point[], opacity: number) =>
    Plot.line(thin(data, POINTS_DRAWN), {
      stroke: color,
      strokeWidth: opacity < 1 ? 1 : 2,
      strokeOpacity: opacity,
      strokeDasharray: opacity < 1 ? "none" : dash,
      strokeLinejoin: "round",
    });
  const lone = marked ? null : Plot.dot(isolated(points), { fill: color, r: 3.5 });
  return smooth ? [line(points, 0.3), line(movingMean(points), 1), lone] : [line(points, 1), lone];
}

/** Notes on values that could not be drawn. */
export function gapNotes(series: readonly Series[], yScale: "linear" | "log" = "linear"): string[] {
  return series.flatMap(({ name, points }) => {
    const bad = points.filter(([x, y]) => !Number.isFinite(x) || !Number.isFinite(y)).length;
    const low = yScale === "log" ? points.filter(([, y]) => Number.isFinite(y) && y <= 0).length : 0;
    return [
      ...(points.length === 0 ? [`${name}: no values.`] : []),
      ...(bad > 0 ? [`${name}: ${count(bad, "value")} not finite, left as gaps.`] : []),
      ...(low > 0 ? [`${name}: ${count(low, "value")} not positive, outside a logarithmic axis.`] : []),
    ];
  });
}

/** At most about `limit` points: the lowest and the highest of each stretch, so that spikes and gaps survive. */
export function thin(points: readonly Point[], limit: number): readonly Point[] {
  if (points.length <= limit) return points;
  const stretch = Math.ceil((2 * points.length) / limit);
  const kept: Point[] = [];
  for (let start = 0; start < points.length; start += stretch) {
    const part = points.slice(start, start + stretch);
    let [lowest, highest, gap] = [-1, -1, -1];
    part.forEach(([, y], k) => {
      if (Number.isNaN(y)) gap = k;
      else {
        if (lowest < 0 || y < part[lowest]![1]) lowest = k;
        if (highest < 0 || y > part[highest]![1]) highest = k;
      }
    });
    const indices = [...new Set([lowest, highest, gap])].filter((k) => k >= 0).sort((a, b) => a - b);
    kept.push(...indices.map((k) => part[k]!));
  }
  return kept;
}

/** Mean over the fiftieth part of the points around each; gaps stay gaps. */
function movingMean(points: readonly Point[]): Point[] {
  const reach = Math.max(1, Math.round(points.length / 100));
  const sums = [0];
  const counts = [0];
  for (const [, y] of points) {
    sums.push(sums.at(-1)! + (Number.isNaN(y) ? 0 : y));
    counts.push(counts.at(-1)! + (Number.isNaN(y) ? 0 : 1));
  }
  return points.map(([x, y], k): Point => {
    const [from, to] = [Math.max(0, k - reach), Math.min(points.length, k + reach + 1)];
    return [x, Number.isNaN(y) ? NaN : (sums[to]! - sums[from]!) / (counts[to]! - counts[from]!)];
  });
}

/** Points without a drawn neighbour, which a line alone would not show. */
function isolated(points: readonly Point[]): Point[] {
  const drawn = (k: number) => k >= 0 && k < points.length && !Number.isNaN(points[k]![1]);
  return points.filter((_, k) => drawn(k) && !drawn(k - 1) && !drawn(k + 1));
}

function linearExtent(values: readonly number[]): [number, number] {
  const low = values.reduce((a, b) => Math.min(a, b), Infinity);
  const high = values.reduce((a, b) => Math.max(a, b), -Infinity);
  return low === high ? [low - 0.5, high + 0.5] : [low, high];
}
