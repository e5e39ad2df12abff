// Degree-0 diagrams made ready for figures: sorted, thinned, and on one scale. No drawing here.

import { TopofrError } from "@topofr/formats";
import { finiteDeaths, type PersistenceDiagram } from "@topofr/topology";
import { count, shortNumber } from "./format.js";
import { seriesStyle } from "./theme.js";

export interface DiagramSeries {
  /** For example "input, before training". */
  readonly name: string;
  readonly diagram: PersistenceDiagram;
}

export interface PersistencePlotOptions {
  readonly title?: string;
  /**
   * "shared": one scale for all series. "each": every series is divided by its longest finite death, for spaces whose
   * distances have different units. Unless given, "each" when the longest deaths differ by more than a factor of 4.
   */
  readonly scale?: "shared" | "each";
}

const LARGEST_SHARED_RATIO = 4;

/** Deaths of one series that are drawn; more change no pixel. */
const DEATHS_DRAWN = 1000;

export interface PreparedDiagram {
  readonly name: string;
  readonly color: string;
  /** All finite deaths, ascending, in the figure's unit. */
  readonly deaths: readonly number[];
  /** Those to draw, ascending, the shortest and the longest among them. */
  readonly drawn: readonly number[];
  readonly essentialCount: number;
}

/** Series ready to draw, the name of the figure's unit, and notes on what was done to the numbers. */
export function prepareDiagrams(
  series: readonly DiagramSeries[],
  scale: "shared" | "each" | undefined,
): { prepared: PreparedDiagram[]; unit: string; notes: string[] } {
  const measured = series.map(({ name, diagram }, index) => {
    if (diagram.dimension !== 0 || diagram.births.some((birth) => birth !== 0)) {
      throw new TopofrError(
        "E_USAGE",
        `diagram "${name}" is of degree ${diagram.dimension} or has births other than 0; this figure shows degree 0`,
      );
    }
    const nan = diagram.deaths.filter(Number.isNaN).length;
    const finite = [...finiteDeaths(diagram)].sort((a, b) => a - b);
    return {
      name,
      color: seriesStyle(index).color,
      finite,
      nan,
      essentialCount: diagram.deaths.length - nan - finite.length,
      longest: finite.at(-1) ?? 0,
    };
  });
  const lengths = measured.map(({ longest }) => longest).filter((longest) => longest > 0);
  const apart = Math.max(...lengths) / Math.min(...lengths) > LARGEST_SHARED_RATIO;
  const each = (scale ?? (apart ? "each" : "shared")) === "each";
  return {
    prepared: measured.map(({ finite, ...rest }) => {
      const deaths = finite.map((death) => (each && rest.longest > 0 ? death / rest.longest : death));
      return { ...rest, deaths, drawn: evenlyRanked(deaths, DEATHS_DRAWN) };
    }),
    unit: each ? "share of the longest" : "distance",
    notes: [
      ...(each
        ? [
            `Each series is divided by its longest finite death: ${measured
              .map(({ name, longest }) => `${name} ${shortNumber(longest)}`)
              .join(", ")}.`,
          ]
        : []),
      ...measured.flatMap(({ name, finite, nan }) => [
        ...(nan > 0 ? [`${name}: ${count(nan, "death")} NaN, left out.`] : []),
        ...(finite.length > DEATHS_DRAWN
          ? [
              `${name}: ${shortNumber(finite.length)} deaths, drawn by ${shortNumber(DEATHS_DRAWN)} evenly ranked ones.`,
            ]
          : []),
      ]),
    ],
  };
}

/** The longest finite death of all series, or 1 when there is none above 0. */
export function longestDeath(series: readonly PreparedDiagram[]): number {
  return series.reduce((longest, { deaths }) => Math.max(longest, deaths.at(-1) ?? 0), 0) || 1;
}

function evenlyRanked(sorted: readonly number[], limit: number): readonly number[] {
  if (sorted.length <= limit) return sorted;
  return Array.from(
    { length: limit },
    (_, k) => sorted[Math.round((k * (sorted.length - 1)) / (limit - 1))]!,
  );
}
