// The Tensor type, and how tensors come from and go to JavaScript data. Operators: operators.generated.ts.
import { type DType, TopofrError } from "@topofr/formats";
import { native } from "./native.js";
import { methodNames, type TensorMethods } from "./operators.generated.js";

export type { DType };
export type MemoryFormat = "contiguous" | "channelsLast" | "channelsLast3d" | "preserve";
/** "cpu", "cuda" or "cuda:1". */
export type Device = string;
export type Scalar = number | bigint | boolean;
export type TypedArray = Float32Array | Float64Array | BigInt64Array | Int32Array | Uint8Array;
type Nested = number | readonly Nested[];

/**
 * A libtorch tensor. Its memory is freed by `dispose()`, by the end of the `scope()` that made it, or, as a safety net,
 * by the garbage collector. Operators whose first argument is `self` are methods: `a.matmul(b)`, `a.sum([1])`.
 */
export interface Tensor extends TensorMethods {
  readonly shape: number[];
  /** In elements, not bytes. */
  readonly strides: number[];
  readonly dtype: DType;
  readonly device: Device;
  /** Number of elements. */
  readonly size: number;
  readonly isLeaf: boolean;
  readonly disposed: boolean;
  requiresGrad: boolean;
  /** Accumulated by `backward()`; set to null to clear. */
  grad: Tensor | null;
  /** Gradients of this scalar (or of <this, gradient>) for all leaves that require them. */
  backward(gradient?: Tensor | null, options?: { retainGraph?: boolean }): void;
  /** The value of a one-element tensor. */
  item(): number;
  /** A copy, row-major. bfloat16 and float16 widen to Float32Array, int64 gives BigInt64Array, bool Uint8Array. */
  toTypedArray(): TypedArray;
  /** A copy of the raw little-endian elements, row-major. */
  toBytes(): Uint8Array;
  dispose(): void;
}

// The addon knows every operator by name; methods are looked up once and pass `this` as the first argument.
for (const [method, operator] of methodNames) {
  let call: ((...args: unknown[]) => unknown) | undefined;
  Object.defineProperty(native.Tensor.prototype, method, {
    configurable: true,
    writable: true,
    value: function (this: Tensor, ...args: unknown[]) {
      call ??= native.operator(operator);
      return call(this, ...args);
    },
  });
}

export interface TensorOptions {
  dtype?: DType;
  device?: Device;
  requiresGrad?: boolean;
}

export function isTensor(value: unknown): value is Tensor {
  return value instanceof (native.Tensor as unknown as new () => Tensor);
}

const TYPED_ARRAY_DTYPES = new Map<unknown, DType>([
  [Float32Array, "float32"],
  [Float64Array, "float64"],
  [BigInt64Array, "int64"],
  [Int32Array, "int32"],
  [Uint8Array, "uint8"],
]);

function shapeOf(data: Nested): number[] {
  if (!Array.isArray(data)) return [];
  return data.length === 0 ? [0] : [data.length, ...shapeOf(data[0]!)];
}

function flatten(data: Nested, shape: readonly number[], depth: number, out: number[]): void {
  if (typeof data === "number") {
    if (depth !== shape.length) throw ragged(shape);
    out.push(data);
    return;
  }
  if (!Array.isArray(data))
    throw new TopofrError("E_TENSOR", `tensor(): expected numbers in nested arrays, found a ${typeof data}`);
  if (data.length !== shape[depth]) throw ragged(shape);
  for (const item of data) flatten(item, shape, depth + 1, out);
}

const ragged = (shape: readonly number[]) =>
  new TopofrError(
    "E_TENSOR",
    `tensor(): the nested arrays are ragged; the first branch says shape [${shape}]`,
  );

const INTEGER_RANGES: Partial<Record<DType, readonly [low: number, high: number]>> = {
  int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint8: [0, 255],
};

function checkIntegers(values: readonly number[], dtype: DType): void {
  const range = INTEGER_RANGES[dtype];
  if (range === undefined) return;
  const [low, high] = range;
  const wrong = values.find((value) => !Number.isInteger(value) || value < low || value > high);
  if (wrong !== undefined)
    throw new TopofrError(
      "E_TENSOR",
      `tensor(): ${dtype} holds whole numbers from ${low} to ${high}, found ${wrong}`,
    );
}

/**
 * A tensor from a number, nested arrays (float32 unless `dtype` says otherwise) or a typed array (its own dtype; one copy).
 * @throws E_TENSOR when `shape` does not fit the data, nested arrays are ragged, or a number does not fit an integer `dtype`.
 */
export function tensor(
  data: Nested | TypedArray,
  options: TensorOptions & { shape?: readonly number[] } = {},
): Tensor {
  const { dtype, device, requiresGrad } = options;
  let result: Tensor;
  if (typeof data === "number" || Array.isArray(data)) {
    const shape = shapeOf(data as Nested);
    const values: number[] = [];
    flatten(data as Nested, shape, 0, values);
    checkIntegers(values, dtype ?? "float32");
    const exact = dtype === "int64" ? BigInt64Array.from(values, BigInt) : Float64Array.from(values);
    result = native.tensorFromBytes(exact, dtype === "int64" ? "int64" : "float64", options.shape ?? shape);
    result = convert(result, dtype ?? "float32", device);
  } else {
    const array = data as TypedArray;
    if (!ArrayBuffer.isView(array))
      throw new TopofrError(
        "E_TENSOR",
        `tensor(): expected numbers or a typed array, found a ${typeof data}`,
      );
    const own =
      TYPED_ARRAY_DTYPES.get(array.constructor) ?? (array instanceof Uint8Array ? "uint8" : undefined);
    if (own === undefined)
      throw new TopofrError("E_TENSOR", `tensor(): ${array.constructor.name} has no matching dtype`);
    result = native.tensorFromBytes(array, own, options.shape ?? [array.length]);
    result = convert(result, dtype ?? own, device);
  }
  if (requiresGrad) result.requiresGrad = true;
  return result;
}

/** A tensor from raw little-endian bytes, as safetensors and PyTorch files hold them. */
export function tensorFromBytes(data: Uint8Array, dtype: DType, shape: readonly number[]): Tensor {
  return native.tensorFromBytes(data, dtype, shape);
}

function convert(made: Tensor, dtype: DType, device: Device | undefined): Tensor {
  if (made.dtype === dtype && (device === undefined || device === made.device)) return made;
  try {
    return device === undefined ? made.to(dtype) : made.to(device, dtype);
  } finally {
    made.dispose();
  }
}

const operator = (name: string) => {
  let call: ((...args: unknown[]) => unknown) | undefined;
  return (...args: unknown[]): Tensor => {
    call ??= native.operator(name);
    return call(...args) as Tensor;
  };
};
const callFull = operator("aten::full");
const callRandn = operator("aten::randn");
const callRand = operator("aten::rand");
const callArange = operator("aten::arange");

function create(call: (...args: unknown[]) => Tensor, leading: unknown[], options: TensorOptions): Tensor {
  const { dtype = "float32", device, requiresGrad } = options;
  const result = call(...leading, device === undefined ? { dtype } : { dtype, device });
  if (requiresGrad) result.requiresGrad = true;
  return result;
}

export const full = (shape: readonly number[], value: number, options: TensorOptions = {}): Tensor =>
  create(callFull, [shape, value], options);
export const zeros = (shape: readonly number[], options: TensorOptions = {}): Tensor =>
  full(shape, 0, options);
export const ones = (shape: readonly number[], options: TensorOptions = {}): Tensor =>
  full(shape, 1, options);
/** Standard normal values from the default generator (see `manualSeed`). */
export const randn = (shape: readonly number[], options: TensorOptions = {}): Tensor =>
  create(callRandn, [shape], options);
/** Uniform values in [0, 1). */
export const rand = (shape: readonly number[], options: TensorOptions = {}): Tensor =>
  create(callRand, [shape], options);
/** 0, 1, …, count - 1; int64 unless `dtype` says otherwise. */
export const arange = (count: number, options: TensorOptions = {}): Tensor =>
  create(callArange, [count], { dtype: "int64", ...options });
