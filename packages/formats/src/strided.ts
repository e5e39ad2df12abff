// Copies a strided view of elements into row-major order. No arithmetic on the elements: bytes in, bytes out.
import { elementCount } from "./tensorEntry.js";

/** Which elements of a buffer make up a tensor; offset and strides count elements. */
export interface StridedLayout {
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;
}

/** Strides of a row-major tensor of this shape. */
export function rowMajorStrides(shape: readonly number[]): number[] {
  const strides: number[] = new Array(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= Math.max(shape[axis]!, 1);
  }
  return strides;
}

/** One past the largest element index that the layout touches; 0 for an empty tensor. */
export function extent({ shape, strides, offset }: StridedLayout): number {
  if (elementCount(shape) === 0) return 0;
  return shape.reduce((end, size, axis) => end + (size - 1) * strides[axis]!, offset) + 1;
}

/** Whether the elements already lie row-major and without gaps (strides of axes of length 1 do not matter). */
export function isRowMajor({ shape, strides }: StridedLayout): boolean {
  if (elementCount(shape) === 0) return true;
  const expected = rowMajorStrides(shape);
  return shape.every((size, axis) => size === 1 || strides[axis] === expected[axis]);
}

/**
 * The layout's elements of `source` in row-major order, in fresh memory. `source` starts at a multiple of `itemSize`
 * within its buffer, and `extent(layout)` elements fit in it: the caller has checked.
 */
export function toRowMajor(
  source: Uint8Array<ArrayBuffer>,
  itemSize: number,
  layout: StridedLayout,
): Uint8Array<ArrayBuffer> {
  const { shape, strides, offset } = layout;
  const count = elementCount(shape);
  if (count === 0) return new Uint8Array(0);
  if (isRowMajor(layout)) return source.slice(offset * itemSize, (offset + count) * itemSize);

  const from = unitView(source, itemSize);
  const target = new Uint8Array(count * itemSize);
  const to = unitView(target, itemSize);
  const units = itemSize / from.BYTES_PER_ELEMENT; // units per element: 1, or 2 for 8-byte elements
  const innerSize = shape.at(-1)!;
  const innerStride = strides.at(-1)! * units;
  const index = new Array<number>(shape.length).fill(0);
  let start = offset; // element index of the current innermost row
  for (let written = 0; written < to.length; ) {
    for (let i = 0, position = start * units; i < innerSize; i++, position += innerStride) {
      for (let unit = 0; unit < units; unit++) to[written++] = from[position + unit]!;
    }
    for (let axis = shape.length - 2; axis >= 0; axis--) {
      start += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      start -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return target;
}

/** The bytes as integers of at most 4 bytes: integers copy exactly where floating-point NaNs might not. */
function unitView(bytes: Uint8Array<ArrayBuffer>, itemSize: number): Uint8Array | Uint16Array | Uint32Array {
  const { buffer, byteOffset, length } = bytes;
  if (itemSize >= 4) return new Uint32Array(buffer, byteOffset, length >> 2);
  if (itemSize === 2) return new Uint16Array(buffer, byteOffset, length >> 1);
  return bytes;
}
