// The auction behind Wasserstein distances: a near-optimal partial matching of two point sets, and prices that prove
// how near. Forward and reverse (Bertsekas and Castañon 1992), with falling epsilon and bids found in k-d trees
// (Kerber, Morozov, Nigmetov 2017). The proof of optimality to the last bit is finish.ts.
//
// Sending every point to the diagonal costs the sum of half^p. Matching i with j saves
// s(i, j) = half_i^p + half_j^p - d(i, j)^p of that, so that the cheapest matching is the one that saves most, and
// no copies of the diagonal are needed. Prices are dual: with v_j >= 0 and u_i = max(0, max_j s(i, j) - v_j), no
// matching saves more than the sum of all u and v.

import { treeOf } from "./cover.js";
import type { PlanePoints } from "./points.js";
import { WeightTree } from "./weightTree.js";

export class Auction {
  readonly a: Bidders;
  readonly b: Bidders;

  /** @param a,b in a unit in which no point is farther than 1 from the diagonal. */
  constructor(a: PlanePoints, b: PlanePoints, p: number) {
    this.a = new Bidders(a, p);
    this.b = new Bidders(b, p);
  }

  /** What sending all points to the diagonal costs. */
  get withoutMatching(): number {
    return sum(this.a.toDiagonal) + sum(this.b.toDiagonal);
  }

  /** One round: a matching that saves at most min(n, m) * epsilon less than the best one. */
  run(epsilon: number): void {
    const { a, b } = this;
    // Who would rather have something else, now that epsilon is smaller, becomes free.
    this.settle();
    for (let i = 0; i < a.size; i++) {
      const j = a.partner[i]!;
      if (j < 0) continue;
      const profit = a.toDiagonal[i]! - (a.costTo(i, b, j) - b.toDiagonal[j]! + b.profit[j]!);
      if (profit >= 0 && profit >= a.profit[i]! - epsilon) a.profit[i] = profit;
      else {
        a.partner[i] = -1;
        b.partner[j] = -1;
      }
    }
    bid(a, b, epsilon);
    bid(b, a, epsilon);
  }

  /** Sets a's profits to their least feasible value and returns the dual bound: no matching saves more. */
  settle(): number {
    const { a, b } = this;
    b.index();
    for (let i = 0; i < a.size; i++) {
      b.tree.findTwo(a.x[i]!, a.y[i]!, a.toDiagonal[i]!);
      a.profit[i] = a.toDiagonal[i]! - b.tree.bestValue;
    }
    return sum(a.profit) + sum(b.profit);
  }
}

/** One side of the auction. */
export class Bidders {
  readonly size: number;
  readonly x: Float64Array;
  readonly y: Float64Array;
  /** Cost of the diagonal: half the persistence, to the power p. */
  readonly toDiagonal: Float64Array;
  /** Dual value: what a point asks of the other side for being its partner. Never negative. */
  readonly profit: Float64Array;
  /** Partner on the other side, -1 for the diagonal. */
  readonly partner: Int32Array;
  readonly tree: WeightTree;
  readonly #p: number;

  constructor(points: PlanePoints, p: number) {
    this.size = points.half.length;
    this.x = points.births;
    this.y = points.deaths;
    this.toDiagonal = points.half.map((half) => half ** p);
    this.profit = new Float64Array(this.size);
    this.partner = new Int32Array(this.size).fill(-1);
    this.tree = new WeightTree(treeOf(points), p);
    this.#p = p;
  }

  costTo(i: number, other: Bidders, j: number): number {
    return Math.max(Math.abs(this.x[i]! - other.x[j]!), Math.abs(this.y[i]! - other.y[j]!)) ** this.#p;
  }

  /** Tells the tree all profits. */
  index(): void {
    this.tree.fill((point) => this.profit[point]! - this.toDiagonal[point]!);
  }
}

/** Free bidders with something to gain bid for partners until each has one or prefers the diagonal. */
function bid(bidders: Bidders, others: Bidders, epsilon: number): void {
  others.index();
  const waiting: number[] = [];
  for (let i = bidders.size - 1; i >= 0; i--) {
    if (bidders.partner[i]! < 0 && bidders.profit[i]! > 0) waiting.push(i);
  }
  for (let i = waiting.pop(); i !== undefined; i = waiting.pop()) {
    const own = bidders.toDiagonal[i]!;
    others.tree.findTwo(bidders.x[i]!, bidders.y[i]!, own); // the diagonal, at a gain of 0, is the last resort
    const { best, bestValue, nextValue } = others.tree;
    if (own - bestValue <= epsilon) {
      bidders.profit[i] = 0;
      continue;
    }
    const profit = Math.max(0, own - nextValue - epsilon);
    const outbid = others.partner[best]!;
    if (outbid >= 0) {
      bidders.partner[outbid] = -1;
      waiting.push(outbid);
    }
    const price = others.profit[best]! + (own - bestValue - profit);
    bidders.profit[i] = profit;
    bidders.partner[i] = best;
    others.profit[best] = price;
    others.partner[best] = i;
    others.tree.set(best, price - others.toDiagonal[best]!);
  }
}

function sum(values: Float64Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
