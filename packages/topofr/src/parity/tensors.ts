// Between recorded arrays and tensors, for the cases that compute with them.

import type { Edges } from "@topofr/topology";
import { type Tensor, tensor } from "@topofr/torch";
import { expectSame, type RecordedArray } from "./compare.js";

/** float32, of the recorded shape. */
export const recordedTensor = (
  { shape, data }: RecordedArray,
  options: { requiresGrad?: boolean } = {},
): Tensor => tensor(Float32Array.from(data), { shape, ...options });

/** Class labels, int64. */
export const recordedLabels = ({ shape, data }: RecordedArray): Tensor =>
  tensor(BigInt64Array.from(data, BigInt), { shape });

/** The values of a floating-point tensor, row-major. */
export const numbers = (value: Tensor): Float32Array | Float64Array =>
  value.toTypedArray() as Float32Array | Float64Array;

export function gradientOf(what: string, value: Tensor): Tensor {
  if (value.grad === null) throw new Error(`no gradient reached the ${what}`);
  return value.grad;
}

/** Throws unless `edges` are the recorded pairs, [edges, 2], in the same order. */
export function expectEdges(what: string, { u, v }: Edges, pairs: readonly number[]): void {
  expectSame(
    what,
    Array.from(u).flatMap((first, edge) => [first, v[edge]!]),
    pairs,
  );
}
