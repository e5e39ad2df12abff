// Where the records of a RecordIO file are: read from its .idx text, or found by a scan of the .rec. It holds two numbers a record
// and never the records. Source of the text format: mxnet/recordio.py, MXIndexedRecordIO ("key<TAB>offset", any order).
import { TopofrError } from "./error.js";
import { withInputFile } from "./inputFile.js";
import { NumberList } from "./numberList.js";
import { printable } from "./printable.js";

/** Keys in ascending order, all different, and the byte of the .rec where the record of each begins. */
export interface RecordIndex {
  readonly keys: Float64Array;
  readonly offsets: Float64Array;
}

const CHUNK_BYTES = 1024 * 1024;

/**
 * Reads an .idx file in bounded memory. Errors: E_FILE; E_FORMAT naming the line when it is not `key<TAB>offset`, naming the key
 * when it occurs twice, and for an empty file. Whether the offsets fit the .rec: `recordLengths` and `readRecordAt`.
 */
export async function readRecordIndex(path: string): Promise<RecordIndex> {
  const fail = (message: string) =>
    new TopofrError("E_FORMAT", `${path}: ${message}; rebuild the index by a scan`);
  const lines = new IndexLines(fail);
  await withInputFile(path, async (file) => {
    for (let position = 0; position < file.size; position += CHUNK_BYTES) {
      lines.add(await file.read(position, Math.min(CHUNK_BYTES, file.size - position)));
    }
    lines.add(Uint8Array.of(NEWLINE)); // which a last line may lack
  });
  if (lines.keys.length === 0) throw fail("the index is empty");
  const index = orderByKey(lines.keys.toArray(), lines.offsets.toArray());
  if (typeof index === "number") throw fail(`key ${index} is in the index twice`);
  return index;
}

const NEWLINE = 0x0a;
const MAX_DIGITS = 15; // below 2^53

/** Takes in the text of an index, chunk by chunk and byte by byte: the indexes of large sets have hundreds of megabytes. */
class IndexLines {
  readonly keys = new NumberList();
  readonly offsets = new NumberList();
  readonly #fail: (message: string) => TopofrError;
  #line = 1;
  #numbers = 0; // of this line that are complete
  #digits = 0; // of the number that is not
  #value = 0;
  #key = 0;

  constructor(fail: (message: string) => TopofrError) {
    this.#fail = fail;
  }

  add(chunk: Uint8Array): void {
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i]!;
      if (byte >= 0x30 && byte <= 0x39) {
        if (++this.#digits > MAX_DIGITS || this.#numbers === 2) throw this.#unexpected(byte);
        this.#value = this.#value * 10 + (byte - 0x30);
      } else if (byte === NEWLINE) {
        this.#endNumber();
        this.#endLine();
      } else if (byte === 0x09 || byte === 0x20 || byte === 0x0d) {
        this.#endNumber();
      } else {
        throw this.#unexpected(byte);
      }
    }
  }

  #endNumber(): void {
    if (this.#digits === 0) return;
    if (this.#numbers === 0) this.#key = this.#value;
    this.#numbers++;
    this.#digits = 0;
    if (this.#numbers === 1) this.#value = 0;
  }

  #endLine(): void {
    if (this.#numbers === 1) throw this.#unexpected(NEWLINE);
    if (this.#numbers === 2) {
      this.keys.push(this.#key);
      this.offsets.push(this.#value);
    }
    this.#line++;
    this.#numbers = 0;
    this.#value = 0;
  }

  #unexpected(byte: number): TopofrError {
    const found = byte === NEWLINE ? "the end of the line" : `"${printable(String.fromCharCode(byte))}"`;
    return this.#fail(`line ${this.#line} has ${found} where a key, a tab and a byte offset are expected`);
  }
}

/**
 * How many bytes from its offset on hold the whole of each record: up to the next offset of the index, or the end of the file.
 * Where keys are missing from the index it is more than the record.
 *
 * @param recBytes size of the .rec file
 * @param source name of the index, for messages
 * @throws E_FORMAT naming the key whose offset is outside of the file or cannot be the start of a record
 */
export function recordLengths(
  { keys, offsets }: RecordIndex,
  recBytes: number,
  source: string,
): Float64Array {
  const wrong = offsets.findIndex((offset) => offset >= recBytes || offset % 4 !== 0);
  if (wrong >= 0) {
    throw new TopofrError(
      "E_FORMAT",
      `${source}: key ${keys[wrong]} is said to be at byte ${offsets[wrong]}, expected a multiple of 4 below the ${recBytes} ` +
        "bytes of the .rec file; the .rec is truncated or the index belongs to another file: rebuild it by a scan",
    );
  }
  const starts = offsets.slice().sort();
  return offsets.map((offset) => (starts[firstAbove(starts, offset)] ?? recBytes) - offset);
}

/** Index of the first of the ascending `values` that is larger than `value`. */
function firstAbove(values: Float64Array, value: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (values[middle]! > value) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The index in ascending order of its keys; a key that occurs twice is returned instead. */
export function orderByKey(keys: Float64Array, offsets: Float64Array): RecordIndex | number {
  if (isAscending(keys)) return { keys, offsets };
  const largest = keys.reduce((max, key) => Math.max(max, key), 0);
  if (largest < 4 * keys.length) return orderDenseKeys(keys, offsets, largest);
  const order = Uint32Array.from(keys.keys()).sort((a, b) => keys[a]! - keys[b]!);
  const sorted = Float64Array.from(order, (i) => keys[i]!);
  const twice = sorted.findIndex((key, i) => key === sorted[i + 1]);
  return twice < 0 ? { keys: sorted, offsets: Float64Array.from(order, (i) => offsets[i]!) } : sorted[twice]!;
}

function isAscending(keys: Float64Array): boolean {
  for (let i = 1; i < keys.length; i++) if (!(keys[i - 1]! < keys[i]!)) return false;
  return true;
}

/** Keys that nearly fill 0 … largest, as of real sets, are placed, not sorted: a second for 17 million, not half a minute. */
function orderDenseKeys(keys: Float64Array, offsets: Float64Array, largest: number): RecordIndex | number {
  const offsetOfKey = new Float64Array(largest + 1).fill(-1);
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!;
    if (offsetOfKey[key]! >= 0) return key;
    offsetOfKey[key] = offsets[i]!;
  }
  const sorted = { keys: new Float64Array(keys.length), offsets: new Float64Array(keys.length) };
  let count = 0;
  for (let key = 0; key <= largest; key++) {
    if (offsetOfKey[key]! < 0) continue;
    sorted.keys[count] = key;
    sorted.offsets[count++] = offsetOfKey[key]!;
  }
  return sorted;
}
