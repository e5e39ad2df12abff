// The persistence diagram, the value that every other file of this package takes or returns, and its degree-0
// maker for the Vietoris-Rips filtration. Degrees 1 and up are not here.

import type { FloatArray } from "./distances.js";
import { type Edges, minimumSpanningTree } from "./minimumSpanningTree.js";

/** Births and deaths of one degree. Point k is (births[k], deaths[k]); an essential class dies at Infinity. */
export interface PersistenceDiagram {
  /** Degree of the homology: 0 for connected components. */
  readonly dimension: number;
  readonly births: Float64Array;
  readonly deaths: Float64Array;
  /** Degree 0: edge k joins two components and so causes death k. One shorter than `deaths`. */
  readonly edges?: Edges;
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
