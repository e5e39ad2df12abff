// Degree 0 where the edges are sorted anyway: Kruskal. Without higher degrees sorting is what costs, and
// minimumSpanningTree.ts does without; both keep the same edges.

import type { Cocycle } from "./core.js";
import type { PairCollector } from "./pairs.js";
import type { SortedEdges } from "./sortedEdges.js";

/**
 * Adds the pairs (vertex, edge) of degree 0: of two components that an edge joins, the one with the larger first
 * vertex dies.
 *
 * @returns 1 for each rank whose edge joins two components.
 */
export function pairDegree0(edges: SortedEdges, pairs: PairCollector, withCocycles: boolean): Uint8Array {
  const { n, count, a, b, length } = edges;
  const joining = new Uint8Array(count);
  const parent = Int32Array.from({ length: n }, (_, x) => x); // a root is the first vertex of its component
  const following = withCocycles ? parent.slice() : null; // the members of a component, in a ring
  const root = (x: number): number => {
    while (parent[x] !== x) {
      parent[x] = parent[parent[x]!]!;
      x = parent[x]!;
    }
    return x;
  };
  let left = n;
  for (let rank = 0; rank < count && left > 1; rank++) {
    const [first, second] = [root(a[rank]!), root(b[rank]!)];
    if (first === second) continue;
    const [older, younger] = first < second ? [first, second] : [second, first];
    if (length[rank]! > 0) {
      const cocycle = following && membersOf(younger, following);
      pairs.add(0, length[rank]!, [younger], [a[rank]!, b[rank]!], cocycle);
    }
    parent[younger] = older;
    if (following) [following[older], following[younger]] = [following[younger]!, following[older]!];
    joining[rank] = 1;
    left--;
  }
  for (let x = 0; x < n; x++) {
    if (parent[x] === x) pairs.add(0, Infinity, [x], null, following && membersOf(x, following));
  }
  return joining;
}

/** The cochain that is 1 on one component: constant on each component, so a cocycle. */
function membersOf(first: number, following: Int32Array): Cocycle {
  const members: number[] = [];
  for (let x = first; members.length === 0 || x !== first; x = following[x]!) members.push(x);
  return {
    simplices: Uint32Array.from(members).sort(),
    coefficients: new Uint32Array(members.length).fill(1),
  };
}
