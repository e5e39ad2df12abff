// Points as the methods for large sets see them: their number, and the distance of any two, computed when asked for,
// so that no matrix has to fit in memory. The guarantees of these methods need a metric, which 1 - cosine is not: for
// it normalise the rows and take the Euclidean distance, which orders pairs the same way.

import { assertSquare, type FloatArray } from "../distances.js";
import { type Metric, rowDistance } from "../points.js";

export interface PointSpace {
  readonly size: number;
  /** Symmetric, 0 for i = j, and obeying the triangle inequality. */
  distance(i: number, j: number): number;
}

/**
 * Rows of a matrix as points.
 *
 * @param points `[count, dimension]` row-major, finite; not copied.
 * @throws TopologyError `E_DISTANCES` for a wrong length or a coordinate that is not finite.
 */
export function spaceOfPoints(
  points: FloatArray,
  count: number,
  dimension: number,
  { metric = "euclidean" }: { metric?: Exclude<Metric, "cosine"> } = {},
): PointSpace {
  return { size: count, distance: rowDistance(points, count, dimension, metric) };
}

/**
 * A distance matrix as a space.
 *
 * @param distances `[count, count]` row-major; of each pair the entry (smaller, larger) is read. Not copied.
 * @throws TopologyError `E_DISTANCES` for a wrong length.
 */
export function spaceOfMatrix(distances: FloatArray, count: number): PointSpace {
  assertSquare(distances, count, "distance matrix");
  return {
    size: count,
    distance: (i, j) => (i === j ? 0 : distances[Math.min(i, j) * count + Math.max(i, j)]!),
  };
}
