// Arithmetic on embedding matrices before they are compared: flip test, L2 normalisation, distances.
// Plain typed arrays, row-major [count, dimension]; no tensors and no files. Rows are read as float32 and
// every sum runs in float64.

import { TopofrError } from "@topofr/formats";

/** How many rows of `dimension` numbers `matrix` holds; E_DATA when it is not a whole number of rows. */
export function rowCount(matrix: Float32Array, dimension: number): number {
  if (!Number.isInteger(dimension) || dimension < 1) {
    throw new TopofrError(
      "E_USAGE",
      `embedding dimension ${dimension}: expected a whole number of 1 or more`,
    );
  }
  const count = matrix.length / dimension;
  if (!Number.isInteger(count)) {
    throw new TopofrError(
      "E_DATA",
      `embeddings: ${matrix.length} numbers are not a whole number of rows of ${dimension}`,
    );
  }
  return count;
}

/**
 * The flip test: the embedding of an image plus the embedding of its mirror image.
 * Both are [count, dimension] float32; the result is a new array, not normalised.
 */
export function sumFlips(plain: Float32Array, mirrored: Float32Array): Float32Array {
  if (plain.length !== mirrored.length) {
    throw new TopofrError(
      "E_DATA",
      `flip test: ${plain.length} numbers for the images, ${mirrored.length} for their mirror images`,
    );
  }
  return plain.map((value, i) => value + mirrored[i]!);
}

/**
 * Rows of `matrix` [count, dimension] scaled to Euclidean length 1, as a new array. A row of zeros stays
 * zeros (as in scikit-learn's `normalize`, which the reference uses). A row with NaN or infinity is E_DATA.
 */
export function normalizeRows(matrix: Float32Array, dimension: number): Float32Array {
  const count = rowCount(matrix, dimension);
  const result = new Float32Array(matrix.length);
  for (let row = 0; row < count; row++) {
    const start = row * dimension;
    let sum = 0;
    for (let i = start; i < start + dimension; i++) sum += matrix[i]! * matrix[i]!;
    if (!Number.isFinite(sum)) {
      throw new TopofrError(
        "E_DATA",
        `embeddings: row ${row} of ${count} holds NaN or infinity; the network or its input is broken`,
      );
    }
    const scale = sum > 0 ? 1 / Math.sqrt(sum) : 0;
    for (let i = start; i < start + dimension; i++) result[i] = matrix[i]! * scale;
  }
  return result;
}

/**
 * Squared Euclidean distance of rows `first[k]` and `second[k]` for every pair k. On normalised rows it
 * runs from 0 (same direction) to 4 (opposite) and equals 2 - 2·cosine.
 */
export function pairDistances(
  embeddings: Float32Array,
  dimension: number,
  first: Uint32Array,
  second: Uint32Array,
): Float64Array {
  const count = rowCount(embeddings, dimension);
  const distances = new Float64Array(first.length);
  for (let k = 0; k < first.length; k++) {
    const a = pairRow(first, k, count) * dimension;
    const b = pairRow(second, k, count) * dimension;
    let sum = 0;
    for (let i = 0; i < dimension; i++) {
      const difference = embeddings[a + i]! - embeddings[b + i]!;
      sum += difference * difference;
    }
    distances[k] = sum;
  }
  return distances;
}

function pairRow(rows: Uint32Array, pair: number, count: number): number {
  const row = rows[pair];
  if (row === undefined || row >= count) {
    throw new TopofrError("E_DATA", `pair ${pair}: image ${row} of ${count} embeddings does not exist`);
  }
  return row;
}
