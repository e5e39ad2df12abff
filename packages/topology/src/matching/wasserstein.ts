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

const FIRST_EPSILON = 0.05; // a match saves at most 2
const EPSILON_STEP = 5;
const LAST_EPSILON = 1e-14;

/** A cost this near its lower bound, as a share of it, is the optimum to the rounding of its sum. */
const ROUNDING = 1e-12;

/** Pairs for each point among which the optimum is sought; more would take longer than another round. */
const PAIRS_EACH = 24;

/** Ties can leave more pairs than that however good the prices. The last attempt is made among so many. */
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
  const pairs = PAIRS_EACH * (auction.a.size + auction.b.size);
  for (let epsilon = FIRST_EPSILON; ; epsilon /= EPSILON_STEP) {
    auction.run(epsilon);
    const mostSaved = auction.settle();
    const saved = savedBy(auction);
    const lower = Math.max(0, withoutMatching - mostSaved);
    const cost = withoutMatching - saved;
    const last = epsilon <= LAST_EPSILON;
    const near = relativeError > 0 && cost <= lower * allowed;
    let exact = cost <= lower * (1 + ROUNDING);
    if (!exact && !near) exact = finishMatching(auction, mostSaved - saved, last ? MOST_PAIRS : pairs);
    if (exact || near || last) return { partner, lower: longest * lower ** (1 / p), exact };
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
