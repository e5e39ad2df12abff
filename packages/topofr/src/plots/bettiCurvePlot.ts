// Betti curves in degree 0: how fast the points of a space join as the scale grows. Drawn as all Betti curves are: bettiBandPlot.ts.

import { bettiCurve } from "@topofr/topology";
import { bettiBandPlot } from "./bettiBandPlot.js";
import {
  type DiagramSeries,
  longestDeath,
  type PersistencePlotOptions,
  type PreparedDiagram,
  prepareDiagrams,
} from "./diagramSeries.js";

/** Components alive at each scale, as the step function that it is. */
export function bettiCurvePlot(
  series: readonly DiagramSeries[],
  { title = "Betti curve, degree 0", scale }: PersistencePlotOptions = {},
): string {
  const { prepared, unit, notes } = prepareDiagrams(series, scale);
  const end = longestDeath(prepared) * 1.05;
  const curves = prepared.filter(({ deaths, essentialCount }) => deaths.length + essentialCount > 0);
  return bettiBandPlot(
    curves.map((one) => ({ name: one.name, ...stepsOf(one, end) })),
    { title, xLabel: `scale (${unit})`, yLabel: "connected components", steps: true, notes },
  );
}

/** The curve where it changes, of the deaths that are drawn. */
function stepsOf({ deaths, drawn, essentialCount }: PreparedDiagram, end: number) {
  const all = new Float64Array(deaths.length + essentialCount).fill(Infinity);
  all.set(deaths);
  const scales = [0, ...new Set(drawn), end];
  const mean = bettiCurve({ dimension: 0, births: new Float64Array(all.length), deaths: all }, scales);
  return { scales, mean };
}
