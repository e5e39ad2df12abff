// Edge collapse: a smaller filtered graph with the same Vietoris-Rips persistence in every degree. Boissonnat and
// Pritam 2020, in the backward form of Glisse and Pritam 2022.
//
// An edge is dominated at a scale when some vertex w is joined to both its ends and to all their common neighbours;
// adding or removing such an edge changes no homology. So an edge that is dominated when it appears can wait until
// it no longer is, and one that always stays dominated can go. Each step takes the graph as the steps before left it.

import { assertSparseDistances, type SparseDistances } from "./sparseDistances.js";

/** Up to so many vertices a matrix of ranks is kept (64 MiB); above, neighbours are looked up in sorted lists. */
const DENSE_VERTICES = 4096;

const NEVER = 0xffffffff;

/**
 * Edges that matter, with the scale from which they do; ascending in it. How much goes depends on the data: most of
 * the edges of points along curves and surfaces, next to none of points spread out in many dimensions.
 * Applied again, it removes a few more. Time: about edges x common neighbours.
 *
 * @throws TopologyError `E_DISTANCES` unless `edges` is a list of sparse distances.
 */
export function collapseEdges(edges: SparseDistances): SparseDistances {
  assertSparseDistances(edges);
  const graph = new RankedGraph(edges);
  for (let k = graph.order.length - 1; k >= 0; k--) graph.delay(graph.order[k]!);
  return graph.finish();
}

/** The graph with scales replaced by their ranks among the distinct ones. */
class RankedGraph {
  /** Edges by ascending scale. */
  readonly order: Uint32Array;
  readonly #edges: SparseDistances;
  readonly #values: Float64Array; // scale of each rank
  readonly #rank: Uint32Array; // by edge; NEVER once removed
  readonly #start: Uint32Array; // neighbours of each vertex, ascending: vertex and edge
  readonly #neighbour: Uint32Array;
  readonly #edgeTo: Uint32Array;
  readonly #matrix: Uint32Array | undefined; // rank of each pair
  // Common neighbours of the edge at hand, and the rank from which each is one.
  readonly #common: Uint32Array;
  readonly #since: Uint32Array;

  constructor(edges: SparseDistances) {
    const { n, u, v, distance } = edges;
    this.#edges = edges;
    this.order = Uint32Array.from(u.keys()).sort((a, b) => distance[a]! - distance[b]! || a - b);
    this.#rank = new Uint32Array(u.length);
    const values: number[] = [];
    for (const edge of this.order) {
      if (values.at(-1) !== distance[edge]) values.push(distance[edge]!);
      this.#rank[edge] = values.length - 1;
    }
    this.#values = Float64Array.from(values);

    this.#start = new Uint32Array(n + 1);
    for (let edge = 0; edge < u.length; edge++) {
      this.#start[u[edge]! + 1]!++;
      this.#start[v[edge]! + 1]!++;
    }
    for (let vertex = 0; vertex < n; vertex++) this.#start[vertex + 1]! += this.#start[vertex]!;
    this.#neighbour = new Uint32Array(2 * u.length);
    this.#edgeTo = new Uint32Array(2 * u.length);
    const next = this.#start.slice();
    const append = (from: number, to: number, edge: number) => {
      const place = next[from]!++;
      this.#neighbour[place] = to;
      this.#edgeTo[place] = edge;
    };
    // Neighbours below a vertex come first, then those above, each ascending because the edges are.
    const byEnds = Uint32Array.from(u.keys()).sort((a, b) => u[a]! - u[b]! || v[a]! - v[b]!);
    const byOtherEnd = byEnds.slice().sort((a, b) => v[a]! - v[b]! || u[a]! - u[b]!);
    for (const edge of byOtherEnd) append(v[edge]!, u[edge]!, edge);
    for (const edge of byEnds) append(u[edge]!, v[edge]!, edge);

    this.#common = new Uint32Array(n);
    this.#since = new Uint32Array(n);
    if (n <= DENSE_VERTICES) {
      this.#matrix = new Uint32Array(n * n).fill(NEVER);
      for (let edge = 0; edge < u.length; edge++) this.#setPair(u[edge]!, v[edge]!, this.#rank[edge]!);
    }
  }

  /** Lets an edge wait until it is not dominated, or removes it. */
  delay(edge: number): void {
    const [from, to] = [this.#edges.u[edge]!, this.#edges.v[edge]!];
    const count = this.#findCommon(from, to);
    let rank = this.#rank[edge]!;
    for (;;) {
      const until = this.#dominatedUntil(count, rank);
      if (until === rank) break;
      rank = until;
      if (rank === NEVER) break;
    }
    this.#rank[edge] = rank;
    this.#setPair(from, to, rank);
  }

  finish(): SparseDistances {
    const { n, u, v } = this.#edges;
    const kept = this.order.filter((edge) => this.#rank[edge] !== NEVER);
    kept.sort((a, b) => this.#rank[a]! - this.#rank[b]! || u[a]! - u[b]! || v[a]! - v[b]!);
    return {
      n,
      u: Uint32Array.from(kept, (edge) => u[edge]!),
      v: Uint32Array.from(kept, (edge) => v[edge]!),
      distance: Float64Array.from(kept, (edge) => this.#values[this.#rank[edge]!]!),
    };
  }

  /** The least rank from `rank` on at which the vertex that dominates longest fails; `rank` itself for none. */
  #dominatedUntil(count: number, rank: number): number {
    let longest = rank;
    for (let k = 0; k < count; k++) {
      if (this.#since[k]! > rank) continue;
      const candidate = this.#common[k]!;
      // Ends at the first common neighbour that comes before its edge to the candidate does.
      let until = NEVER;
      for (let other = 0; other < count && until > longest; other++) {
        if (other === k || this.#since[other]! >= until) continue;
        if (this.#rankOf(candidate, this.#common[other]!) > Math.max(rank, this.#since[other]!)) {
          until = Math.max(rank, this.#since[other]!);
        }
      }
      if (until > longest) longest = until;
      if (longest === NEVER) break;
    }
    return longest;
  }

  /** Fills in the common neighbours of two vertices and returns their number. */
  #findCommon(from: number, to: number): number {
    let count = 0;
    let [i, j] = [this.#start[from]!, this.#start[to]!];
    const [endI, endJ] = [this.#start[from + 1]!, this.#start[to + 1]!];
    while (i < endI && j < endJ) {
      const [a, b] = [this.#neighbour[i]!, this.#neighbour[j]!];
      if (a === b) {
        const since = Math.max(this.#rank[this.#edgeTo[i]!]!, this.#rank[this.#edgeTo[j]!]!);
        if (since !== NEVER) {
          this.#common[count] = a;
          this.#since[count++] = since;
        }
      }
      if (a <= b) i++;
      if (b <= a) j++;
    }
    return count;
  }

  #setPair(a: number, b: number, rank: number): void {
    if (this.#matrix === undefined) return;
    this.#matrix[a * this.#edges.n + b] = rank;
    this.#matrix[b * this.#edges.n + a] = rank;
  }

  #rankOf(a: number, b: number): number {
    if (this.#matrix !== undefined) return this.#matrix[a * this.#edges.n + b]!;
    let [low, high] = [this.#start[a]!, this.#start[a + 1]!];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#neighbour[middle]! < b) low = middle + 1;
      else high = middle;
    }
    return low < this.#start[a + 1]! && this.#neighbour[low] === b ? this.#rank[this.#edgeTo[low]!]! : NEVER;
  }
}
