// A tensor at rest: name, dtype, shape and raw bytes. No arithmetic, no engine: that is @topofr/torch.

/** Element types, by their PyTorch names. */
export type DType = "float32" | "float64" | "bfloat16" | "float16" | "int64" | "int32" | "uint8" | "bool";

/** Bytes in one element. */
export const ITEM_SIZE: Readonly<Record<DType, number>> = {
  float32: 4,
  float64: 8,
  bfloat16: 2,
  float16: 2,
  int64: 8,
  int32: 4,
  uint8: 1,
  bool: 1,
};

/** A named tensor. `data` holds the elements little-endian, row-major, with nothing between them. */
export interface TensorEntry {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: number[];
  readonly data: Uint8Array;
}

/** What a writer accepts: a `TensorEntry` whose shape may be read-only. */
export type TensorEntryInput = Omit<TensorEntry, "shape"> & { readonly shape: readonly number[] };

/** Number of elements of a shape (1 for a scalar). Larger than any file when the product leaves 2^53. */
export function elementCount(shape: readonly number[]): number {
  if (shape.includes(0)) return 0;
  return shape.reduce((product, size) => product * size, 1);
}

/** Whether a value read from a file can be a dimension or an offset: an integer in 0 … 2^53 - 1. */
export function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
