// Dot products of many rows with many rows, by libtorch's matrix product in float32, and of single rows in float64. The threads are
// those of the process (`setNumThreads`).

import { noGrad, scope, type Tensor, tensor } from "@topofr/torch";

/** [left rows, right rows] row-major: every row of `left` with every row of `right`; both [rows, dimension]. */
export function rowProducts(left: Float32Array, right: Tensor, dimension: number): Float32Array {
  return noGrad(() =>
    scope(() => {
      const rows = tensor(left, { shape: [left.length / dimension, dimension] });
      return rows.matmul(right.t()).toTypedArray() as Float32Array;
    }),
  );
}

/** The dot product of the rows that start at `a` and at `b`. */
export function rowDot(matrix: Float32Array, a: number, b: number, dimension: number): number {
  // Four sums, so that an addition need not wait for the one before.
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let d = 0;
  for (; d + 3 < dimension; d += 4) {
    s0 += matrix[a + d]! * matrix[b + d]!;
    s1 += matrix[a + d + 1]! * matrix[b + d + 1]!;
    s2 += matrix[a + d + 2]! * matrix[b + d + 2]!;
    s3 += matrix[a + d + 3]! * matrix[b + d + 3]!;
  }
  for (; d < dimension; d++) s0 += matrix[a + d]! * matrix[b + d]!;
  return s0 + s1 + (s2 + s3);
}

/** The rows of `matrix` [n, dimension] that `rows` names, in that order. */
export function gatherRows(matrix: Float32Array, rows: ArrayLike<number>, dimension: number): Float32Array {
  const result = new Float32Array(rows.length * dimension);
  for (let k = 0; k < rows.length; k++) {
    const start = rows[k]! * dimension;
    result.set(matrix.subarray(start, start + dimension), k * dimension);
  }
  return result;
}
