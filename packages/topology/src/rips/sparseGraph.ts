// Each vertex's neighbours in ascending order with the ranks of their edges: 16 bytes an edge, whatever n is. A
// question walks along the shortest list that matters and looks its vertices up in the others.

import { ABSENT, type CofacetBuffer, type EdgeGraph } from "./edgeGraph.js";
import { allocate } from "./growing.js";
import type { Simplex } from "./simplex.js";
import type { SortedEdges } from "./sortedEdges.js";

/** Neighbours of x: places starts[x] to starts[x + 1] of the other two. */
interface Lists {
  readonly starts: Int32Array;
  readonly neighbours: Int32Array;
  readonly ranks: Int32Array;
}

export class SparseGraph implements EdgeGraph {
  readonly #starts: Int32Array;
  readonly #neighbours: Int32Array;
  readonly #ranks: Int32Array;

  constructor(edges: SortedEdges) {
    const { starts, neighbours, ranks } = ascending(listsByRank(edges));
    this.#starts = starts;
    this.#neighbours = neighbours;
    this.#ranks = ranks;
  }

  rank(x: number, y: number): number {
    let low = this.#starts[x]!;
    const end = this.#starts[x + 1]!;
    let high = end;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#neighbours[middle]! < y) low = middle + 1;
      else high = middle;
    }
    return low < end && this.#neighbours[low] === y ? this.#ranks[low]! : ABSENT;
  }

  firstApex(a: number, b: number, rank: number): number {
    const [short, other] = this.#degree(a) <= this.#degree(b) ? [a, b] : [b, a];
    for (let k = this.#starts[short]!; k < this.#starts[short + 1]!; k++) {
      if (this.#ranks[k]! < rank && this.rank(other, this.#neighbours[k]!) < rank)
        return this.#neighbours[k]!;
    }
    return -1;
  }

  apexes(a: number, b: number, rank: number, out: Int32Array): number {
    const [short, other] = this.#degree(a) <= this.#degree(b) ? [a, b] : [b, a];
    let count = 0;
    for (let k = this.#starts[short]!; k < this.#starts[short + 1]!; k++) {
      if (this.#ranks[k]! < rank && this.rank(other, this.#neighbours[k]!) < rank)
        out[count++] = this.#neighbours[k]!;
    }
    return count;
  }

  hasApexBetween(
    a: number,
    b: number,
    rank: number,
    from: number,
    to: number,
    others: Int32Array,
    count: number,
  ): boolean {
    const [short, other] = this.#degree(a) <= this.#degree(b) ? [a, b] : [b, a];
    for (let k = this.#starts[short]!; k < this.#starts[short + 1]!; k++) {
      const w = this.#neighbours[k]!;
      if (w >= to) return false;
      if (w < from || this.#ranks[k]! >= rank || this.rank(other, w) >= rank) continue;
      let joined = 0;
      while (joined < count && this.rank(others[joined]!, w) < rank) joined++;
      if (joined === count) return true;
    }
    return false;
  }

  cofacets(simplex: Simplex, after: number, maxRank: number, out: CofacetBuffer): number {
    const { vertices, size, radix, replaced, same, scale, rank: ownRank } = simplex;
    let shortest = 0;
    for (let i = 1; i < size; i++) {
      if (this.#degree(vertices[i]!) < this.#degree(vertices[shortest]!)) shortest = i;
    }
    const walked = vertices[shortest]!;
    let count = 0;
    let below = 0;
    for (let k = this.#starts[walked]!; k < this.#starts[walked + 1]!; k++) {
      let last = this.#ranks[k]!;
      if (last > maxRank) continue;
      const w = this.#neighbours[k]!;
      let left = shortest; // the vertex that the last edge leaves in the simplex
      for (let i = 0; i < size && last <= maxRank; i++) {
        if (i === shortest) continue;
        // A vertex of the simplex is no neighbour of itself, so that it drops out here.
        const rank = this.rank(vertices[i]!, w);
        if (rank > last) {
          last = rank;
          left = i;
        }
      }
      if (last > maxRank) continue;
      while (below < size && vertices[below]! < w) below++;
      const key = last < ownRank ? same[below]! + w * scale[below]! : last * radix + replaced[left]!;
      if (key > after) {
        out.keys[count] = key;
        out.odd[count++] = below & 1;
      }
    }
    return count;
  }

  #degree(x: number): number {
    return this.#starts[x + 1]! - this.#starts[x]!;
  }
}

/** The lists in the order of the ranks. */
function listsByRank({ n, count, a, b }: SortedEdges): Lists {
  const starts = allocate(Int32Array, n + 1);
  for (let rank = 0; rank < count; rank++) {
    starts[a[rank]! + 1]!++;
    starts[b[rank]! + 1]!++;
  }
  for (let x = 0; x < n; x++) starts[x + 1]! += starts[x]!;
  const neighbours = allocate(Int32Array, 2 * count);
  const ranks = allocate(Int32Array, 2 * count);
  const next = starts.slice();
  for (let rank = 0; rank < count; rank++) {
    for (const [x, y] of [
      [a[rank]!, b[rank]!],
      [b[rank]!, a[rank]!],
    ] as const) {
      const place = next[x]!++;
      neighbours[place] = y;
      ranks[place] = rank;
    }
  }
  return { starts, neighbours, ranks };
}

/** The same lists by ascending neighbour: vertices are visited in order, and each notes itself at its neighbours. */
function ascending({ starts, neighbours, ranks }: Lists): Lists {
  const sorted = {
    starts,
    neighbours: allocate(Int32Array, neighbours.length),
    ranks: allocate(Int32Array, ranks.length),
  };
  const next = starts.slice();
  for (let y = 0; y + 1 < starts.length; y++) {
    for (let k = starts[y]!; k < starts[y + 1]!; k++) {
      const place = next[neighbours[k]!]!++;
      sorted.neighbours[place] = y;
      sorted.ranks[place] = ranks[k]!;
    }
  }
  return sorted;
}
