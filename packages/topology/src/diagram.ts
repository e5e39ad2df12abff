// The persistence diagram, the value that every other file of this package takes or returns, and its degree-0
// maker for the Vietoris-Rips filtration. Degrees 1 and up: persistence.ts.

import type { FloatArray } from "./distances.js";
import { type Edges, minimumSpanningTree } from "./minimumSpanningTree.js";
import type { Cocycle } from "./rips/core.js";

/** Births and deaths of one degree. Point k is (births[k], deaths[k]); an essential class dies at Infinity. */
export interface PersistenceDiagram {
  /** Degree of the homology: 0 for connected components. */
  readonly dimension: number;
  readonly births: Float64Array;
  readonly deaths: Float64Array;
  /** Degree 0: edge k joins two components and so causes death k. One shorter than `deaths`. */
  readonly edges?: Edges;
  /** What creates and what kills each class. */
  readonly simplices?: PairSimplices;
  /** Of each class, where they were asked for. */
  readonly cocycles?: readonly Cocycle[];
}

/**
 * Row k belongs to point k of the diagram; vertices ascend in a row. Rows of NO_VERTEX (2^32 - 1) where there is
 * nothing: essential classes have no death simplex, vertices no edge.
 */
export interface PairSimplices {
  /** `[points, dimension + 1]` */
  readonly birth: Uint32Array;
  /** `[points, dimension + 2]` */
  readonly death: Uint32Array;
  /** `[points, 2]`: the longest edge of the birth simplex; its length is the birth. */
  readonly birthEdges: Uint32Array;
  /** `[points, 2]`: the longest edge of the death simplex; its length is the death. */
  readonly deathEdges: Uint32Array;
}

/**
 * Degree-0 persistence of the Vietoris-Rips filtration of `n` points: every component is born at 0, n - 1 of
 * them die at the lengths of the minimum spanning tree's edges, one never dies.
 *
 * @param distances `[n, n]` row-major, as {@link minimumSpanningTree} takes it.
 * @returns n points: finite deaths ascending, the essential class last. Scale: diameters, not radii.
 * @throws TopologyError `E_DISTANCES` when `distances` is not a distance matrix.
 */
export function ripsDegree0(distances: FloatArray, n: number): PersistenceDiagram {
  const edges = minimumSpanningTree(distances, n);
  const deaths = new Float64Array(n).fill(Infinity);
  deaths.set(edges.weight);
  return { dimension: 0, births: new Float64Array(n), deaths, edges };
}

/** The deaths below Infinity, in the diagram's order. */
export function finiteDeaths(diagram: PersistenceDiagram): Float64Array {
  return diagram.deaths.filter((death) => death < Infinity);
}
