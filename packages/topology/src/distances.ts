// Euclidean distances between the rows of a matrix, and the check that a matrix holds distances.
// Two forms: direct (exact to rounding) and by the Gram matrix (faster on wide rows, cancels for near-duplicates).
// Always the whole matrix in memory, 8 n² bytes: meant for mini-batches and samples, not for 100,000 points.

import { TopologyError } from "./error.js";

/** A row-major matrix of floats: points [n, d] or distances [n, n]. */
export type FloatArray = Float32Array | Float64Array;

/** Rows in a band of the symmetry check. */
const BAND = 64;

/**
 * How far d(i, j) and d(j, i) may lie apart, as a share of the largest distance, and still count as rounding.
 * Gram distances in float32 carry up to sqrt(2^-24), about 2.4e-4 of the norm, where points nearly coincide.
 */
const ASYMMETRY_TOLERANCE = 1e-3;

/**
 * Euclidean distances, each summed directly in float64.
 *
 * @param points `[count, dimension]` row-major, finite.
 * @returns `[count, count]` row-major, exactly symmetric, zero diagonal. O(n² d).
 * @throws TopologyError `E_DISTANCES` for a wrong length or a coordinate that is not finite.
 */
export function pairwiseDistances(points: FloatArray, count: number, dimension: number): Float64Array {
  assertPoints(points, count, dimension);
  const distances = new Float64Array(count * count);
  for (let i = 0; i < count; i++) {
    for (let j = i + 1; j < count; j++) {
      const length = distanceBetween(points, dimension, i, j);
      distances[i * count + j] = length;
      distances[j * count + i] = length;
    }
  }
  return distances;
}

/**
 * Euclidean distance of rows `i` and `j`, summed in float64. Use it to recompute the few edges that a tree on
 * Gram distances has chosen.
 *
 * @param points `[n, dimension]` row-major.
 */
export function distanceBetween(points: FloatArray, dimension: number, i: number, j: number): number {
  let sum = 0;
  let a = i * dimension;
  let b = j * dimension;
  for (let k = 0; k < dimension; k++, a++, b++) {
    const difference = points[a]! - points[b]!;
    sum += difference * difference;
  }
  return Math.sqrt(sum);
}

/**
 * Euclidean distances from inner products: d(i, j)² = <i, i> + <j, j> - 2 <i, j>, clamped at 0. The rounding
 * error is about the machine epsilon times the squared *norm*, so that distances far below the norms are unsafe.
 *
 * @param gram `[count, count]` row-major inner products, of which the diagonal and upper triangle are read.
 * @returns `[count, count]` row-major, exactly symmetric, zero diagonal.
 * @throws TopologyError `E_DISTANCES` for a wrong length or a product that is not finite.
 */
export function distancesFromGram(gram: FloatArray, count: number): Float64Array {
  assertSquare(gram, count, "gram matrix");
  const distances = new Float64Array(count * count);
  for (let i = 0; i < count; i++) {
    const squaredNorm = gram[i * count + i]!;
    for (let j = i; j < count; j++) {
      const squared = squaredNorm + gram[j * count + j]! - 2 * gram[i * count + j]!;
      if (!Number.isFinite(squared)) {
        throw new TopologyError(
          "E_DISTANCES",
          `gram matrix: rows ${i} and ${j} give the squared distance ${squared}; products must be finite`,
        );
      }
      const length = i === j || squared <= 0 ? 0 : Math.sqrt(squared);
      distances[i * count + j] = length;
      distances[j * count + i] = length;
    }
  }
  return distances;
}

/**
 * The matrix itself when it is symmetric to the last bit; a symmetric copy of its upper triangle when the two
 * halves differ by rounding only (a matrix product need not be exactly symmetric). The diagonal is not read.
 * Signs and infinities are left to the caller where the halves agree.
 *
 * @param distances `[count, count]` row-major.
 * @throws TopologyError `E_DISTANCES` for a wrong length, for a NaN, and for an entry that differs from its mirror
 *   image by more than a thousandth of the largest distance.
 */
export function symmetricDistances(distances: FloatArray, count: number): FloatArray {
  assertSquare(distances, count, "distance matrix");
  // Columns are read in bands of a few rows, so that the transposed half stays in the cache.
  for (let top = 0; top < count; top += BAND) {
    for (let i = top + 1; i < count; i++) {
      const end = Math.min(top + BAND, i);
      for (let j = top, mirror = top * count + i; j < end; j++, mirror += count) {
        // NaN differs from itself, so that this finds it too.
        if (distances[i * count + j] !== distances[mirror]) return symmetricCopy(distances, count);
      }
    }
  }
  return distances;
}

/** The upper triangle mirrored; the lower one is only compared against it. */
function symmetricCopy(distances: FloatArray, count: number): FloatArray {
  const copy = distances.slice();
  let largest = 0;
  let worst = { difference: 0, i: 0, j: 0 };
  for (let i = 0; i < count; i++) {
    for (let j = i + 1; j < count; j++) {
      const upper = distances[i * count + j]!;
      const lower = distances[j * count + i]!;
      if (Number.isNaN(upper) || Number.isNaN(lower)) throw notADistance(NaN, i, j);
      const difference = upper === lower ? 0 : Math.abs(upper - lower); // Infinity equals Infinity
      if (difference > worst.difference) worst = { difference, i, j };
      if (upper < Infinity) largest = Math.max(largest, upper);
      copy[j * count + i] = upper;
    }
  }
  if (worst.difference > ASYMMETRY_TOLERANCE * largest) {
    const { i, j } = worst;
    throw new TopologyError(
      "E_DISTANCES",
      `distance matrix is not symmetric: entry (${i}, ${j}) is ${distances[i * count + j]}, entry (${j}, ${i}) ` +
        `is ${distances[j * count + i]}; give undirected distances`,
    );
  }
  return copy;
}

/** The error for one entry that cannot be a distance. */
export function notADistance(value: number, i: number, j: number): TopologyError {
  return new TopologyError(
    "E_DISTANCES",
    `distance matrix: entry (${i}, ${j}) is ${value}; distances must be finite and not negative`,
  );
}

export function assertSquare(matrix: FloatArray, count: number, what: string): void {
  assertCount(count, "count");
  if (matrix.length !== count * count) {
    throw new TopologyError(
      "E_DISTANCES",
      `${what}: ${matrix.length} values given, ${count} x ${count} = ${count * count} expected`,
    );
  }
}

export function assertPoints(points: FloatArray, count: number, dimension: number): void {
  assertCount(count, "count");
  assertCount(dimension, "dimension");
  if (points.length !== count * dimension) {
    throw new TopologyError(
      "E_DISTANCES",
      `points: ${points.length} values given, ${count} x ${dimension} = ${count * dimension} expected`,
    );
  }
  const bad = points.findIndex((value: number) => !Number.isFinite(value));
  if (bad >= 0) {
    const [row, column] = [Math.floor(bad / dimension), bad % dimension];
    throw new TopologyError(
      "E_DISTANCES",
      `points: row ${row}, column ${column} is ${points[bad]}; coordinates must be finite`,
    );
  }
}

export function assertCount(value: number, name: string): void {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new TopologyError("E_DISTANCES", `${name} is ${value}; a whole number of at least 0 expected`);
  }
}
