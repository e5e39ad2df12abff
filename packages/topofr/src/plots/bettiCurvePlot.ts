// Betti curves in degree 0: how fast the points of a space join as the scale grows.

import * as Plot from "@observablehq/plot";
import { bettiCurve } from "@topofr/topology";
import { baseline, xAxis, yAxis } from "./axes.js";
import {
  type DiagramSeries,
  longestDeath,
  type PersistencePlotOptions,
  type PreparedDiagram,
  prepareDiagrams,
} from "./diagramSeries.js";
import { CONTENT_WIDTH, composeFigure, drawPanel, emptyPanel } from "./figure.js";
import { lineLegend } from "./lineChart.js";
import { seriesStyle } from "./theme.js";

/** Components alive at each scale, as the step function that it is. */
export function bettiCurvePlot(
  series: readonly DiagramSeries[],
  { title = "Betti curve, degree 0", scale }: PersistencePlotOptions = {},
): string {
  const { prepared, unit, notes } = prepareDiagrams(series, scale);
  if (prepared.every(({ deaths, essentialCount }) => deaths.length + essentialCount === 0)) {
    return composeFigure({ title, rows: [[emptyPanel(CONTENT_WIDTH, 240, "no points to draw")]], notes });
  }
  const largest = longestDeath(prepared);
  const most = Math.max(...prepared.map(({ deaths, essentialCount }) => deaths.length + essentialCount));
  const panel = drawPanel({
    width: CONTENT_WIDTH,
    height: 320,
    x: { domain: [0, largest * 1.05] },
    y: { domain: [0, most * 1.04] },
    marks: [
      yAxis({ label: "connected components", ticks: 6 }),
      xAxis({ label: `scale (${unit})`, ticks: 8 }),
      baseline(),
      ...prepared.map((one, index) =>
        Plot.line(bettiSteps(one, largest * 1.05), {
          stroke: seriesStyle(index).color,
          strokeDasharray: seriesStyle(index).dash,
          strokeWidth: 2,
          curve: "step-after",
        }),
      ),
    ],
  });
  return composeFigure({
    title,
    legend: prepared.map(({ name }, index) => lineLegend(name, index)),
    rows: [[panel]],
    notes,
  });
}

function bettiSteps({ deaths, drawn, essentialCount }: PreparedDiagram, end: number): [number, number][] {
  const all = new Float64Array(deaths.length + essentialCount).fill(Infinity);
  all.set(deaths);
  const scales = [0, ...new Set(drawn), end];
  const curve = bettiCurve({ dimension: 0, births: new Float64Array(all.length), deaths: all }, scales);
  return scales.map((scale, k) => [scale, curve[k]!]);
}
