// Degree 0 at scale: the exact minimum spanning tree of up to millions of points in many dimensions. Mini-batches with a
// distance matrix at hand: minimumSpanningTree of @topofr/topology.
import { TopofrError } from "@topofr/formats";
import { native } from "./native.js";
import { finished, limitsOf, type TopologyOptions } from "./topologyComputation.js";

/** Edges in filtration order: ascending (weight, u, v), with u < v for every edge. As in @topofr/topology. */
export interface TreeEdges {
  readonly u: Uint32Array;
  readonly v: Uint32Array;
  /** Length of each edge, in the unit of the distances. */
  readonly weight: Float64Array;
}

export interface PointTreeOptions extends TopologyOptions {
  /** "cosine": 1 - cos of the angle, 0 to 2. */
  readonly metric?: "euclidean" | "cosine" | "manhattan";
  /** Tiles of distances done, of all; they take about equally long. */
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * The minimum spanning tree of `count` points, O(count² dimension) time. Its edges are what Kruskal gives on float64
 * distances in the order (weight, u, v), ties included: matrix products in float32 only tell which edges may count.
 *
 * @param points `[count, dimension]` row-major, finite; not copied: do not change or transfer it before the end.
 * @returns count - 1 edges (none for 0 and 1 points).
 * @throws TopofrError `E_USAGE` for a wrong length, a coordinate that is not finite, or for "cosine" a row of zeros;
 *   the signal's reason when it was aborted.
 */
export async function minimumSpanningTreeOfPoints(
  points: Float32Array,
  count: number,
  dimension: number,
  options: PointTreeOptions = {},
): Promise<TreeEdges> {
  const { metric = "euclidean", onProgress, signal } = options;
  if (!(points instanceof Float32Array))
    throw new TopofrError("E_USAGE", "minimum spanning tree: points must be a Float32Array");
  const tree = await finished(
    () => native.startPointTree({ points, count, dimension, metric }, limitsOf(options)),
    signal,
    onProgress && ((_, done, total) => onProgress(done, total)),
  );
  return tree as TreeEdges;
}
