// All ranks in an n x n matrix: a question reads a few rows from left to right. 4 n² bytes.

import { ABSENT, type CofacetBuffer, type EdgeGraph } from "./edgeGraph.js";
import { allocate } from "./growing.js";
import type { Simplex } from "./simplex.js";
import type { SortedEdges } from "./sortedEdges.js";

export class DenseGraph implements EdgeGraph {
  readonly #ranks: Int32Array;
  readonly #n: number;

  constructor({ n, count, a, b }: SortedEdges) {
    this.#n = n;
    this.#ranks = allocate(Int32Array, n * n).fill(ABSENT);
    for (let rank = 0; rank < count; rank++) {
      this.#ranks[a[rank]! * n + b[rank]!] = rank;
      this.#ranks[b[rank]! * n + a[rank]!] = rank;
    }
  }

  rank(x: number, y: number): number {
    return this.#ranks[x * this.#n + y]!;
  }

  firstApex(a: number, b: number, rank: number): number {
    const ranks = this.#ranks;
    const n = this.#n;
    const [rowA, rowB] = [a * n, b * n];
    for (let w = 0; w < n; w++) if (ranks[rowA + w]! < rank && ranks[rowB + w]! < rank) return w;
    return -1;
  }

  apexes(a: number, b: number, rank: number, out: Int32Array): number {
    const ranks = this.#ranks;
    const n = this.#n;
    const [rowA, rowB] = [a * n, b * n];
    let count = 0;
    for (let w = 0; w < n; w++) if (ranks[rowA + w]! < rank && ranks[rowB + w]! < rank) out[count++] = w;
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
    const ranks = this.#ranks;
    const n = this.#n;
    const [rowA, rowB] = [a * n, b * n];
    const row0 = count > 0 ? others[0]! * n : rowA;
    const row1 = count > 1 ? others[1]! * n : rowA;
    for (let w = from; w < to; w++) {
      if (
        ranks[row0 + w]! < rank &&
        ranks[rowA + w]! < rank &&
        ranks[rowB + w]! < rank &&
        ranks[row1 + w]! < rank
      )
        return true;
    }
    return false;
  }

  cofacets(simplex: Simplex, after: number, maxRank: number, out: CofacetBuffer): number {
    const ranks = this.#ranks;
    const n = this.#n;
    const { vertices, size, radix, replaced, rank: ownRank } = simplex;
    const { keys, odd } = out;
    const row0 = vertices[0]! * n;
    const row1 = vertices[1]! * n;
    const row2 = size > 2 ? vertices[2]! * n : row0;
    const row3 = size > 3 ? vertices[3]! * n : row0;
    let count = 0;
    let from = 0;
    for (let below = 0; below <= size; below++) {
      const to = below < size ? vertices[below]! : n;
      const same = simplex.same[below]!;
      const scale = simplex.scale[below]!;
      for (let w = from; w < to; w++) {
        let last = ranks[row0 + w]!;
        if (last > maxRank) continue;
        let left = 0; // the vertex that the last edge leaves in the simplex
        const rank1 = ranks[row1 + w]!;
        if (rank1 > last) {
          if (rank1 > maxRank) continue;
          last = rank1;
          left = 1;
        }
        if (size > 2) {
          const rank2 = ranks[row2 + w]!;
          if (rank2 > last) {
            if (rank2 > maxRank) continue;
            last = rank2;
            left = 2;
          }
          if (size > 3) {
            const rank3 = ranks[row3 + w]!;
            if (rank3 > last) {
              if (rank3 > maxRank) continue;
              last = rank3;
              left = 3;
            }
          }
        }
        const key = last < ownRank ? same + w * scale : last * radix + replaced[left]!;
        if (key > after) {
          keys[count] = key;
          odd[count++] = below & 1;
        }
      }
      from = to + 1;
    }
    return count;
  }
}
