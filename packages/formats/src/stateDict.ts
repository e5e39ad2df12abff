// Reads the state_dict of a PyTorch checkpoint (.pt, .pth) without Python and without running its pickle.
// Names are as in the file: a "module." prefix is kept. Not a reader of whole pickled models or of TorchScript.
import { TopofrError } from "./error.js";
import { type InputFile, withInputFile } from "./inputFile.js";
import { type UnpickleOptions, unpickle } from "./pickle.js";
import { printable } from "./printable.js";
import type { TensorEntry } from "./tensorEntry.js";
import { isTorchLegacy, openTorchLegacy } from "./torchLegacy.js";
import { storageOfPersistentId, TensorReference, TORCH_GLOBALS } from "./torchPickle.js";
import { loadTensors, type ReadStorage } from "./torchTensors.js";
import { openTorchZip } from "./torchZip.js";

const ZIP_PREFIX = Uint8Array.of(0x50, 0x4b, 0x03, 0x04);

/** Where training scripts put the network's state_dict when they save more than that. */
const STATE_DICT_KEYS = ["state_dict", "model", "state_dict_backbone"];

export interface ReadStateDictOptions {
  /** The entry of the checkpoint that is the state_dict, for instance "state_dict_softmax_fc". */
  readonly key?: string;
}

/**
 * Reads a state_dict saved by `torch.save`, in the zip or the legacy format: at the top level of the file or under
 * one of the keys state_dict, model, state_dict_backbone (or `options.key`). Tensors come in the order of the file,
 * row-major, each with memory of its own.
 *
 * Errors: E_FILE when the file cannot be read; E_FORMAT when it is damaged, truncated or another format, when its
 * pickle names a global that a state_dict does not need (which is refused and named), when a tensor has a dtype that
 * is not supported, or when no state_dict is found (the message lists the keys there are).
 */
export async function readStateDict(
  path: string,
  options: ReadStateDictOptions = {},
): Promise<TensorEntry[]> {
  return withInputFile(path, async (file) => {
    const { value, readStorage } = await openCheckpoint(file);
    const stateDict = findStateDict(value, path, options.key);
    return loadTensors(stateDict, file, readStorage);
  });
}

async function openCheckpoint(file: InputFile): Promise<{ value: unknown; readStorage: ReadStorage }> {
  const unpickleOptions: UnpickleOptions = {
    source: file.path,
    globals: TORCH_GLOBALS,
    persistentLoad: storageOfPersistentId,
    refusalHint: "(a state_dict needs none; in Python, save model.state_dict())",
  };
  const start = await file.read(0, Math.min(file.size, 32));
  if (ZIP_PREFIX.every((byte, i) => start[i] === byte)) {
    const { pickle, readStorage } = await openTorchZip(file);
    return { value: unpickle(pickle, unpickleOptions), readStorage };
  }
  if (isTorchLegacy(start)) return openTorchLegacy(file, unpickleOptions);
  throw new TopofrError(
    "E_FORMAT",
    `${file.path}: neither of the two formats of torch.save (it starts with ${Buffer.from(start.subarray(0, 4)).toString("hex") || "nothing"}); ` +
      "save torch.load(path) again with torch.save, or check that the download is complete",
  );
}

type StateDict = Map<string, TensorReference>;

function findStateDict(value: unknown, path: string, wantedKey: string | undefined): StateDict {
  const fail = (message: string) => new TopofrError("E_FORMAT", `${path}: ${message}`);
  if (!(value instanceof Map))
    throw fail(`holds ${describe(value)}, not a state_dict; save model.state_dict()`);
  if (wantedKey !== undefined) {
    const wanted = asStateDict(value.get(wantedKey));
    if (wanted) return wanted;
    throw fail(`no state_dict under the key "${printable(wantedKey)}"; the file has ${listKeys(value)}`);
  }
  const whole = asStateDict(value);
  if (whole) return whole;
  const found = STATE_DICT_KEYS.flatMap((key) => {
    const stateDict = asStateDict(value.get(key));
    return stateDict?.size ? [{ key, stateDict }] : [];
  });
  if (found.length === 1) return found[0]!.stateDict;
  if (found.length > 1) {
    throw fail(`state_dicts under ${found.map(({ key }) => key).join(" and ")}; say which by the option key`);
  }
  throw fail(
    `no state_dict: neither tensors only at the top level, nor under ${STATE_DICT_KEYS.join(", ")}; ` +
      `the file has ${listKeys(value)}`,
  );
}

/** The value as a state_dict, when it is a dict of tensors only. */
function asStateDict(value: unknown): StateDict | undefined {
  if (!(value instanceof Map)) return undefined;
  for (const [key, entry] of value) {
    if (typeof key !== "string" || !(entry instanceof TensorReference)) return undefined;
  }
  return value as StateDict;
}

const MAX_LISTED_KEYS = 12;

function listKeys(dict: ReadonlyMap<unknown, unknown>): string {
  if (dict.size === 0) return "no keys";
  const listed = [...dict].slice(0, MAX_LISTED_KEYS).map(([key, value]) => {
    return `${typeof key === "string" ? printable(key) : describe(key)} (${describe(value)})`;
  });
  if (dict.size > MAX_LISTED_KEYS) listed.push(`${dict.size - MAX_LISTED_KEYS} more`);
  return listed.join(", ");
}

function describe(value: unknown): string {
  if (value === null) return "None";
  if (value instanceof TensorReference) return `tensor ${value.storage.type.dtype} [${value.layout.shape}]`;
  if (value instanceof Map) return `dict of ${value.size}`;
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (value instanceof Set) return `set of ${value.size}`;
  if (Array.isArray(value)) return `${Object.isFrozen(value) ? "tuple" : "list"} of ${value.length}`;
  return typeof value === "object" ? "object" : typeof value;
}
