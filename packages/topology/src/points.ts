// Point sets as callers hold them, and the distance of two rows in the metrics that persistence takes.

import { assertPoints, distanceBetween, type FloatArray } from "./distances.js";
import { TopologyError } from "./error.js";

/**
 * - `euclidean`, `manhattan`: L2 and L1.
 * - `cosine`: 1 - cos of the angle, 0 to 2. No metric (the triangle inequality fails), which Vietoris-Rips does not
 *   mind; bounds that rest on the triangle inequality (landmarks, stability in Hausdorff distance) do not hold for it.
 */
export type Metric = "euclidean" | "manhattan" | "cosine";

/** The distance of rows i and j. */
export type RowDistance = (i: number, j: number) => number;

/**
 * @param points `[count, dimension]` row-major, finite; read later, so do not change it.
 * @throws TopologyError `E_DISTANCES` for a wrong length, a coordinate that is not finite, and for `cosine` a row of
 *   zeros.
 */
export function rowDistance(
  points: FloatArray,
  count: number,
  dimension: number,
  metric: Metric = "euclidean",
): RowDistance {
  assertPoints(points, count, dimension);
  if (metric === "euclidean") return (i, j) => distanceBetween(points, dimension, i, j);
  if (metric === "manhattan") return (i, j) => manhattanBetween(points, dimension, i, j);
  if (metric === "cosine") {
    // Of unit vectors, 1 - cos is half the squared distance: 0 for equal rows, and no cancellation near them.
    const directions = unitRows(points, count, dimension);
    return (i, j) => Math.min(2, distanceBetween(directions, dimension, i, j) ** 2 / 2);
  }
  throw new TopologyError(
    "E_OPTION",
    `metric is "${metric as string}"; "euclidean", "cosine" or "manhattan" expected`,
  );
}

/** L1 distance of rows `i` and `j` of `points`, `[n, dimension]` row-major. */
export function manhattanBetween(points: FloatArray, dimension: number, i: number, j: number): number {
  let sum = 0;
  let a = i * dimension;
  let b = j * dimension;
  for (let k = 0; k < dimension; k++, a++, b++) sum += Math.abs(points[a]! - points[b]!);
  return sum;
}

/**
 * Rows of equal length as one row-major matrix.
 *
 * @throws TopologyError `E_DISTANCES` when lengths differ.
 */
export function flatRows(rows: readonly ArrayLike<number>[], what: string): Float64Array {
  const width = rows[0]?.length ?? 0;
  const flat = new Float64Array(rows.length * width);
  rows.forEach((row, i) => {
    if (row.length !== width) {
      throw new TopologyError(
        "E_DISTANCES",
        `${what}: row ${i} has ${row.length} values, row 0 has ${width}; rows of equal length expected`,
      );
    }
    flat.set(row, i * width);
  });
  return flat;
}

function unitRows(points: FloatArray, count: number, dimension: number): Float64Array {
  const directions = new Float64Array(points.length);
  for (let i = 0; i < count; i++) {
    const row = points.subarray(i * dimension, (i + 1) * dimension);
    // Scaled by the largest coordinate first, so that squares neither overflow nor vanish.
    let largest = 0;
    for (let k = 0; k < dimension; k++) largest = Math.max(largest, Math.abs(row[k]!));
    if (largest === 0) {
      throw new TopologyError(
        "E_DISTANCES",
        `points: row ${i} is zero, so it has no direction; remove it or use another metric`,
      );
    }
    let squares = 0;
    for (let k = 0; k < dimension; k++) squares += (row[k]! / largest) ** 2;
    const norm = Math.sqrt(squares);
    for (let k = 0; k < dimension; k++) directions[i * dimension + k] = row[k]! / largest / norm;
  }
  return directions;
}
