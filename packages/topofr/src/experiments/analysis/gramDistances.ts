// All distances of many wide points by matrix products of libtorch: for 37,632 numbers a point, twenty times as fast as one pair after
// the other. Few or narrow points: the distances of @topofr/topology, which need no engine.
import { distanceBetween, type FloatArray } from "@topofr/topology";
import { noGrad, scope, type Tensor, tensor } from "@topofr/torch";

const TILE = 512; // rows
// Below this share of the largest distance, one from a product may have lost digits to cancellation: it is computed anew.
const NEAR = 0.05;

/**
 * @param points [count, dimension]
 * @returns [count, count] float32, symmetric; off by about 1e-6 of the largest distance at most
 */
export function gramDistances(points: FloatArray, count: number, dimension: number): Float32Array {
  const distances = new Float32Array(count * count);
  const mean = rowMean(points, count, dimension); // taken off: distances stay, norms shrink, and with them the rounding
  const tile = (start: number): Tensor => {
    const height = Math.min(TILE, count - start);
    const centred = new Float32Array(height * dimension);
    for (let row = 0, i = 0; row < height; row++) {
      const offset = (start + row) * dimension;
      for (let k = 0; k < dimension; k++, i++) centred[i] = points[offset + k]! - mean[k]!;
    }
    return tensor(centred, { shape: [height, dimension] });
  };
  let largest = 0;
  for (let top = 0; top < count; top += TILE) {
    noGrad(() =>
      scope(() => {
        const rows = tile(top);
        for (let left = 0; left <= top; left += TILE) {
          const columns = left === top ? rows : tile(left);
          const block = productDistances(rows, columns);
          const [height, width] = [rows.shape[0]!, columns.shape[0]!];
          for (let i = 0; i < height; i++)
            for (let j = 0; j < width; j++) {
              if (left + j >= top + i) break;
              const length = block[i * width + j]!;
              distances[(top + i) * count + left + j] = length;
              if (length > largest) largest = length;
            }
        }
      }),
    );
  }
  for (let i = 1; i < count; i++)
    for (let j = 0; j < i; j++) {
      const length = distances[i * count + j]!;
      const exact = length < NEAR * largest ? Math.fround(distanceBetween(points, dimension, i, j)) : length;
      distances[i * count + j] = exact;
      distances[j * count + i] = exact;
    }
  return distances;
}

function productDistances(rows: Tensor, columns: Tensor): Float32Array {
  return scope(() => {
    const squares = (points: Tensor) => points.square().sum([1]);
    const sums = squares(rows).unsqueeze(1).add(squares(columns).unsqueeze(0));
    const products = rows.matmul(columns.t());
    return sums.sub(products.mul(2)).clampMin(0).sqrt().toTypedArray() as Float32Array;
  });
}

function rowMean(points: FloatArray, count: number, dimension: number): Float64Array {
  const mean = new Float64Array(dimension);
  for (let row = 0, i = 0; row < count; row++)
    for (let k = 0; k < dimension; k++, i++) mean[k]! += points[i]! / count;
  return mean;
}
