// The minimum spanning tree of a full distance matrix: the pairs of degree-0 persistence (paper, section 3).
// Dense Prim, O(n²) time and O(n) memory beside the matrix. Not for sparse graphs.
//
// Prim grows a tree from vertex 0, the reference runs Kruskal after a stable argsort of the row-major upper
// triangle. Both give the same edges because ties are broken by the same total order: (weight, u, v), u < v.

import { assertSquare, type FloatArray, notADistance, symmetricDistances } from "./distances.js";

/** Edges in filtration order: ascending (weight, u, v), with u < v for every edge. */
export interface Edges {
  readonly u: Uint32Array;
  readonly v: Uint32Array;
  /** Length of each edge, in the unit of the distances. */
  readonly weight: Float64Array;
}

/**
 * The minimum spanning tree of `n` points.
 *
 * @param distances `[n, n]` row-major, symmetric up to rounding (the upper triangle counts), not NaN or negative.
 *   Infinity stands for "not joined" and must leave the points connected. The diagonal is ignored.
 * @param options.trusted the caller made the matrix and knows it to be exactly symmetric and without NaN: skips
 *   the check, which costs about as much as the tree.
 * @returns n - 1 edges (none for n = 0 and n = 1) in filtration order.
 * @throws TopologyError `E_DISTANCES` when `distances` is not such a matrix.
 */
export function minimumSpanningTree(
  distances: FloatArray,
  n: number,
  { trusted = false }: { trusted?: boolean } = {},
): Edges {
  if (trusted) assertSquare(distances, n, "distance matrix");
  const tree = primTree(trusted ? distances : symmetricDistances(distances, n), n);
  // The tree holds the shortest edge of all, so a negative one cannot escape it.
  const bad = tree.weight.findIndex((weight) => !(weight >= 0 && weight < Infinity));
  if (bad >= 0) throw notADistance(tree.weight[bad]!, tree.u[bad]!, tree.v[bad]!);
  return inFiltrationOrder(tree);
}

/**
 * The same where Infinity may leave the points in several components: a tree of each, in one list.
 *
 * @param distances `[n, n]` row-major; the caller made it and knows it to be symmetric, not negative, without NaN.
 * @returns n - 1 edges less one for every component beyond the first, in filtration order.
 */
export function minimumSpanningForest(distances: FloatArray, n: number): Edges {
  const { u, v, weight } = inFiltrationOrder(primTree(distances, n));
  const bridge = weight.indexOf(Infinity); // infinite edges come last
  const count = bridge < 0 ? weight.length : bridge;
  return { u: u.subarray(0, count), v: v.subarray(0, count), weight: weight.subarray(0, count) };
}

/** The tree's edges in the order in which Prim finds them. */
function primTree(matrix: FloatArray, n: number): Edges {
  const edgeCount = Math.max(0, n - 1);
  const tree = emptyEdges(edgeCount);
  // Vertices outside the tree sit in the first `left` places; nearest[k] is the tree's closest vertex to
  // outside[k], and reach[k] the distance to it.
  const outside = new Int32Array(edgeCount);
  const nearest = new Int32Array(edgeCount);
  const reach = new Float64Array(edgeCount).fill(Infinity);
  for (let k = 0; k < edgeCount; k++) outside[k] = k + 1;

  let newest = 0; // the vertex that joined the tree last
  for (let left = edgeCount; left > 0; left--) {
    const row = newest * n;
    let best = 0;
    let bestReach = Infinity;
    for (let k = 0; k < left; k++) {
      const vertex = outside[k]!;
      const distance = matrix[row + vertex]!;
      let shortest = reach[k]!;
      if (distance <= shortest) {
        // Among equally long edges to one vertex, the order (u, v) prefers the smaller other end.
        if (distance < shortest || newest < nearest[k]!) {
          reach[k] = distance;
          nearest[k] = newest;
          shortest = distance;
        }
      }
      if (shortest <= bestReach) {
        if (shortest < bestReach || comesFirst(vertex, nearest[k]!, outside[best]!, nearest[best]!)) {
          bestReach = shortest;
          best = k;
        }
      }
    }
    const edge = edgeCount - left;
    const joined = outside[best]!;
    const from = nearest[best]!;
    tree.u[edge] = Math.min(joined, from);
    tree.v[edge] = Math.max(joined, from);
    tree.weight[edge] = bestReach;

    outside[best] = outside[left - 1]!;
    nearest[best] = nearest[left - 1]!;
    reach[best] = reach[left - 1]!;
    newest = joined;
  }
  return tree;
}

/** Whether the edge {a, b} precedes {c, d} in the order (smaller end, larger end). */
function comesFirst(a: number, b: number, c: number, d: number): boolean {
  const first = Math.min(a, b);
  const second = Math.min(c, d);
  return first !== second ? first < second : Math.max(a, b) < Math.max(c, d);
}

/** Merge sort of the edges; twice as fast here as `sort` with a comparator. */
function inFiltrationOrder({ u, v, weight }: Edges): Edges {
  const count = weight.length;
  const precedes = (a: number, b: number): boolean => {
    if (weight[a] !== weight[b]) return weight[a]! < weight[b]!;
    return u[a] !== u[b] ? u[a]! < u[b]! : v[a]! < v[b]!;
  };
  let order = new Uint32Array(count);
  let merged = new Uint32Array(count);
  for (let k = 0; k < count; k++) order[k] = k;
  for (let run = 1; run < count; run *= 2) {
    for (let start = 0; start < count; start += 2 * run) {
      const middle = Math.min(start + run, count);
      const end = Math.min(start + 2 * run, count);
      for (let k = start, left = start, right = middle; k < end; k++) {
        const takeLeft = right >= end || (left < middle && precedes(order[left]!, order[right]!));
        merged[k] = takeLeft ? order[left++]! : order[right++]!;
      }
    }
    [order, merged] = [merged, order];
  }
  const sorted = emptyEdges(count);
  for (let k = 0; k < count; k++) {
    const edge = order[k]!;
    sorted.u[k] = u[edge]!;
    sorted.v[k] = v[edge]!;
    sorted.weight[k] = weight[edge]!;
  }
  return sorted;
}

function emptyEdges(count: number): Edges {
  return { u: new Uint32Array(count), v: new Uint32Array(count), weight: new Float64Array(count) };
}
