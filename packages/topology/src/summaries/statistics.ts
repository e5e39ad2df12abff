// A diagram as a row of numbers: what its bars' births, deaths, midpoints and lengths look like.

import type { PersistenceDiagram } from "../diagram.js";
import { type EssentialOptions, finiteBars } from "./bars.js";
import { persistenceEntropy } from "./entropy.js";

/** Of one quantity over the finite bars. Everything is NaN when there are none. */
export interface Distribution {
  readonly mean: number;
  /** Of the bars as the whole population (divided by n). */
  readonly standardDeviation: number;
  readonly min: number;
  readonly max: number;
  /** Interpolated between neighbours, as NumPy does. */
  readonly median: number;
  readonly percentile10: number;
  readonly percentile25: number;
  readonly percentile75: number;
  readonly percentile90: number;
}

export interface PersistenceStatistics {
  readonly dimension: number;
  readonly finiteCount: number;
  readonly essentialCount: number;
  /** Sum of the lengths. */
  readonly totalPersistence: number;
  readonly entropy: number;
  readonly births: Distribution;
  readonly deaths: Distribution;
  readonly midpoints: Distribution;
  readonly lengths: Distribution;
}

/**
 * The usual table of persistence statistics (Ali et al. 2023, section 3.1).
 *
 * @throws TopologyError `E_DIAGRAM` for points that are none.
 */
export function persistenceStatistics(
  diagram: PersistenceDiagram,
  essential: EssentialOptions = {},
): PersistenceStatistics {
  const { births, deaths, essentialCount } = finiteBars(diagram, essential);
  const lengths = deaths.map((death, k) => death - births[k]!);
  return {
    dimension: diagram.dimension,
    finiteCount: births.length,
    essentialCount,
    totalPersistence: sum(lengths),
    entropy: persistenceEntropy(diagram, essential),
    births: distribution(births),
    deaths: distribution(deaths),
    midpoints: distribution(deaths.map((death, k) => (death + births[k]!) / 2)),
    lengths: distribution(lengths),
  };
}

function distribution(values: Float64Array): Distribution {
  const sorted = values.slice().sort();
  const mean = sum(values) / values.length;
  return {
    mean,
    standardDeviation: Math.sqrt(sum(values.map((value) => (value - mean) ** 2)) / values.length),
    min: sorted[0] ?? NaN,
    max: sorted.at(-1) ?? NaN,
    median: quantile(sorted, 0.5),
    percentile10: quantile(sorted, 0.1),
    percentile25: quantile(sorted, 0.25),
    percentile75: quantile(sorted, 0.75),
    percentile90: quantile(sorted, 0.9),
  };
}

/** The value below which a `share` of the ascending values lies, interpolated; NaN when there are none. */
export function quantile(sorted: Float64Array, share: number): number {
  if (sorted.length === 0) return NaN;
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below]! + (place - below) * (sorted[above]! - sorted[below]!);
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}
