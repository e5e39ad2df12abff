// NumPy's .npy arrays, versions 1 and 2. Not .npz, no structured or object arrays (those hold pickles), no big-endian.
// Source: numpy/lib/format.py.
import { TopofrError } from "./error.js";
import { withInputFile } from "./inputFile.js";
import { printable } from "./printable.js";
import { toRowMajor } from "./strided.js";
import { type DType, elementCount, ITEM_SIZE, isCount, type TensorEntry } from "./tensorEntry.js";
import { writeFileAtomic } from "./writeFileAtomic.js";

/** An array without a name; `data` row-major, little-endian. */
export type NpyArray = Omit<TensorEntry, "name">;

const MAGIC = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59); // \x93NUMPY
const ALIGNMENT = 64; // of the data
const DTYPE_OF_DESCR: ReadonlyMap<string, DType> = new Map([
  ["<f4", "float32"],
  ["<f8", "float64"],
  ["<f2", "float16"],
  ["<i8", "int64"],
  ["<i4", "int32"],
  ["|u1", "uint8"],
  ["|b1", "bool"],
]);

/** Reads an array; Fortran order is turned into row-major. Errors: E_FILE; E_FORMAT with what was found. */
export async function readNpy(path: string): Promise<NpyArray> {
  return withInputFile(path, async (file) => decodeNpy(await file.read(0, file.size), path));
}

/** Writes a row-major array atomically. Errors: E_USAGE for bfloat16 or data that do not fit; E_FILE. */
export async function writeNpy(path: string, array: NpyArray): Promise<void> {
  const { header, data } = encodeNpy(array, path);
  await writeFileAtomic(path, [header, data]);
}

/** As `readNpy`, from bytes; `source` names them in errors. */
export function decodeNpy(bytes: Uint8Array<ArrayBuffer>, source: string): NpyArray {
  const fail = (message: string) => new TopofrError("E_FORMAT", `${source}: ${message}`);
  if (bytes.length < 12 || !MAGIC.every((byte, i) => bytes[i] === byte))
    throw fail("not a .npy file, or truncated");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = bytes[6];
  if (version !== 1 && version !== 2) throw fail(`.npy version ${version} at byte 6; 1 and 2 are supported`);
  const headerStart = version === 1 ? 10 : 12;
  const start = headerStart + (version === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  if (start > bytes.length)
    throw fail(`header ends at byte ${start}, the file at byte ${bytes.length}; it is truncated`);

  const header = Buffer.from(bytes.buffer, bytes.byteOffset + headerStart, start - headerStart).toString(
    "latin1",
  );
  const { descr, fortranOrder, shape } = parseHeader(header) ?? {};
  const shown = printable(header.trim());
  if (descr === undefined || shape === undefined) throw fail(`header ${shown} is not one of a plain array`);
  const dtype = DTYPE_OF_DESCR.get(descr);
  if (!dtype) throw fail(`dtype ${printable(descr)}; supported are ${[...DTYPE_OF_DESCR.keys()].join(", ")}`);
  const itemSize = ITEM_SIZE[dtype];
  const expected = elementCount(shape) * itemSize;
  if (bytes.length - start !== expected) {
    throw fail(
      `header ${shown} takes ${expected} bytes of data, the file has ${bytes.length - start} from byte ${start}`,
    );
  }
  const data = bytes.slice(start);
  const isColumnMajor = fortranOrder && shape.length > 1;
  return { dtype, shape, data: isColumnMajor ? toRowMajor(data, itemSize, columnMajor(shape)) : data };
}

/** The two parts of a file. Errors: as `writeNpy`. */
export function encodeNpy(array: NpyArray, source: string): { header: Uint8Array; data: Uint8Array } {
  const { dtype, shape, data } = array;
  const descr = [...DTYPE_OF_DESCR].find(([, name]) => name === dtype)?.[0];
  if (!descr)
    throw new TopofrError("E_USAGE", `${source}: .npy has no dtype for ${dtype}; convert it to float32`);
  const expected = elementCount(shape) * ITEM_SIZE[dtype];
  if (data.length !== expected) {
    const needs = `${dtype} of shape [${shape}] takes ${expected} bytes`;
    throw new TopofrError("E_USAGE", `${source}: ${needs}, the data have ${data.length}`);
  }
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const padded = (prefix: number) => Math.ceil((prefix + text.length + 1) / ALIGNMENT) * ALIGNMENT - prefix;
  const version = padded(10) <= 0xffff ? 1 : 2;
  const prefix = version === 1 ? 10 : 12;
  const header = new Uint8Array(prefix + padded(prefix)).fill(0x20);
  const view = new DataView(header.buffer);
  header.set(MAGIC);
  header.set([version, 0], 6);
  if (version === 1) view.setUint16(8, padded(prefix), true);
  else view.setUint32(8, padded(prefix), true);
  header.set(Buffer.from(text, "latin1"), prefix);
  header[header.length - 1] = 0x0a;
  return { header, data };
}

function columnMajor(shape: readonly number[]): {
  shape: readonly number[];
  strides: number[];
  offset: number;
} {
  let stride = 1;
  const strides = shape.map((size) => {
    const current = stride;
    stride *= Math.max(size, 1);
    return current;
  });
  return { shape, strides, offset: 0 };
}

/** The header's Python dict, in any order of its keys; undefined when it is anything else. */
function parseHeader(header: string): { descr: string; fortranOrder: boolean; shape: number[] } | undefined {
  const fields = new Map<string, string>();
  const body = /^\s*\{(.*)\}\s*$/s.exec(header)?.[1];
  if (body === undefined || body.length > 4096) return undefined;
  const field = /\s*'(\w+)'\s*:\s*('[^']*'|True|False|\([\dL,\s]*\))\s*(?:,|$)/y;
  while (field.lastIndex < body.trimEnd().length) {
    const match = field.exec(body);
    if (!match || fields.has(match[1]!)) return undefined;
    fields.set(match[1]!, match[2]!);
  }
  const descr = fields.get("descr");
  const order = fields.get("fortran_order");
  const tuple = fields.get("shape");
  if (fields.size !== 3 || !descr?.startsWith("'") || !tuple?.startsWith("(")) return undefined;
  if (order !== "True" && order !== "False") return undefined;
  const sizes = tuple.slice(1, -1).replace(/,\s*$/, "").trim();
  const shape =
    sizes === "" ? [] : sizes.split(",").map((size) => Number(size.trim().replace(/L$/, "") || Number.NaN));
  return shape.every(isCount)
    ? { descr: descr.slice(1, -1), fortranOrder: order === "True", shape }
    : undefined;
}
