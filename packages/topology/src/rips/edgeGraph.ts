// The graph of all edges of the filtration, asked for ranks and cofacets. Two forms with one set of questions: a
// matrix of ranks (denseGraph.ts) and lists of neighbours (sparseGraph.ts).

import type { Simplex } from "./simplex.js";

/** The rank of a pair that no edge joins: above all ranks. */
export const ABSENT = 0x7fffffff;

/** Cofacets of one simplex, as keys; overwritten by the next question. */
export class CofacetBuffer {
  readonly keys: Float64Array;
  /** 1 where the new vertex stands at an odd place, so that the coefficient of the coboundary is -1. */
  readonly odd: Uint8Array;

  constructor(n: number) {
    this.keys = new Float64Array(n);
    this.odd = new Uint8Array(n);
  }
}

export interface EdgeGraph {
  /** Rank of the edge {x, y}, x != y, or ABSENT. */
  rank(x: number, y: number): number;
  /** The smallest vertex whose edges to both ends of the edge (a, b) come before `rank`, or -1. */
  firstApex(a: number, b: number, rank: number): number;
  /** All such vertices, ascending, into `out`; returns how many. */
  apexes(a: number, b: number, rank: number, out: Int32Array): number;
  /**
   * Whether such a vertex exists in [from, to) whose edges to the first `count` vertices of `others` come before `rank`
   * too.
   */
  hasApexBetween(
    a: number,
    b: number,
    rank: number,
    from: number,
    to: number,
    others: Int32Array,
    count: number,
  ): boolean;
  /** The cofacets with `after` < key whose last edge has a rank of at most `maxRank`; returns how many. */
  cofacets(simplex: Simplex, after: number, maxRank: number, out: CofacetBuffer): number;
}
