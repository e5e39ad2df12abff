// Loads the tensors that a checkpoint's pickle describes: reads each storage once, gives every tensor memory of its
// own, row-major. Where the storages lie in the file is the caller's business (torchZip.ts, torchLegacy.ts).
import { TopofrError } from "./error.js";
import { printable } from "./printable.js";
import { extent, isRowMajor, toRowMajor } from "./strided.js";
import { type DType, elementCount, ITEM_SIZE, type TensorEntry } from "./tensorEntry.js";
import type { StorageReference, TensorReference } from "./torchPickle.js";

/** Reads `storage.numel` elements of a whole storage into fresh memory. */
export type ReadStorage = (storage: StorageReference) => Promise<Uint8Array<ArrayBuffer>>;

// A tensor may repeat elements (stride 0) or share a storage, so a small file can describe huge tensors. Real
// checkpoints stay near their own size.
const MAX_EXPANSION = 8;
const ALWAYS_ALLOWED_BYTES = 64 * 1024 * 1024;

/** Loads `tensors` in their order. Errors: E_FORMAT naming the tensor; what `readStorage` throws. */
export async function loadTensors(
  tensors: ReadonlyMap<string, TensorReference>,
  file: { path: string; size: number },
  readStorage: ReadStorage,
): Promise<TensorEntry[]> {
  checkTensors(tensors, file);
  const usesLeft = new Map<string, number>();
  for (const { storage } of tensors.values()) usesLeft.set(storage.key, (usesLeft.get(storage.key) ?? 0) + 1);

  const loaded = new Map<string, Uint8Array<ArrayBuffer>>();
  const entries: TensorEntry[] = [];
  for (const [name, { storage, layout }] of tensors) {
    const bytes = loaded.get(storage.key) ?? (await readStorage(storage));
    const uses = usesLeft.get(storage.key)! - 1;
    usesLeft.set(storage.key, uses);
    if (uses > 0) loaded.set(storage.key, bytes);
    else loaded.delete(storage.key);

    const { dtype, itemSize } = storage.type;
    const absolute = { ...layout, offset: layout.offset + storage.viewOffset };
    const whole = isRowMajor(absolute) && elementCount(absolute.shape) === storage.numel;
    const data = uses === 0 && whole ? bytes : toRowMajor(bytes, itemSize, absolute);
    entries.push({ name, dtype: dtype as DType, shape: [...layout.shape], data });
  }
  return entries;
}

function checkTensors(
  tensors: ReadonlyMap<string, TensorReference>,
  file: { path: string; size: number },
): void {
  let bytes = 0;
  const typeOfStorage = new Map<string, StorageReference>();
  for (const [name, { storage, layout }] of tensors) {
    const fail = (message: string) =>
      new TopofrError("E_FORMAT", `${file.path}: tensor "${printable(name)}": ${message}`);
    if (!Object.hasOwn(ITEM_SIZE, storage.type.dtype)) {
      throw fail(
        `dtype ${storage.type.dtype} is not supported; convert it in Python to one of ` +
          `${Object.keys(ITEM_SIZE).join(", ")} and save again`,
      );
    }
    const end = extent(layout);
    if (end > storage.viewNumel) {
      throw fail(
        `shape [${layout.shape}] with strides [${layout.strides}] from element ${layout.offset} needs ${end} elements, ` +
          `its storage has ${storage.viewNumel}`,
      );
    }
    const first = typeOfStorage.get(storage.key);
    if (first && (first.type !== storage.type || first.numel !== storage.numel)) {
      throw fail(`storage ${printable(storage.key)} is described in two ways`);
    }
    typeOfStorage.set(storage.key, storage);
    bytes += elementCount(layout.shape) * storage.type.itemSize;
    if (bytes > MAX_EXPANSION * file.size + ALWAYS_ALLOWED_BYTES) {
      throw fail(
        `the tensors up to this one take ${bytes} bytes, more than ${MAX_EXPANSION} times the file; refused ` +
          "(save expanded tensors by tensor.contiguous())",
      );
    }
  }
}
