// Bottleneck matching of two sets of points in the plane: the smallest reach at which every point has a partner or
// the diagonal within reach. Bisection narrows the reach down; the exact answer is one of finitely many values (a
// distance between two points, or from a point to the diagonal), which are listed once few are left.

import { Cover, treeOf } from "./cover.js";
import type { PlaneTree } from "./planeTree.js";
import { groundDistance, type PlanePoints } from "./points.js";

/** Candidate values that are sorted at once; while there are more, bisection goes on. */
const LISTED = 1 << 14;

/** Bisections before the candidates are counted, and between counts. */
const BISECTIONS = 8;

export interface BottleneckMatching {
  /** Partner of each point of `a` among those of `b`, -1 for the diagonal. */
  readonly partner: Int32Array;
  /** The optimum lies between `lower` and the largest cost of this matching. */
  readonly lower: number;
}

/** @param relativeError 0 for the optimum; else the largest cost is at most (1 + relativeError) times it. */
export function bottleneckMatching(
  a: PlanePoints,
  b: PlanePoints,
  relativeError: number,
): BottleneckMatching {
  const [treeA, treeB] = [treeOf(a), treeOf(b)];
  const [coverA, coverB] = [new Cover(a, b, treeB), new Cover(b, a, treeA)];
  let partner: Int32Array = new Int32Array(a.half.length).fill(-1);
  // By Mendelsohn and Dulmage, one matching covers both sides as soon as each side can be covered for itself.
  const feasible = (reach: number): boolean => {
    if (!coverA.covers(reach) || !coverB.covers(reach)) return false;
    partner = merged(coverA.partner, coverB.partner, b.half, reach);
    return true;
  };

  // No point is cheaper than its nearest partner or the diagonal, and the diagonal is there for all.
  let lower = Math.max(nearestCost(a, treeB), nearestCost(b, treeA));
  if (feasible(lower)) return { partner, lower };
  let upper = Math.max(largest(a.half), largest(b.half));
  const close = () => upper <= lower * (1 + relativeError);
  while (!close()) {
    for (let step = 0; step < BISECTIONS && !close(); step++) {
      const middle = lower > 0 && upper > 4 * lower ? Math.sqrt(lower * upper) : (lower + upper) / 2;
      if (!(middle > lower && middle < upper)) break;
      if (feasible(middle)) upper = middle;
      else lower = middle;
    }
    if (close()) break;
    const candidates = candidatesWithin(a, b, treeB, lower, upper);
    if (candidates === undefined) continue;
    // `lower` is infeasible, `upper` is not: the optimum is the least feasible candidate.
    let [infeasible, best] = [-1, candidates.length - 1];
    while (best - infeasible > 1) {
      const middle = (infeasible + best) >>> 1;
      if (feasible(candidates[middle]!)) best = middle;
      else infeasible = middle;
    }
    upper = candidates[best]!;
    lower = upper;
  }
  return { partner, lower };
}

/** Distances between the sets and to the diagonal in (lower, upper], ascending; undefined when too many. */
function candidatesWithin(
  a: PlanePoints,
  b: PlanePoints,
  treeB: PlaneTree,
  lower: number,
  upper: number,
): Float64Array | undefined {
  const found = new Set<number>();
  const add = (value: number) => {
    if (value > lower && value <= upper) found.add(value);
  };
  a.half.forEach(add);
  b.half.forEach(add);
  for (let i = 0; i < a.half.length; i++) {
    const [x, y] = [a.births[i]!, a.deaths[i]!];
    const pending = [0];
    for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
      if (treeB.boxDistance(node, x, y) > upper || farthest(treeB, node, x, y) <= lower) continue;
      if (!treeB.isLeaf(node)) {
        pending.push(2 * node + 1, 2 * node + 2);
        continue;
      }
      for (let place = treeB.start[node]!; place < treeB.end[node]!; place++) {
        add(groundDistance(a, i, b, treeB.order[place]!));
      }
    }
    if (found.size > LISTED) return undefined;
  }
  return Float64Array.from(found).sort();
}

function farthest({ minX, maxX, minY, maxY }: PlaneTree, node: number, x: number, y: number): number {
  return Math.max(maxX[node]! - x, x - minX[node]!, maxY[node]! - y, y - minY[node]!);
}

function nearestCost(points: PlanePoints, others: PlaneTree): number {
  let cost = 0;
  points.half.forEach((half, i) => {
    // One that is nearer the diagonal than the cost so far cannot raise it.
    if (half > cost)
      cost = Math.max(cost, others.nearestDistance(points.births[i]!, points.deaths[i]!, half));
  });
  return cost;
}

/**
 * A matching that covers what `partnerOfA` covers, and every point of b farther than `reach` from the diagonal:
 * along the paths of the two matchings' union.
 */
function merged(
  partnerOfA: Int32Array,
  partnerOfB: Int32Array,
  halfB: Float64Array,
  reach: number,
): Int32Array {
  const partner = partnerOfA.slice();
  const owner = new Int32Array(halfB.length).fill(-1);
  partner.forEach((right, left) => {
    if (right >= 0) owner[right] = left;
  });
  for (let start = 0; start < halfB.length; start++) {
    for (let right = start; right >= 0 && halfB[right]! > reach && owner[right]! < 0; ) {
      const left = partnerOfB[right]!;
      const displaced = partner[left]!;
      partner[left] = right;
      owner[right] = left;
      if (displaced >= 0) owner[displaced] = -1;
      right = displaced;
    }
  }
  return partner;
}

function largest(values: Float64Array): number {
  return values.reduce((most, value) => Math.max(most, value), 0);
}
