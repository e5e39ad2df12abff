// Bottleneck and Wasserstein distance of two degree-0 diagrams, in closed form. All births are 0 and the ground
// metric is L-infinity, so a point is its death time d, two points lie |d - d'| apart, and d lies d/2 from the
// diagonal. Diagrams with other births need a general solver and are refused.
//
// Essential classes are matched among themselves at no cost (both are born at 0); when their numbers differ,
// no matching of finite cost exists and the distance is Infinity.

import type { PersistenceDiagram } from "./diagram.js";
import { TopologyError } from "./error.js";

/** Point `a` of the first diagram goes to point `b` of the second; null stands for the diagonal. */
export interface MatchedPair {
  readonly a: number | null;
  readonly b: number | null;
  /** Ground distance of the two, in the unit of the deaths. */
  readonly cost: number;
}

export interface DiagramDistance {
  readonly distance: number;
  /** An optimal matching of the finite points, longest deaths first; every finite point occurs once. */
  readonly matching: readonly MatchedPair[];
}

/**
 * Bottleneck distance: max over k of min(|a_k - b_k|, max(a_k, b_k) / 2), deaths descending, padded with 0.
 * O(n log n).
 *
 * @throws TopologyError `E_DIAGRAM` unless both diagrams are of degree 0 with all births 0.
 */
export function bottleneckDistance(a: PersistenceDiagram, b: PersistenceDiagram): DiagramDistance {
  const [first, second] = [descendingDeaths(a, "first"), descendingDeaths(b, "second")];
  const matching: MatchedPair[] = [];
  let distance = essentialDistance(first, second);
  for (let k = 0; k < Math.max(first.order.length, second.order.length); k++) {
    const [deathA, deathB] = [first.deaths[k] ?? 0, second.deaths[k] ?? 0];
    const apart = Math.abs(deathA - deathB);
    const toDiagonal = Math.max(deathA, deathB) / 2;
    distance = Math.max(distance, Math.min(apart, toDiagonal));
    const [indexA, indexB] = [first.order[k], second.order[k]];
    if (indexA !== undefined && indexB !== undefined && apart <= toDiagonal) {
      matching.push({ a: indexA, b: indexB, cost: apart });
    } else {
      if (indexA !== undefined) matching.push({ a: indexA, b: null, cost: deathA / 2 });
      if (indexB !== undefined) matching.push({ a: null, b: indexB, cost: deathB / 2 });
    }
  }
  return { distance, matching };
}

/**
 * Wasserstein distance W_p = (min over matchings of the sum of cost^p)^(1/p). Costs are convex on the line, so
 * an optimal matching keeps the order of the deaths: an alignment of two sorted lists. O(n m) time, n m bytes.
 *
 * @param options.p order, 1 <= p < Infinity; 1 unless given.
 * @throws TopologyError `E_DIAGRAM` unless both diagrams are of degree 0 with all births 0, and p is in range.
 */
export function wassersteinDistance(
  a: PersistenceDiagram,
  b: PersistenceDiagram,
  { p = 1 }: { p?: number } = {},
): DiagramDistance {
  if (!(p >= 1 && p < Infinity)) {
    throw new TopologyError(
      "E_DIAGRAM",
      `Wasserstein order p is ${p}; 1 <= p < Infinity expected (the limit is bottleneckDistance)`,
    );
  }
  const [first, second] = [descendingDeaths(a, "first"), descendingDeaths(b, "second")];
  const { total, steps } = align(first.deaths, second.deaths, p);
  const matching: MatchedPair[] = [];
  let [i, j] = [first.order.length, second.order.length];
  const width = j + 1;
  while (i > 0 || j > 0) {
    const step = steps[i * width + j]!;
    const indexA = step === SKIP_B ? null : first.order[--i]!;
    const indexB = step === SKIP_A ? null : second.order[--j]!;
    const [deathA, deathB] = [first.deaths[i]!, second.deaths[j]!];
    const cost = step === MATCH ? Math.abs(deathA - deathB) : (step === SKIP_A ? deathA : deathB) / 2;
    matching.push({ a: indexA, b: indexB, cost });
  }
  return { distance: total ** (1 / p) + essentialDistance(first, second), matching: matching.reverse() };
}

const MATCH = 0;
const SKIP_A = 1; // a point of the first list goes to the diagonal
const SKIP_B = 2;

/**
 * The cheapest alignment of two descending lists. `steps[i * (m + 1) + j]` is the last step of the cheapest
 * alignment of the first i with the first j entries.
 */
function align(a: Float64Array, b: Float64Array, p: number): { total: number; steps: Uint8Array } {
  const [n, m] = [a.length, b.length];
  const width = m + 1;
  const steps = new Uint8Array((n + 1) * width);
  const skipB = b.map((death) => (death / 2) ** p);
  // costs[j]: cheapest alignment of the first i entries of a with the first j of b, row after row.
  const costs = new Float64Array(width);
  for (let j = 1; j <= m; j++) {
    costs[j] = costs[j - 1]! + skipB[j - 1]!;
    steps[j] = SKIP_B;
  }
  for (let i = 1; i <= n; i++) {
    const death = a[i - 1]!;
    const skipA = (death / 2) ** p;
    let diagonal = costs[0]!;
    costs[0] = diagonal + skipA;
    steps[i * width] = SKIP_A;
    for (let j = 1; j <= m; j++) {
      let cheapest = diagonal + Math.abs(death - b[j - 1]!) ** p;
      let step = MATCH;
      const withoutA = costs[j]! + skipA;
      if (withoutA < cheapest) {
        cheapest = withoutA;
        step = SKIP_A;
      }
      const withoutB = costs[j - 1]! + skipB[j - 1]!;
      if (withoutB < cheapest) {
        cheapest = withoutB;
        step = SKIP_B;
      }
      diagonal = costs[j]!;
      costs[j] = cheapest;
      steps[i * width + j] = step;
    }
  }
  return { total: costs[m]!, steps };
}

interface SortedDeaths {
  /** Finite deaths, descending. */
  readonly deaths: Float64Array;
  /** Their places in the diagram. */
  readonly order: readonly number[];
  readonly essentialCount: number;
}

function descendingDeaths(diagram: PersistenceDiagram, which: "first" | "second"): SortedDeaths {
  const { dimension, births, deaths } = diagram;
  if (dimension !== 0) {
    throw new TopologyError("E_DIAGRAM", `the ${which} diagram is of degree ${dimension}; degree 0 expected`);
  }
  if (births.length !== deaths.length) {
    throw new TopologyError(
      "E_DIAGRAM",
      `the ${which} diagram has ${births.length} births and ${deaths.length} deaths; equal numbers expected`,
    );
  }
  const bad = deaths.findIndex((death, k) => births[k] !== 0 || !(death >= 0));
  if (bad >= 0) {
    throw new TopologyError(
      "E_DIAGRAM",
      `the ${which} diagram's point ${bad} is (${births[bad]}, ${deaths[bad]}); birth 0 and death >= 0 expected`,
    );
  }
  const order = [...deaths.keys()].filter((k) => deaths[k]! < Infinity);
  order.sort((i, j) => deaths[j]! - deaths[i]! || i - j);
  return {
    deaths: Float64Array.from(order, (k) => deaths[k]!),
    order,
    essentialCount: deaths.length - order.length,
  };
}

function essentialDistance(a: SortedDeaths, b: SortedDeaths): number {
  return a.essentialCount === b.essentialCount ? 0 : Infinity;
}
