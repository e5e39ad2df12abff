// Bottleneck and Wasserstein distance of two persistence diagrams of one degree, with an optimal matching. The ground
// metric is L-infinity. Here the parts of a diagram are put together; the matchings of finite points are found in
// matching/: closed forms where all births are equal (degree 0), general solvers elsewhere.
//
// Essential classes match each other in the order of their births, never a finite point. When their numbers differ,
// no matching of finite cost exists and the distance is Infinity.

import type { PersistenceDiagram } from "./diagram.js";
import { TopologyError } from "./error.js";
import { bottleneckMatching } from "./matching/bottleneck.js";
import {
  bottleneckAlignment,
  fitsAlignment,
  haveEqualBirths,
  wassersteinAlignment,
} from "./matching/equalBirths.js";
import { groundDistance, type SplitDiagram, splitDiagram } from "./matching/points.js";
import { wassersteinMatching } from "./matching/wasserstein.js";

/** Point `a` of the first diagram goes to point `b` of the second; null stands for the diagonal. */
export interface MatchedPair {
  readonly a: number | null;
  readonly b: number | null;
  /** Ground distance of the two, in the unit of the births; Infinity for an essential class without a partner. */
  readonly cost: number;
}

export interface DiagramDistance {
  /** What `matching` costs: the distance itself when `exact`, an upper bound of it otherwise. */
  readonly distance: number;
  /** The distance is not below this; equal to `distance` when `exact`. */
  readonly lowerBound: number;
  /** Whether the matching was proven optimal, to rounding: its sum of cost^p to 1e-12 of itself, or better. */
  readonly exact: boolean;
  /** Every point of both diagrams once; the longest bars first. */
  readonly matching: readonly MatchedPair[];
}

export interface DistanceOptions {
  /** 0 (unless given) for the exact distance; 0.01 lets the result be up to 1% too large, and is faster. */
  readonly relativeError?: number;
}

/**
 * Bottleneck distance: the smallest c such that every point has a partner or the diagonal within c.
 * Equal births: O(n log n). Else about O(n^1.5 log² n).
 *
 * @throws TopologyError `E_DIAGRAM` for diagrams of different degree or points that are none; `E_OPTION` for
 *   relativeError out of range.
 */
export function bottleneckDistance(
  a: PersistenceDiagram,
  b: PersistenceDiagram,
  { relativeError = 0 }: DistanceOptions = {},
): DiagramDistance {
  assertRelativeError(relativeError);
  const [first, second] = splitBoth(a, b);
  const closed = haveEqualBirths(first.points, second.points);
  const { partner, lower } = closed
    ? { partner: bottleneckAlignment(first.points, second.points), lower: Infinity }
    : bottleneckMatching(first.points, second.points, relativeError);
  const matching = wholeMatching(a, b, first, second, partner);
  const distance = matching.reduce((most, { cost }) => Math.max(most, cost), 0);
  const essential = essentialCosts(matching, a).reduce((most, cost) => Math.max(most, cost), 0);
  const lowerBound = Math.min(distance, Math.max(lower, essential));
  return { distance, lowerBound, exact: lowerBound === distance, matching };
}

/**
 * Wasserstein distance W_p = (min over matchings of the sum of cost^p)^(1/p).
 * Equal births: O(n m). Else an auction, which grows little faster than n, and a finish that proves the optimum.
 *
 * @param options.p order, 1 <= p < Infinity; 1 unless given.
 * @throws TopologyError `E_DIAGRAM` for diagrams of different degree or points that are none; `E_OPTION` for p or
 *   relativeError out of range.
 */
export function wassersteinDistance(
  a: PersistenceDiagram,
  b: PersistenceDiagram,
  { p = 1, relativeError = 0 }: DistanceOptions & { readonly p?: number } = {},
): DiagramDistance {
  if (!(p >= 1 && p < Infinity)) {
    throw new TopologyError(
      "E_OPTION",
      `Wasserstein order p is ${p}; 1 <= p < Infinity expected (the limit is bottleneckDistance)`,
    );
  }
  assertRelativeError(relativeError);
  const [first, second] = splitBoth(a, b);
  const closed = haveEqualBirths(first.points, second.points) && fitsAlignment(first.points, second.points);
  const { partner, lower, exact } = closed
    ? { partner: wassersteinAlignment(first.points, second.points, p), lower: 0, exact: true }
    : wassersteinMatching(first.points, second.points, p, relativeError);
  const matching = wholeMatching(a, b, first, second, partner);
  const distance = pNorm(
    matching.map(({ cost }) => cost),
    p,
  );
  return {
    distance,
    lowerBound: exact ? distance : Math.min(distance, pNorm([lower, ...essentialCosts(matching, a)], p)),
    exact,
    matching,
  };
}

/**
 * The distances of two lists of diagrams, such as `persistence` returns, degree by degree. A degree that one list lacks
 * is empty there.
 *
 * @param between the distance; {@link bottleneckDistance} unless given.
 * @returns one distance for each degree that occurs, ascending.
 * @throws TopologyError `E_DIAGRAM` when a list has two diagrams of one degree, and as `between`.
 */
export function distancesByDegree(
  a: readonly PersistenceDiagram[],
  b: readonly PersistenceDiagram[],
  between: (a: PersistenceDiagram, b: PersistenceDiagram) => DiagramDistance = bottleneckDistance,
): (DiagramDistance & { readonly dimension: number })[] {
  const ofDegree = (diagrams: readonly PersistenceDiagram[], dimension: number): PersistenceDiagram => {
    const [found, second] = diagrams.filter((diagram) => diagram.dimension === dimension);
    if (second !== undefined) {
      throw new TopologyError("E_DIAGRAM", `two diagrams of degree ${dimension} in one list; one expected`);
    }
    return found ?? { dimension, births: new Float64Array(0), deaths: new Float64Array(0) };
  };
  const dimensions = new Set([...a, ...b].map(({ dimension }) => dimension));
  return [...dimensions]
    .sort((one, other) => one - other)
    .map((dimension) => ({
      dimension,
      ...between(ofDegree(a, dimension), ofDegree(b, dimension)),
    }));
}

function splitBoth(a: PersistenceDiagram, b: PersistenceDiagram): [SplitDiagram, SplitDiagram] {
  if (a.dimension !== b.dimension) {
    throw new TopologyError(
      "E_DIAGRAM",
      `the first diagram is of degree ${a.dimension}, the second diagram is of degree ${b.dimension}; ` +
        "equal degrees expected",
    );
  }
  return [splitDiagram(a, "first"), splitDiagram(b, "second")];
}

/** All pairs, by the longest bar in each, descending. */
function wholeMatching(
  a: PersistenceDiagram,
  b: PersistenceDiagram,
  first: SplitDiagram,
  second: SplitDiagram,
  partner: Int32Array,
): MatchedPair[] {
  const pairs: MatchedPair[] = [];
  for (let k = 0; k < Math.max(first.essential.length, second.essential.length); k++) {
    const [i, j] = [first.essential[k], second.essential[k]];
    const cost = i === undefined || j === undefined ? Infinity : Math.abs(a.births[i]! - b.births[j]!);
    pairs.push({ a: i ?? null, b: j ?? null, cost });
  }
  const lonely = new Uint8Array(second.points.half.length).fill(1);
  partner.forEach((j, i) => {
    if (j >= 0) lonely[j] = 0;
    pairs.push({
      a: first.points.index[i]!,
      b: j >= 0 ? second.points.index[j]! : null,
      cost: j >= 0 ? groundDistance(first.points, i, second.points, j) : first.points.half[i]!,
    });
  });
  lonely.forEach((alone, j) => {
    if (alone) pairs.push({ a: null, b: second.points.index[j]!, cost: second.points.half[j]! });
  });
  for (const k of first.onDiagonal) pairs.push({ a: k, b: null, cost: 0 });
  for (const k of second.onDiagonal) pairs.push({ a: null, b: k, cost: 0 });
  const persistence = (diagram: PersistenceDiagram, k: number | null) =>
    k === null ? 0 : diagram.deaths[k]! - diagram.births[k]!;
  const length = new Map(
    pairs.map((pair) => [pair, Math.max(persistence(a, pair.a), persistence(b, pair.b))]),
  );
  // Two infinite lengths differ by NaN, which counts as equal: sorting is stable.
  return pairs.sort((one, other) => length.get(other)! - length.get(one)! || 0);
}

function essentialCosts(matching: readonly MatchedPair[], a: PersistenceDiagram): number[] {
  return matching
    .filter((pair) => pair.cost === Infinity || (pair.a !== null && a.deaths[pair.a] === Infinity))
    .map(({ cost }) => cost);
}

/** (sum of cost^p)^(1/p); powers are taken of shares of the largest cost, so that none of consequence underflows. */
function pNorm(costs: readonly number[], p: number): number {
  const most = costs.reduce((largest, cost) => Math.max(largest, cost), 0);
  if (most === 0 || most === Infinity) return most;
  return most * costs.reduce((sum, cost) => sum + (cost / most) ** p, 0) ** (1 / p);
}

function assertRelativeError(relativeError: number): void {
  if (!(relativeError >= 0 && relativeError < Infinity)) {
    throw new TopologyError("E_OPTION", `relativeError is ${relativeError}; 0 or more expected`);
  }
}
