// The form of torch.save before PyTorch 1.6 (and of `_use_new_zipfile_serialization=False`): five pickles in a row
// (magic, version, system, object, storage keys), then each storage as i64 element count and data. Source:
// torch/serialization.py, _legacy_load. The older tar form (before 0.1.10) is not supported.
import { TopofrError } from "./error.js";
import type { InputFile } from "./inputFile.js";
import { type UnpickleOptions, unpickleAt } from "./pickle.js";
import { printable } from "./printable.js";
import { type StorageReference, storageOfPersistentId } from "./torchPickle.js";
import type { ReadStorage } from "./torchTensors.js";

const MAGIC = 0x1950a86a20f9469cfc6cn;
const VERSION = 1001;
const MAX_PICKLE_BYTES = 64 * 1024 * 1024;

/** The magic number as a pickle has it; one or two opcodes come before it. */
const MAGIC_BYTES = Buffer.of(0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19);

/** Whether a file that begins with `start` (some 32 bytes) has this format. */
export function isTorchLegacy(start: Uint8Array): boolean {
  return start[0] === 0x80 && Buffer.from(start).includes(MAGIC_BYTES);
}

/** Reads the object; storages are read later, by position. Errors: E_FORMAT. */
export async function openTorchLegacy(
  file: InputFile,
  options: UnpickleOptions,
): Promise<{ value: unknown; readStorage: ReadStorage }> {
  const fail = (message: string) => new TopofrError("E_FORMAT", `${file.path}: ${message}`);
  const storages = new Map<string, StorageReference>();
  const persistentLoad = (id: unknown) => {
    const storage = storageOfPersistentId(id);
    storages.set(storage.key, storage);
    return storage;
  };
  const head = await file.read(0, Math.min(file.size, MAX_PICKLE_BYTES));
  let position = 0;
  const next = () => {
    const { value, end } = unpickleAt(head, position, { ...options, persistentLoad });
    position = end;
    return value;
  };
  if (next() !== MAGIC) throw fail("not the magic number of torch.save's legacy format");
  if (next() !== VERSION) throw fail(`legacy format of another version than ${VERSION}`);
  const system = next();
  if (!(system instanceof Map) || system.get("little_endian") !== true) {
    throw fail("written on a big-endian machine, which is not supported; save it again on another");
  }
  const value = next();
  const keys = next();
  if (!Array.isArray(keys)) throw fail(`list of storages expected before byte ${position}`);

  const starts = new Map<unknown, number>();
  for (const key of keys as unknown[]) {
    const storage = typeof key === "string" ? storages.get(key) : undefined;
    if (!storage) throw fail(`the list before byte ${position} names a storage that no tensor uses`);
    if (starts.has(key)) throw fail(`storage ${printable(storage.key)} is listed twice`);
    const count = new DataView((await file.read(position, 8)).buffer).getBigInt64(0, true);
    const bytes = storage.numel * storage.type.itemSize;
    if (count !== BigInt(storage.numel)) {
      throw fail(`storage at byte ${position} has ${count} elements, the pickle says ${storage.numel}`);
    }
    if (position + 8 + bytes > file.size) {
      throw fail(
        `storage at byte ${position} needs ${bytes} bytes, the file ends at byte ${file.size}; it is truncated`,
      );
    }
    starts.set(key, position + 8);
    position += 8 + bytes;
  }
  const readStorage: ReadStorage = ({ key, numel, type }) => {
    const start = starts.get(key);
    if (start === undefined) throw fail(`storage ${printable(key)} is not in the file's list of storages`);
    return file.read(start, numel * type.itemSize);
  };
  return { value, readStorage };
}
