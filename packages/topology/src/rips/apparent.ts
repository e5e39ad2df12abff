// Apparent pairs: a simplex and its first cofacet, when it is also that cofacet's last facet. They need no reduction,
// no storage and no search: with one edge entering at a time they can be read off the vertices.
//
// Let (a, b) be the last edge of a simplex with the other vertices s1 < s2 < …, and call a vertex w an apex when its
// edges to a, b (and to all s that matter) come before (a, b). Facets without a or b are older, so that
//   the last facet drops s1;
//   the first cofacet adds the first apex w, and the simplex is the last facet of that exactly when w < s1.
// So a simplex is paired with its facet when no apex of the facet is below s1, and with its cofacet when an apex of its
// own is below s1. An edge has no s: it is paired with the triangle of its first apex, if it has one.

import type { EdgeGraph } from "./edgeGraph.js";
import { allocate, EntryList } from "./growing.js";
import type { PivotTable } from "./pivotTable.js";
import type { SortedEdges } from "./sortedEdges.js";

export class ApparentPairs {
  /** For each rank: the first apex of the edge, or -1. */
  readonly firstApex: Int32Array;

  readonly #edges: SortedEdges;
  readonly #graph: EdgeGraph;
  readonly #others = new Int32Array(2);

  constructor(edges: SortedEdges, graph: EdgeGraph) {
    this.#edges = edges;
    this.#graph = graph;
    this.firstApex = allocate(Int32Array, edges.count);
    for (let rank = 0; rank < edges.count; rank++) {
      this.firstApex[rank] = graph.firstApex(edges.a[rank]!, edges.b[rank]!, rank);
    }
  }

  /** The key of the facet that the simplex `key` is paired with, or -1. `dimension` is the simplex's, 2 to 4. */
  facet(key: number, dimension: number): number {
    const { n, a, b } = this.#edges;
    const span = n ** (dimension - 1);
    const rank = Math.floor(key / span);
    const code = key - rank * span;
    const facetSpan = span / n;
    const first = Math.floor(code / facetSpan); // s1
    const apex = this.firstApex[rank]!;
    const rest = code - first * facetSpan;
    if (apex !== first) {
      if (dimension === 2) return -1;
      // Some apex of the edge is below s1: is one of them an apex of the whole facet?
      const others = this.#others;
      if (dimension === 3) others[0] = rest;
      else {
        others[0] = Math.floor(rest / n);
        others[1] = rest % n;
      }
      const count = dimension - 2;
      if (this.#graph.hasApexBetween(a[rank]!, b[rank]!, rank, apex, first, others, count)) return -1;
    }
    return rank * facetSpan + rest;
  }
}

/**
 * The columns of one degree: the simplices of dimension 2 or 3 that are neither in an apparent pair nor the death of
 * a class one degree below (clearing). Ascending keys.
 */
export function columnsOfDegree(
  dimension: 2 | 3,
  edges: SortedEdges,
  graph: EdgeGraph,
  apparent: ApparentPairs,
  deaths: PivotTable,
): Float64Array {
  const { n, count, a, b } = edges;
  const columns = new EntryList();
  const apexes = new Int32Array(n);
  const below = new Int32Array(n);
  for (let rank = 0; rank < count; rank++) {
    if (apparent.firstApex[rank]! < 0) continue;
    const apexCount = graph.apexes(a[rank]!, b[rank]!, rank, apexes);
    if (dimension === 2) addColumns(apexes, apexCount, rank, rank * n, 1);
    else {
      for (let k = 2; k < apexCount; k++) {
        // Tetrahedra of the edge, apex k as the larger other vertex, and an apex below it.
        const larger = apexes[k]!;
        let belowCount = 0;
        for (let i = 0; i < k; i++) {
          if (graph.rank(larger, apexes[i]!) < rank) below[belowCount++] = apexes[i]!;
        }
        addColumns(below, belowCount, rank, rank * n * n + larger, n);
      }
    }
  }
  return columns.keys.subarray(0, columns.length).sort();

  /** The first candidate is paired with the facet; of the others those that see an earlier one, with the cofacet. */
  function addColumns(
    candidates: Int32Array,
    candidateCount: number,
    rank: number,
    base: number,
    scale: number,
  ): void {
    for (let k = 1; k < candidateCount; k++) {
      const vertex = candidates[k]!;
      let i = 0;
      while (i < k && graph.rank(vertex, candidates[i]!) >= rank) i++;
      if (i < k) continue;
      const key = base + vertex * scale;
      if (deaths.get(key) < 0) columns.push(key, 1);
    }
  }
}
