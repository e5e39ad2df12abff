// Pictures and tables of diagramsOf: a diagram and a barcode for each size, Betti curves for each degree with a line for each size.
import {
  bettiCurve,
  type Distribution,
  type PersistenceDiagram,
  persistenceStatistics,
} from "@topofr/topology";
import { barcodePlot } from "../../plots/barcodePlot.js";
import { type BettiCurveSeries, bettiBandPlot } from "../../plots/bettiBandPlot.js";
import { count as counted, shortNumber } from "../../plots/format.js";
import { persistenceScatterPlot } from "../../plots/persistenceScatterPlot.js";
import { curveScales, type DegreeResult, type DiagramResult, eventRange } from "./diagrams.js";
import type { PointSet } from "./pointSet.js";

export interface Figure {
  /** Of the file, without its ending. */
  name: string;
  svg: string;
}

/** One row of the summary: a degree of one size. */
export interface DegreeSummary {
  count: number;
  dimension: number;
  method: DiagramResult["method"];
  bars: number;
  essential: number;
  /** Of the finite bars' lengths; null when there are none. */
  lengths: Distribution | null;
  /** Of the bars' lengths, nats. */
  entropy: number;
  /** Landmarks: 2r and what it allows to say; null for an exact diagram. */
  bound: number | null;
  informative: boolean | null;
  note: string | null;
}

export function summarise(results: readonly DiagramResult[]): DegreeSummary[] {
  return results.flatMap((result) =>
    result.method === "subsamples"
      ? []
      : result.degrees.map(({ dimension, diagram, claim }) => {
          const { finiteCount, essentialCount, lengths, entropy } = persistenceStatistics(diagram);
          return {
            count: result.count,
            dimension,
            method: claim === null ? "exact" : result.method,
            bars: finiteCount,
            essential: essentialCount,
            lengths: finiteCount > 0 ? lengths : null,
            entropy,
            bound: claim?.bound ?? null,
            informative: claim?.informative ?? null,
            note: claim?.note ?? null,
          };
        }),
  );
}

/** What is said below each picture. */
export function notesOf(result: DiagramResult): string[] {
  if (result.method === "exact") return [];
  if (result.method === "subsamples") {
    const level = Math.round(100 * (result.bands[0]?.level ?? 0.95));
    return [
      `${counted(result.subsamples, "sample")} of ${counted(result.sampleSize, "point")} out of ${shortNumber(result.count)}: the curves ` +
        "describe samples of that size, not the whole set.",
      `Pale: the middle ${level}% of the samples. Darker: holds the whole expected curve with ${level}% confidence.`,
    ];
  }
  const claims = result.degrees.flatMap(({ claim }) => (claim === null ? [] : [sentence(claim.note)]));
  return ["Degree 0 is exact: of all points.", ...claims];
}

const sentence = (text: string) => `${text[0]!.toUpperCase()}${text.slice(1)}`;

export function diagramFigures(points: PointSet, results: readonly DiagramResult[]): Figure[] {
  const figures: Figure[] = [];
  for (const result of results) {
    if (result.method === "subsamples") continue;
    const series = result.degrees.map(({ dimension, diagram }) => ({ name: `H${dimension}`, diagram }));
    const figure = {
      title: `Persistence of ${counted(result.count, "point")}`,
      subtitle: sentence(points.space),
      notes: notesOf(result),
    };
    const bound = result.degrees.reduce((most, { claim }) => Math.max(most, claim?.bound ?? 0), 0);
    const shade = bound > 0 ? ["The shade is for degrees 1 and up."] : [];
    figures.push({
      name: `diagram-${points.name}-${result.count}`,
      svg: persistenceScatterPlot(series, {
        ...figure,
        ...(bound > 0 && { uncertainty: bound }),
        notes: [...shade, ...figure.notes],
      }),
    });
    figures.push({
      name: `barcode-${points.name}-${result.count}`,
      svg: barcodePlot(series, { title: `${figure.title}: ${points.space}`, notes: figure.notes }),
    });
  }
  return [...figures, ...bettiFigures(points, results)];
}

/** A figure for each degree; its scale is where that degree has classes. */
function bettiFigures(points: PointSet, results: readonly DiagramResult[]): Figure[] {
  const degrees = [0, 1, 2, 3].filter((degree) => results.some((result) => hasDegree(result, degree)));
  return degrees.map((dimension) => {
    const exact = results.flatMap((result) =>
      result.method === "subsamples" ? [] : result.degrees.filter((one) => one.dimension === dimension),
    );
    const scales = curveScales(eventRange(exact.map(({ diagram }) => diagram)));
    const series = results.flatMap((result): BettiCurveSeries[] => {
      const name = counted(result.count, "point");
      if (result.method === "subsamples")
        return result.bands.filter((band) => band.dimension === dimension).map((band) => ({ name, ...band }));
      return result.degrees
        .filter((one) => one.dimension === dimension)
        .map((one) => ({ name: seriesName(name, one), ...curveOf(one.diagram, scales) }));
    });
    const claims = results.flatMap((result) =>
      result.method === "subsamples"
        ? notesOf(result)
        : result.degrees.flatMap((one) =>
            one.dimension === dimension && one.claim !== null ? [sentence(one.claim.note)] : [],
          ),
    );
    return {
      name: `betti-${dimension}-${points.name}`,
      svg: bettiBandPlot(series, {
        title: `Betti curve, degree ${dimension}`,
        subtitle: sentence(points.space),
        yLabel: dimension === 0 ? "connected components" : "classes alive",
        notes: [...new Set(claims)],
      }),
    };
  });
}

const hasDegree = (result: DiagramResult, degree: number): boolean =>
  (result.method === "subsamples" ? result.bands : result.degrees).some(
    ({ dimension }) => dimension === degree,
  );

const seriesName = (name: string, { claim }: DegreeResult) => (claim === null ? name : `${name}, landmarks`);

function curveOf(diagram: PersistenceDiagram, scales: Float64Array) {
  return { scales, mean: bettiCurve(diagram, scales) };
}
