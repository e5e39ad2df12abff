// Betti curves of any degree with bands around them: subsamples, or the range over several runs.

import * as Plot from "@observablehq/plot";
import { TopofrError } from "@topofr/formats";
import { baseline, xAxis, yAxis } from "./axes.js";
import { CONTENT_WIDTH, composeFigure, drawPanel, emptyPanel } from "./figure.js";
import { lineLegend } from "./lineChart.js";
import { seriesStyle } from "./theme.js";

/** A `BettiBand` of @topofr/topology with a name fits; a curve alone has no bands. */
export interface BettiCurveSeries {
  readonly name: string;
  /** Ascending. */
  readonly scales: ArrayLike<number>;
  readonly mean: ArrayLike<number>;
  /** The wide, pale band. */
  readonly spread?: { readonly low: ArrayLike<number>; readonly high: ArrayLike<number> };
  /** The narrow, darker band. */
  readonly confidence?: { readonly low: ArrayLike<number>; readonly high: ArrayLike<number> };
}

export interface BettiBandOptions {
  readonly title?: string;
  readonly subtitle?: string;
  readonly xLabel?: string;
  readonly yLabel?: string;
  /** Whether each value holds until the next scale, as those of one exact curve do. */
  readonly steps?: boolean;
  readonly notes?: readonly string[];
}

/** A line for each curve over its bands. */
export function bettiBandPlot(
  series: readonly BettiCurveSeries[],
  {
    title = "Betti curves",
    subtitle,
    xLabel = "scale",
    yLabel = "classes alive",
    steps = false,
    notes = [],
  }: BettiBandOptions = {},
): string {
  const figure = { title, ...(subtitle === undefined ? {} : { subtitle }) };
  const curves = series.map((one) => ({ name: one.name, points: pointsOf(one) }));
  const all = curves.flatMap(({ points }) => points);
  if (all.length === 0) {
    return composeFigure({ ...figure, rows: [[emptyPanel(CONTENT_WIDTH, 240, "no curves to draw")]], notes });
  }
  const most = all.reduce((largest, { mean, top, high }) => Math.max(largest, mean, top, high), 0);
  const shape = steps ? ({ curve: "step-after" } as const) : {};
  const left = all.reduce((least, { scale }) => Math.min(least, scale), Infinity);
  const right = all.reduce((largest, { scale }) => Math.max(largest, scale), -Infinity);
  const panel = drawPanel({
    width: CONTENT_WIDTH,
    height: 340,
    x: { domain: left < right ? [left, right] : [left - 0.5, left + 0.5] },
    y: { domain: [0, most > 0 ? most * 1.04 : 1] },
    marks: [
      yAxis({ label: yLabel, ticks: 6 }),
      xAxis({ label: xLabel, ticks: 8 }),
      baseline(),
      ...curves.flatMap(({ points }, index) => {
        const { color, dash } = seriesStyle(index);
        const band = (y1: "bottom" | "low", y2: "top" | "high", fillOpacity: number) =>
          points.some((point) => point[y1] < point[y2])
            ? Plot.areaY(points, { x: "scale", y1, y2, fill: color, fillOpacity, ...shape })
            : null;
        return [
          band("bottom", "top", 0.12),
          band("low", "high", 0.25),
          Plot.line(points, {
            ...{ x: "scale", y: "mean", stroke: color, strokeDasharray: dash, strokeWidth: 2 },
            ...shape,
          }),
        ];
      }),
    ],
  });
  return composeFigure({
    ...figure,
    legend: series.map(({ name }, index) => lineLegend(name, index)),
    rows: [[panel]],
    notes,
  });
}

interface CurvePoint {
  readonly scale: number;
  readonly mean: number;
  /** Ends of the spread and of the confidence band; the mean itself where there is none. */
  readonly bottom: number;
  readonly top: number;
  readonly low: number;
  readonly high: number;
}

function pointsOf({ name, scales, mean, spread, confidence }: BettiCurveSeries): CurvePoint[] {
  for (const values of [mean, spread?.low, spread?.high, confidence?.low, confidence?.high]) {
    if (values !== undefined && values.length !== scales.length) {
      throw new TopofrError(
        "E_USAGE",
        `curve "${name}": ${values.length} values at ${scales.length} scales; equal numbers expected`,
      );
    }
  }
  return Array.from(scales, (scale, k) => {
    const center = mean[k]!;
    const point = {
      scale,
      mean: center,
      bottom: spread?.low[k] ?? center,
      top: spread?.high[k] ?? center,
      low: confidence?.low[k] ?? center,
      high: confidence?.high[k] ?? center,
    };
    if (!Object.values(point).every(Number.isFinite)) {
      throw new TopofrError("E_USAGE", `curve "${name}": value ${k} is not finite`);
    }
    return point;
  });
}
