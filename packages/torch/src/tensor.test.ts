// Tensors from and to JavaScript data, and their layout in memory.
import { expect, test } from "vitest";
import { ops } from "./operators.js";
import {
  arange,
  type DType,
  full,
  isTensor,
  ones,
  rand,
  randn,
  type TypedArray,
  tensor,
  tensorFromBytes,
  zeros,
} from "./tensor.js";
import { errorOf, numbers } from "./torch.test.helpers.js";

const ROUND_TRIPS: [DType, TypedArray][] = [
  ["float32", Float32Array.of(1.5, -0, Number.NaN, Number.POSITIVE_INFINITY)],
  ["float64", Float64Array.of(Math.PI, -1e300, Number.MIN_VALUE, 0)],
  ["int64", BigInt64Array.of(2n ** 63n - 1n, -(2n ** 63n), 0n, -1n)],
  ["int32", Int32Array.of(2 ** 31 - 1, -(2 ** 31), 0, 7)],
  ["uint8", Uint8Array.of(0, 1, 128, 255)],
];

test.each(ROUND_TRIPS)("%s goes in and comes out bit for bit, as a copy", (dtype, values) => {
  const made = tensor(values);
  expect(made.dtype).toBe(dtype);
  expect(made.shape).toEqual([4]);
  const out = made.toTypedArray();
  expect(out.constructor).toBe(values.constructor);
  expect(out).toEqual(values);
  expect(Buffer.from(made.toBytes())).toEqual(Buffer.from(values.buffer));
  out[0] = out[1]!;
  expect(made.toTypedArray()).toEqual(values);
});

test("bool takes bytes, numbers and dtype conversion, and comes out as bytes", () => {
  expect(tensor([0, 2, -1], { dtype: "bool" }).toTypedArray()).toEqual(Uint8Array.of(0, 1, 1));
  const made = tensor(Uint8Array.of(0, 3), { dtype: "bool" });
  expect(made.dtype).toBe("bool");
  expect(made.toTypedArray()).toEqual(Uint8Array.of(0, 1));
});

test("every bfloat16 widens exactly to float32 and narrows back to the same bits", () => {
  const bits = Uint16Array.from({ length: 65536 }, (_, index) => index);
  const made = tensorFromBytes(new Uint8Array(bits.buffer), "bfloat16", [65536]);
  const wide = made.toTypedArray() as Float32Array;
  const expected = new Float32Array(Uint32Array.from(bits, (value) => value * 65536).buffer);
  expect(Buffer.from(wide.buffer).equals(Buffer.from(expected.buffer))).toBe(true);
  const back = new Uint16Array(tensor(wide, { dtype: "bfloat16" }).toBytes().buffer);
  const changed = back.filter((value, index) => value !== bits[index] && !Number.isNaN(wide[index]!));
  expect(changed.length).toBe(0);
});

test("float16 widens to the values of IEEE 754 binary16", () => {
  const bits = Uint16Array.of(0x3c00, 0x0001, 0x7bff, 0x8000, 0x7c00);
  const made = tensorFromBytes(new Uint8Array(bits.buffer), "float16", [5]);
  expect(numbers(made)).toEqual([1, 2 ** -24, 65504, -0, Number.POSITIVE_INFINITY]);
  expect(tensor([1e6], { dtype: "float16" }).item()).toBe(Number.POSITIVE_INFINITY);
});

test("a view into a larger buffer, shared or not, gives its own elements only", () => {
  for (const buffer of [new ArrayBuffer(40), new SharedArrayBuffer(40)]) {
    const view = new Float32Array(buffer, 8, 4);
    view.set([1, 2, 3, 4]);
    expect(numbers(tensor(view, { shape: [2, 2] }))).toEqual([1, 2, 3, 4]);
  }
  expect(numbers(tensor(Buffer.from([1, 2, 3])))).toEqual([1, 2, 3]);
});

test("nested arrays give the shape, row-major, as float32", () => {
  const made = tensor([
    [
      [1, 2],
      [3, 4],
    ],
    [
      [5, 6],
      [7, 8],
    ],
    [
      [9, 10],
      [11, 12],
    ],
  ]);
  expect(made.shape).toEqual([3, 2, 2]);
  expect(made.dtype).toBe("float32");
  expect(numbers(made)).toEqual(Array.from({ length: 12 }, (_, index) => index + 1));
  expect(tensor(3).shape).toEqual([]);
  expect(tensor(3).item()).toBe(3);
  expect(tensor([-1, 2], { dtype: "int64" }).toTypedArray()).toEqual(BigInt64Array.of(-1n, 2n));
});

test.each([
  ["ragged rows", () => tensor([[1, 2], [3]])],
  ["a number beside an array", () => tensor([[1], 2])],
  ["an array below the numbers", () => tensor([1, [2]])],
  ["a string", () => tensor("12" as unknown as number)],
  ["strings", () => tensor(["1"] as unknown as number[])],
  ["undefined", () => tensor(undefined as unknown as number)],
  ["an object", () => tensor({} as unknown as number)],
  ["bigints in an array", () => tensor([1n] as unknown as number[])],
  ["a typed array without a dtype", () => tensor(new Uint16Array(2) as unknown as TypedArray)],
  ["a fraction as int64", () => tensor([1.5], { dtype: "int64" })],
  ["NaN as int32", () => tensor([Number.NaN], { dtype: "int32" })],
  ["256 as uint8", () => tensor([256], { dtype: "uint8" })],
  ["a shape of other size", () => tensor([1, 2, 3], { shape: [2, 2] })],
  ["a shape with a fraction", () => tensor([1, 2, 3], { shape: [1.5, 2] })],
  ["a negative size", () => tensor([1, 2], { shape: [-2] })],
  ["a huge shape", () => tensor([1, 2], { shape: [1e15, 1e15] })],
  ["a shape that is no array", () => tensor([1, 2], { shape: 2 as unknown as number[] })],
  ["an unknown dtype", () => tensor([1], { dtype: "float" as DType })],
  ["requiresGrad on integers", () => tensor([1], { dtype: "int64", requiresGrad: true })],
])("%s: E_TENSOR", (_, body) => {
  expect(errorOf(body)).toMatchObject({ code: "E_TENSOR" });
});

test("a shape that does not fit says what was given and what was asked for", () => {
  const { message } = errorOf(() => tensor(new Float32Array(6), { shape: [2, 4] }));
  expect(message).toContain("6 elements of float32");
  expect(message).toContain("[2, 4]");
});

test("empty tensors keep their shape and dtype", () => {
  for (const made of [tensor([]), tensor([[], []]), zeros([0, 3]), tensor(new Float32Array(0))]) {
    expect(made.size).toBe(0);
    expect(made.toTypedArray()).toEqual(new Float32Array(0));
    expect(made.toBytes().length).toBe(0);
  }
  expect(tensor([[], []]).shape).toEqual([2, 0]);
  expect(zeros([0, 3]).sum().item()).toBe(0);
});

test("permute changes strides, not memory; out comes the logical order", () => {
  const made = arange(6, { dtype: "float32" }).reshape([2, 3]);
  expect(made.strides).toEqual([3, 1]);
  const turned = made.permute([1, 0]);
  expect(turned.shape).toEqual([3, 2]);
  expect(turned.strides).toEqual([1, 3]);
  expect(numbers(turned)).toEqual([0, 3, 1, 4, 2, 5]);
  expect(turned.contiguous().strides).toEqual([2, 1]);
  expect(numbers(turned.contiguous())).toEqual([0, 3, 1, 4, 2, 5]);
  made.fill_(9);
  expect(numbers(turned)).toEqual([9, 9, 9, 9, 9, 9]);
});

test("channels-last keeps shape and values", () => {
  const made = arange(24, { dtype: "float32" }).reshape([1, 2, 3, 4]);
  const last = made.contiguous({ memoryFormat: "channelsLast" });
  expect(last.shape).toEqual([1, 2, 3, 4]);
  expect(last.strides).toEqual([24, 1, 8, 2]);
  expect(numbers(last)).toEqual(numbers(made));
});

test("an expanded tensor comes out in full", () => {
  expect(numbers(tensor([[1], [2]]).expand([2, 3]))).toEqual([1, 1, 1, 2, 2, 2]);
});

test("more than one array can hold is refused before any copy", () => {
  const huge = zeros([1], { dtype: "uint8" }).expand([2 ** 32 + 1]);
  for (const body of [() => huge.toBytes(), () => huge.toTypedArray()]) {
    expect(errorOf(body)).toMatchObject({ code: "E_TENSOR", message: expect.stringContaining("narrow") });
  }
});

test("constructors fill, count and draw", () => {
  expect(numbers(zeros([2]))).toEqual([0, 0]);
  expect(numbers(ones([2], { dtype: "int64" }))).toEqual([1, 1]);
  expect(numbers(full([2], 2.5))).toEqual([2.5, 2.5]);
  expect(arange(3).toTypedArray()).toEqual(BigInt64Array.of(0n, 1n, 2n));
  expect(randn([3], { dtype: "float64" }).dtype).toBe("float64");
  expect(numbers(rand([1000])).every((value) => value >= 0 && value < 1)).toBe(true);
  expect(ones([1], { requiresGrad: true }).requiresGrad).toBe(true);
});

test("isTensor knows tensors from everything else", () => {
  expect(isTensor(zeros([1]))).toBe(true);
  for (const value of [null, undefined, 1, {}, [], new Float32Array(1), ops])
    expect(isTensor(value)).toBe(false);
});
