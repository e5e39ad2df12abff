// Reads and writes safetensors files. Source: the format section of the safetensors README. It does not know what
// the tensors mean, and it never holds the file as one string or one buffer.
//
// Layout: u64 little-endian header length, that many bytes of JSON
// `{name: {"dtype", "shape", "data_offsets": [begin, end]}, "__metadata__": {string: string}}`, then the data.
import { TopofrError } from "./error.js";
import { type InputFile, withInputFile } from "./inputFile.js";
import { jsonKeys } from "./jsonKeys.js";
import { printable } from "./printable.js";
import {
  type DType,
  elementCount,
  ITEM_SIZE,
  isCount,
  type TensorEntry,
  type TensorEntryInput,
} from "./tensorEntry.js";
import { writeFileAtomic } from "./writeFileAtomic.js";

const MAX_HEADER_BYTES = 100_000_000; // the reference implementation's bound
const ALIGNMENT = 8; // the data start at a multiple of this byte
const HEADER_DEPTH = 3; // object of objects with arrays
const METADATA_KEY = "__metadata__";

const DTYPE_OF_CODE: ReadonlyMap<string, DType> = new Map([
  ["F32", "float32"],
  ["F64", "float64"],
  ["BF16", "bfloat16"],
  ["F16", "float16"],
  ["I64", "int64"],
  ["I32", "int32"],
  ["U8", "uint8"],
  ["BOOL", "bool"],
]);
const CODE_OF_DTYPE: ReadonlyMap<DType, string> = new Map(
  [...DTYPE_OF_CODE].map(([code, dtype]) => [dtype, code]),
);

/** A tensor's description without its data: bytes `start` (included) to `end` (excluded) of the file. */
export interface SafetensorsInfo {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: number[];
  readonly start: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  /** In the order of the header. */
  readonly tensors: SafetensorsInfo[];
  readonly metadata: Map<string, string>;
}

export interface SafetensorsFile {
  /** In the order of the header; every entry has memory of its own. */
  readonly tensors: TensorEntry[];
  readonly metadata: Map<string, string>;
}

/**
 * Reads and checks the header only; cheap whatever the file's size.
 *
 * Errors: E_FILE when the file cannot be read; E_FORMAT, naming file, tensor and byte, for a header that is too
 * long, not JSON, names a tensor twice, or whose tensors do not tile the data exactly (truncation, holes, overlap).
 */
export async function readSafetensorsHeader(path: string): Promise<SafetensorsHeader> {
  return withInputFile(path, readHeader);
}

/** Reads a whole file. Errors: as `readSafetensorsHeader`. */
export async function readSafetensors(path: string): Promise<SafetensorsFile> {
  return withInputFile(path, async (file) => {
    const header = await readHeader(file);
    const tensors: TensorEntry[] = [];
    for (const { name, dtype, shape, start, end } of header.tensors) {
      tensors.push({ name, dtype, shape, data: await file.read(start, end - start) });
    }
    return { tensors, metadata: header.metadata };
  });
}

/**
 * Writes a file atomically (see `writeFileAtomic`). The header lists the tensors in the given order; the data are
 * laid out by decreasing element size, so that each tensor is aligned to its elements. The same input gives the
 * same bytes.
 *
 * Errors: E_USAGE for a name used twice or data that do not fit the shape; E_FILE when writing fails.
 */
export async function writeSafetensors(
  path: string,
  tensors: Iterable<TensorEntryInput>,
  metadata: ReadonlyMap<string, string> | Readonly<Record<string, string>> = {},
): Promise<void> {
  const entries = [...tensors];
  checkEntries(path, entries);
  const dataOrder = entries.toSorted((a, b) => ITEM_SIZE[b.dtype] - ITEM_SIZE[a.dtype]); // stable
  const offsets = new Map<string, [begin: number, end: number]>();
  let position = 0;
  for (const { name, data } of dataOrder) {
    offsets.set(name, [position, position + data.length]);
    position += data.length;
  }
  const header = encodeHeader(path, entries, offsets, metadata);
  await writeFileAtomic(path, [header, ...dataOrder.map((entry) => entry.data)]);
}

function checkEntries(path: string, entries: readonly TensorEntryInput[]): void {
  const names = new Set<string>();
  for (const { name, dtype, shape, data } of entries) {
    const fail = (message: string) =>
      new TopofrError("E_USAGE", `${path}: cannot write tensor "${printable(name)}": ${message}`);
    if (name === METADATA_KEY) throw fail("the format keeps this name for metadata; rename it");
    if (names.has(name)) throw fail("two tensors have this name; rename one");
    names.add(name);
    if (!CODE_OF_DTYPE.has(dtype)) throw fail(`unknown dtype ${printable(String(dtype))}`);
    if (!shape.every(isCount)) throw fail(`shape [${shape}] is not made of counts`);
    const expected = elementCount(shape) * ITEM_SIZE[dtype];
    if (data.length !== expected) {
      throw fail(`${dtype} of shape [${shape}] takes ${expected} bytes, the data have ${data.length}`);
    }
  }
}

function encodeHeader(
  path: string,
  entries: readonly TensorEntryInput[],
  offsets: ReadonlyMap<string, [number, number]>,
  metadata: ReadonlyMap<string, string> | Readonly<Record<string, string>>,
): Uint8Array {
  const members: string[] = [];
  const member = (key: string, value: string) => `${JSON.stringify(key)}:${value}`;
  const pairs = metadata instanceof Map ? [...metadata] : Object.entries(metadata);
  if (pairs.length > 0) {
    const texts = pairs.map(([key, value]) => member(key, JSON.stringify(value)));
    members.push(member(METADATA_KEY, `{${texts.join(",")}}`));
  }
  for (const { name, dtype, shape } of entries) {
    const value = { dtype: CODE_OF_DTYPE.get(dtype), shape, data_offsets: offsets.get(name) };
    members.push(member(name, JSON.stringify(value)));
  }
  const json = Buffer.from(`{${members.join(",")}}`, "utf8");
  const length = Math.ceil(json.length / ALIGNMENT) * ALIGNMENT; // 8 bytes precede it, so the data are aligned too
  if (length > MAX_HEADER_BYTES) {
    throw new TopofrError(
      "E_USAGE",
      `${path}: header of ${length} bytes; the format allows ${MAX_HEADER_BYTES}`,
    );
  }
  const header = new Uint8Array(8 + length).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true);
  header.set(json, 8);
  return header;
}

async function readHeader(file: InputFile): Promise<SafetensorsHeader> {
  const fail = (message: string) => new TopofrError("E_FORMAT", `${file.path}: ${message}`);
  if (file.size < 8)
    throw fail(`${file.size} bytes; a safetensors file has at least 8; it is truncated or another format`);
  const prefix = await file.read(0, 8);
  const length = Number(new DataView(prefix.buffer).getBigUint64(0, true));
  if (length > MAX_HEADER_BYTES) {
    throw fail(
      `header length at byte 0 is ${length}, the format allows ${MAX_HEADER_BYTES}; this is not a safetensors file`,
    );
  }
  if (8 + length > file.size) {
    throw fail(
      `header needs bytes 8 to ${8 + length}, but the file ends at byte ${file.size}; it is truncated`,
    );
  }
  const bytes = await file.read(8, length);
  if (bytes[0] !== 0x7b) throw fail("byte 8 is not the `{` of a safetensors header; this is another format");
  const { parsed, names } = parseHeader(bytes, fail);
  const dataStart = 8 + length;
  const tensors = names
    .filter((name) => name !== METADATA_KEY)
    .map((name) => parseTensor(name, parsed.get(name), dataStart, fail));
  checkTiling(tensors, dataStart, file.size, fail);
  return { tensors, metadata: parseMetadata(parsed.get(METADATA_KEY), fail) };
}

type Fail = (message: string) => TopofrError;

function parseHeader(bytes: Uint8Array, fail: Fail): { parsed: Map<string, unknown>; names: string[] } {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw fail(`header (bytes 8 to ${8 + bytes.length}) is not UTF-8`);
  }
  const keys = jsonKeys(text, HEADER_DEPTH);
  if (keys.tooDeep)
    throw fail(`header nests deeper than a safetensors header does (character ${keys.tooDeep.position})`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw fail(`header (bytes 8 to ${8 + bytes.length}) is not JSON: ${printable((error as Error).message)}`);
  }
  if (keys.duplicate) {
    throw fail(
      `header has "${printable(keys.duplicate.key)}" twice in one object (character ${keys.duplicate.position})`,
    );
  }
  return { parsed: new Map(Object.entries(value as object)), names: keys.topLevel };
}

function parseMetadata(value: unknown, fail: Fail): Map<string, string> {
  const metadata = new Map<string, string>();
  if (value === undefined) return metadata;
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw fail(`${METADATA_KEY} is not an object`);
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== "string")
      throw fail(`${METADATA_KEY} has "${printable(key)}" with a value that is not text`);
    metadata.set(key, text);
  }
  return metadata;
}

function parseTensor(name: string, value: unknown, dataStart: number, fail: Fail): SafetensorsInfo {
  const failTensor = (message: string) => fail(`tensor "${printable(name)}": ${message}`);
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw failTensor("not described by an object");
  const { dtype: code, shape, data_offsets: offsets } = value as Record<string, unknown>;
  const dtype = typeof code === "string" ? DTYPE_OF_CODE.get(code) : undefined;
  if (dtype === undefined) {
    const found = printable(JSON.stringify(code) ?? "missing");
    throw failTensor(
      `dtype ${found} is not supported; convert it to one of ${[...DTYPE_OF_CODE.keys()].join(", ")}`,
    );
  }
  if (!Array.isArray(shape) || !shape.every(isCount)) throw failTensor("shape is not a list of counts");
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) {
    throw failTensor("data_offsets is not a pair of counts");
  }
  const [begin, end] = offsets as [number, number];
  const expected = elementCount(shape) * ITEM_SIZE[dtype];
  if (end - begin !== expected) {
    throw failTensor(
      `${dtype} of shape [${printable(shape.join(", "))}] takes ${expected} bytes, data_offsets [${begin}, ${end}] ` +
        `give ${end - begin}`,
    );
  }
  return { name, dtype, shape, start: dataStart + begin, end: dataStart + end };
}

/** The tensors must follow each other without hole or overlap, from the header's end to the file's end. */
function checkTiling(
  tensors: readonly SafetensorsInfo[],
  dataStart: number,
  fileSize: number,
  fail: Fail,
): void {
  let position = dataStart;
  let previous = "the header";
  for (const { name, start, end } of tensors.toSorted((a, b) => a.start - b.start || a.end - b.end)) {
    const tensor = `tensor "${printable(name)}"`;
    if (end > fileSize) {
      throw fail(
        `${tensor} needs bytes ${start} to ${end}, but the file ends at byte ${fileSize}; it is truncated`,
      );
    }
    if (start !== position) {
      const kind = start > position ? "leaves a hole after" : "overlaps";
      throw fail(`${tensor} starts at byte ${start} and ${kind} ${previous}, which ends at byte ${position}`);
    }
    position = end;
    previous = tensor;
  }
  if (position !== fileSize) {
    throw fail(
      `${fileSize - position} bytes after ${previous}, which ends at byte ${position}, belong to no tensor`,
    );
  }
}
