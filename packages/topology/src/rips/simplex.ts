// How simplices are numbered: by their last edge, then by their other vertices, in one number.
//
// A simplex of dimension d enters with its last edge, the one of highest rank r; s1 < s2 < … are its d - 1 other
// vertices. Its key is r n^(d-1) + s1 n^(d-2) + s2 n^(d-3) + …, so that keys have the order of the filtration, a heap
// and a hash table hold one number for each simplex, and the diameter is read off it. (The combinatorial number
// system that Ripser numbers vertex sets with would hold about (d - 1)! times as many points in the same bits, and
// needs a search for each vertex read back.) Keys are float64 below 2^52: exact, and one bit short of 2^53, so that
// floor(key / n^(d-1)) is exact too. 32-bit pairs would reach further and cost two loads, two compares and a carry in
// every step; at 2^52, all edges allowed, 208,000 points fit in degree 1, 9,700 in degree 2, 1,550 in degree 3.

import { TopologyError } from "../error.js";
import type { SortedEdges } from "./sortedEdges.js";

const KEY_LIMIT = 2 ** 52;

/** @throws TopologyError `E_TOO_LARGE` when the simplices that degree `maxDimension` needs have no exact keys. */
export function assertKeysFit(n: number, edgeCount: number, maxDimension: number): void {
  if (maxDimension === 0 || edgeCount * n ** maxDimension <= KEY_LIMIT) return;
  const share = edgeCount / ((n * (n - 1)) / 2);
  const most = Math.floor((KEY_LIMIT / (share / 2)) ** (1 / (maxDimension + 2)));
  throw new TopologyError(
    "E_TOO_LARGE",
    `maxDimension ${maxDimension}: the simplices of ${n} points and ${edgeCount} edges cannot be numbered exactly ` +
      `(${edgeCount} x ${n}^${maxDimension} exceeds 2^52); about ${most} points fit, or a lower threshold, or ` +
      `maxDimension ${maxDimension - 1}`,
  );
}

/** One simplex, taken apart so that the keys of its cofacets are a multiplication and an addition each. */
export class Simplex {
  /** Ascending; `size` of them count. */
  readonly vertices = new Int32Array(5);
  size = 0;
  /** Rank of its last edge. */
  rank = 0;
  /** A cofacet with another last edge, from vertex i to the new one, of rank m: m * radix + replaced[i]. */
  readonly replaced = new Float64Array(4);
  radix = 1;
  /** The cofacet by w with the same last edge: same[s] + w * scale[s], s being how many vertices are below w. */
  readonly same = new Float64Array(5);
  readonly scale = new Float64Array(5);

  readonly #edges: SortedEdges;
  /** n to the powers 0 .. 4. */
  readonly #power: Float64Array;
  readonly #isEnd = new Uint8Array(5);

  constructor(edges: SortedEdges) {
    this.#edges = edges;
    this.#power = Float64Array.from([0, 1, 2, 3, 4], (exponent) => edges.n ** exponent);
  }

  /** Only the vertices and the rank. `dimension` is that of the simplex, at least 1. */
  loadVertices(key: number, dimension: number): void {
    const power = this.#power;
    const { vertices } = this;
    const rank = Math.floor(key / power[dimension - 1]!);
    this.rank = rank;
    this.size = dimension + 1;
    let code = key - rank * power[dimension - 1]!;
    let [a, b] = [this.#edges.a[rank]!, this.#edges.b[rank]!];
    // Merge the last edge (a, b) with the other vertices, which come ascending.
    let next = 0;
    for (let digit = dimension - 2; digit >= 0; digit--) {
      const vertex = Math.floor(code / power[digit]!);
      code -= vertex * power[digit]!;
      while (a < vertex) {
        this.#isEnd[next] = 1;
        vertices[next++] = a;
        a = b;
        b = this.#edges.n; // above every vertex
      }
      this.#isEnd[next] = 0;
      vertices[next++] = vertex;
    }
    for (; next < this.size; a = b) {
      this.#isEnd[next] = 1;
      vertices[next++] = a;
    }
  }

  /** Everything that cofacets need. */
  load(key: number, dimension: number): void {
    this.loadVertices(key, dimension);
    const power = this.#power;
    const { vertices, size } = this;
    this.radix = power[dimension]!;
    for (let i = 0; i < size; i++) {
      let code = 0;
      for (let k = 0; k < size; k++) if (k !== i) code = code * power[1]! + vertices[k]!;
      this.replaced[i] = code;
    }
    // Others below w stand before it in the cofacet's code, which has `dimension` digits.
    for (let below = 0; below <= size; below++) {
      let code = this.rank * this.radix;
      let digit = dimension - 1;
      for (let k = 0; k < below; k++) if (this.#isEnd[k] === 0) code += vertices[k]! * power[digit--]!;
      this.scale[below] = power[digit--]!;
      for (let k = below; k < size; k++) if (this.#isEnd[k] === 0) code += vertices[k]! * power[digit--]!;
      this.same[below] = code;
    }
  }
}
