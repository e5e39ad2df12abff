// What PyTorch puts into the pickle of a checkpoint, described and not yet loaded: tensors as views of storages.
// The allow-list of globals is here. Source: torch/serialization.py and torch/_utils.py (1.13 and 2.x).
import { GlobalReference, type PickleGlobal } from "./pickle.js";
import type { StridedLayout } from "./strided.js";
import { isCount } from "./tensorEntry.js";

const MAX_RANK = 64; // libtorch's own bound

/** A storage class of PyTorch. `dtype` is PyTorch's name, of which only some are a `DType` that can be loaded. */
export interface StorageType {
  readonly dtype: string;
  readonly itemSize: number;
}

/** A storage, or (legacy files) a part of one; `numel` and `viewOffset` count elements. */
export class StorageReference {
  readonly key: string;
  readonly type: StorageType;
  /** Elements of the whole storage. */
  readonly numel: number;
  /** Where this part of the storage begins, and how many elements it has. */
  readonly viewOffset: number;
  readonly viewNumel: number;

  constructor(key: string, type: StorageType, numel: number, viewOffset = 0, viewNumel = numel) {
    this.key = key;
    this.type = type;
    this.numel = numel;
    this.viewOffset = viewOffset;
    this.viewNumel = viewNumel;
  }
}

/** A tensor in a checkpoint: a strided view of a storage. */
export class TensorReference {
  readonly storage: StorageReference;
  /** Relative to the storage's view. */
  readonly layout: StridedLayout;

  constructor(storage: StorageReference, layout: StridedLayout) {
    this.storage = storage;
    this.layout = layout;
  }
}

const STORAGE_TYPES: ReadonlyMap<string, StorageType> = new Map([
  ["FloatStorage", { dtype: "float32", itemSize: 4 }],
  ["DoubleStorage", { dtype: "float64", itemSize: 8 }],
  ["HalfStorage", { dtype: "float16", itemSize: 2 }],
  ["BFloat16Storage", { dtype: "bfloat16", itemSize: 2 }],
  ["LongStorage", { dtype: "int64", itemSize: 8 }],
  ["IntStorage", { dtype: "int32", itemSize: 4 }],
  ["ShortStorage", { dtype: "int16", itemSize: 2 }],
  ["CharStorage", { dtype: "int8", itemSize: 1 }],
  ["ByteStorage", { dtype: "uint8", itemSize: 1 }],
  ["BoolStorage", { dtype: "bool", itemSize: 1 }],
  ["ComplexFloatStorage", { dtype: "complex64", itemSize: 8 }],
  ["ComplexDoubleStorage", { dtype: "complex128", itemSize: 16 }],
]);

const DTYPE_NAMES = [
  ...["float32", "float64", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool"],
  ...["complex64", "complex128"],
];

const NAME_ONLY: PickleGlobal = {};

/** Everything that the pickle of a state_dict may name; nothing here can do more than describe. */
export const TORCH_GLOBALS: ReadonlyMap<string, PickleGlobal> = new Map<string, PickleGlobal>([
  ["collections OrderedDict", { construct: orderedDict, build: ignoreState }],
  ["torch._utils _rebuild_tensor", { construct: rebuildTensor }],
  ["torch._utils _rebuild_tensor_v2", { construct: rebuildTensor }],
  ["torch._utils _rebuild_parameter", { construct: rebuildParameter }],
  ["torch Size", { construct: ([sizes]) => sizes }],
  ["torch device", { construct: ([type]) => type }],
  ...[...STORAGE_TYPES.keys()].map((name): [string, PickleGlobal] => [`torch ${name}`, NAME_ONLY]),
  ...DTYPE_NAMES.map((name): [string, PickleGlobal] => [`torch ${name}`, NAME_ONLY]),
]);

/**
 * The storage that a persistent id describes: `("storage", class, key, device, numel)`, and in legacy files a sixth
 * element, None or `(view key, offset, numel)`. Throws an Error for anything else.
 */
export function storageOfPersistentId(id: unknown): StorageReference {
  if (!Array.isArray(id) || id[0] !== "storage") throw new Error("it is not a storage");
  const [, storageClass, key, , numel, view] = id as unknown[];
  const type =
    storageClass instanceof GlobalReference ? STORAGE_TYPES.get(storageClass.name.slice(6)) : undefined;
  if (!type) throw new Error("it has no storage class");
  if (typeof key !== "string" || !isCount(numel)) throw new Error("key or element count is missing");
  if (view === null || view === undefined) return new StorageReference(key, type, numel);
  const [, offset, viewNumel] = Array.isArray(view) ? (view as unknown[]) : [];
  if (!isCount(offset) || !isCount(viewNumel) || offset + viewNumel > numel) {
    throw new Error("it is a part of a storage that reaches past its end");
  }
  return new StorageReference(key, type, numel, offset, viewNumel);
}

/** `OrderedDict()`, or `OrderedDict([(key, value), …])` as old Pythons wrote it. */
function orderedDict([pairs, ...rest]: readonly unknown[]): Map<unknown, unknown> {
  const dict = new Map<unknown, unknown>();
  if (pairs === undefined) return dict;
  if (!Array.isArray(pairs) || rest.length > 0) throw new Error("expected one list of pairs");
  for (const pair of pairs as unknown[]) {
    if (!Array.isArray(pair) || pair.length !== 2) throw new Error("expected pairs of key and value");
    dict.set(pair[0], pair[1]);
  }
  return dict;
}

/** The attributes of a state_dict's OrderedDict (`_metadata`: module versions) say nothing about its tensors. */
function ignoreState(): void {}

/** `(storage, offset, size, stride, requires_grad, backward_hooks[, metadata])`; the first version ends at stride. */
function rebuildTensor([storage, offset, shape, strides]: readonly unknown[]): TensorReference {
  if (!(storage instanceof StorageReference)) throw new Error("the first argument is not a storage");
  if (!isCount(offset)) throw new Error("the offset is not a count");
  if (!isCounts(shape)) throw new Error("the size is not a tuple of counts");
  if (!isCounts(strides)) throw new Error("the stride is not a tuple of counts");
  if (shape.length > MAX_RANK || strides.length !== shape.length) {
    throw new Error(`${shape.length} dimensions and ${strides.length} strides`);
  }
  return new TensorReference(storage, { shape, strides, offset });
}

function rebuildParameter([data]: readonly unknown[]): TensorReference {
  if (!(data instanceof TensorReference)) throw new Error("the first argument is not a tensor");
  return data;
}

function isCounts(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every(isCount);
}
