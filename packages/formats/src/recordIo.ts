// RecordIO, the container of MXNet's training sets: framed payloads, one after another, nothing about what they hold
// (recordIoImage.ts) or where they are (recordIoIndex.ts). Source: dmlc-core, include/dmlc/recordio.h and src/recordio.cc.
//
// A record is one part, or several where the payload contains the magic number. A part is, little-endian: u32 magic, u32 head
// (flag in the top 3 bits, length in the low 29), the bytes, zeros up to a multiple of 4.
import { TopofrError } from "./error.js";

export const RECORD_MAGIC = 0xced7230a;

/** Bytes of a part before its data. */
export const PART_HEAD_BYTES = 8;

const MAGIC_BYTES = Buffer.of(0x0a, 0x23, 0xd7, 0xce);
const MAX_PAYLOAD_BYTES = 2 ** 29 - 1;

const WHOLE = 0;
const FIRST = 1;
const MIDDLE = 2;
const LAST = 3;

/** Where bytes are from, for messages. */
export interface RecordPlace {
  /** Name of the file. */
  readonly source: string;
  /** Key or number of the record. */
  readonly record: string | number;
  /** Place in the file of the first of the bytes. */
  readonly fileOffset: number;
}

/**
 * Reads the record whose first part begins at `position` of `bytes`.
 *
 * @returns the payload (a view of `bytes`, or a copy when it was written in several parts), and the position behind the record
 * @throws E_FORMAT naming record and byte: no magic number there (then the index is wrong, or the file is another format), parts
 * out of order, or a record that reaches past the end of `bytes`
 */
export function readRecordAt(
  bytes: Uint8Array,
  position: number,
  where: RecordPlace,
): { payload: Uint8Array; end: number } {
  const parts: Uint8Array[] = [];
  for (let at = position; ; ) {
    const fail = (message: string) => recordError(where, where.fileOffset + position, message);
    if (at + PART_HEAD_BYTES > bytes.length) throw fail(endsEarly(where.fileOffset + bytes.length));
    const part = parsePartHead(bytes, at, { isFirst: parts.length === 0, at: where.fileOffset + at, fail });
    const start = at + PART_HEAD_BYTES;
    at = start + part.paddedLength;
    if (start + part.length > bytes.length) throw fail(endsEarly(where.fileOffset + bytes.length));
    const data = bytes.subarray(start, start + part.length);
    if (part.isLast && parts.length === 0) return { payload: data, end: at };
    parts.push(data);
    if (part.isLast) return { payload: Buffer.concat(parts), end: at };
    parts.push(MAGIC_BYTES);
  }
}

/**
 * The bytes of a record, in pieces to be written one after another; the payload is not copied. As dmlc does, the payload is split
 * wherever it holds the magic number at a multiple of 4 bytes, and the number itself is left out.
 *
 * @throws E_USAGE for a payload of 512 MiB or more, which the format cannot hold
 */
export function encodeRecord(payload: Uint8Array): Uint8Array[] {
  if (payload.length > MAX_PAYLOAD_BYTES) {
    throw new TopofrError(
      "E_USAGE",
      `a RecordIO record holds at most ${MAX_PAYLOAD_BYTES} bytes, the payload has ${payload.length}; make the images smaller`,
    );
  }
  const pieces: Uint8Array[] = [];
  let start = 0;
  for (const magicAt of alignedMagics(payload)) {
    pieces.push(partHead(start === 0 ? FIRST : MIDDLE, magicAt - start), payload.subarray(start, magicAt));
    start = magicAt + MAGIC_BYTES.length;
  }
  const length = payload.length - start;
  pieces.push(partHead(start === 0 ? WHOLE : LAST, length), payload.subarray(start));
  if (length % 4 !== 0) pieces.push(new Uint8Array(4 - (length % 4)));
  return pieces;
}

/** Head of a part: bytes of data, the same with padding, and whether the record ends with it. */
export interface PartHead {
  readonly length: number;
  readonly paddedLength: number;
  readonly isLast: boolean;
}

/** Parses the 8 bytes from `position`; `at` is their place in the file, `fail` makes the error. */
export function parsePartHead(
  bytes: Uint8Array,
  position: number,
  { isFirst, at, fail }: { isFirst: boolean; at: number; fail: (message: string) => TopofrError },
): PartHead {
  const magic = u32(bytes, position);
  if (magic !== RECORD_MAGIC) {
    const found = `0x${magic.toString(16).padStart(8, "0")} where the magic number 0x${RECORD_MAGIC.toString(16)} is expected (byte ${at})`;
    throw fail(`${found}; the file is damaged or not RecordIO, or its index is wrong: rebuild it by a scan`);
  }
  const head = u32(bytes, position + 4);
  const flag = head >>> 29;
  const length = head % 2 ** 29;
  if (isFirst ? flag !== WHOLE && flag !== FIRST : flag !== MIDDLE && flag !== LAST) {
    const expected = isFirst ? `${WHOLE} or ${FIRST} (the start of a record)` : `${MIDDLE} or ${LAST}`;
    throw fail(
      `part with flag ${flag}, expected ${expected} (byte ${at}); the file is damaged, or its index is wrong: rebuild it by a scan`,
    );
  }
  const isLast = flag === WHOLE || flag === LAST;
  if (!isLast && length % 4 !== 0) {
    throw fail(
      `part of ${length} bytes, expected a multiple of 4 before the last part (byte ${at}); the file is damaged`,
    );
  }
  return { length, paddedLength: Math.ceil(length / 4) * 4, isLast };
}

/** `<file>: record <key> at byte <n>: <message>`. */
export function recordError(
  { source, record }: Pick<RecordPlace, "source" | "record">,
  at: number,
  message: string,
): TopofrError {
  return new TopofrError("E_FORMAT", `${source}: record ${record} at byte ${at}: ${message}`);
}

/** What is wrong with a record of which only the bytes up to `end` are there. */
export function endsEarly(end: number): string {
  return `the record goes on where the data end (byte ${end}); the file is truncated, or its index is wrong: rebuild it by a scan`;
}

/** Positions that are a multiple of 4 and hold the magic number, ascending. */
function* alignedMagics(payload: Uint8Array): Generator<number> {
  const buffer = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  let at = buffer.indexOf(MAGIC_BYTES);
  while (at >= 0) {
    if (at % 4 === 0) yield at;
    at = buffer.indexOf(MAGIC_BYTES, at + MAGIC_BYTES.length);
  }
}

function partHead(flag: number, length: number): Uint8Array {
  const head = new Uint8Array(PART_HEAD_BYTES);
  const view = new DataView(head.buffer);
  view.setUint32(0, RECORD_MAGIC, true);
  view.setUint32(4, flag * 2 ** 29 + length, true);
  return head;
}

function u32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}
