// Wasserstein matching of two sets of points in the plane, with L-infinity as the ground metric: auction rounds with
// falling epsilon until the prices prove the wanted accuracy, then, for the optimum, the finish.

import { Auction } from "./auction.js";
import { finishMatching } from "./finish.js";
import type { PlanePoints } from "./points.js";

export interface WassersteinMatching {
  /** Partner of each point of `a` among those of `b`, -1 for the diagonal. */
  readonly partner: Int32Array;
  /** A lower bound of every matching's (sum of cost^p)^(1/p). */
  readonly lower: number;
  readonly exact: boolean;
}

const FIRST_EPSILON = 0.5; // a match saves at most 2
const EPSILON_STEP = 5;
const LAST_EPSILON = 1e-14;

/** Pairs for each point among which the optimum is sought; more would take longer than another round. */
const PAIRS_EACH = 24;

/** From this round on, pairs that are still possible are mostly ties, which stay: twice as many are taken each round. */
const TIES_FROM_ROUND = 6;

/** Where this many are left however good the prices, memory ends the search for the optimum. */
const MOST_PAIRS = 1 << 23;

/**
 * @param relativeError 0 for the optimum; else the result's cost^(1/p) is at most (1 + relativeError) times the
 *   optimum's.
 */
export function wassersteinMatching(
  a: PlanePoints,
  b: PlanePoints,
  p: number,
  relativeError: number,
): WassersteinMatching {
  const longest = Math.max(largest(a.half), largest(b.half));
  const auction = new Auction(scaled(a, longest), scaled(b, longest), p);
  const { withoutMatching } = auction;
  const partner = auction.a.partner;
  const allowed = (1 + relativeError) ** p;
  const mostPairs = (round: number) =>
    Math.min(
      MOST_PAIRS,
      PAIRS_EACH * (auction.a.size + auction.b.size) * 2 ** Math.max(0, round - TIES_FROM_ROUND),
    );
  for (let round = 0, epsilon = FIRST_EPSILON; ; round++, epsilon /= EPSILON_STEP) {
    auction.run(epsilon);
    const mostSaved = auction.settle();
    const saved = savedBy(auction);
    const lower = Math.max(0, withoutMatching - mostSaved);
    const lowerBound = longest * lower ** (1 / p);
    const near = withoutMatching - saved <= lower * allowed;
    if (relativeError > 0 && near) return { partner, lower: lowerBound, exact: false };
    if (finishMatching(auction, mostSaved - saved, mostPairs(round))) {
      return { partner, lower: lowerBound, exact: true };
    }
    if (epsilon <= LAST_EPSILON) return { partner, lower: lowerBound, exact: false };
  }
}

function savedBy({ a, b }: Auction): number {
  let saved = 0;
  for (let i = 0; i < a.size; i++) {
    const j = a.partner[i]!;
    if (j >= 0) saved += a.toDiagonal[i]! + b.toDiagonal[j]! - a.costTo(i, b, j);
  }
  return saved;
}

function scaled({ births, deaths, half, index }: PlanePoints, unit: number): PlanePoints {
  const divided = (values: Float64Array) => values.map((value) => value / unit);
  return { births: divided(births), deaths: divided(deaths), half: divided(half), index };
}

function largest(values: Float64Array): number {
  return values.reduce((most, value) => Math.max(most, value), 0);
}
