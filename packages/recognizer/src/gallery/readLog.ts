// Reads the file under a gallery: checks every byte, and tells an interrupted append from damage. The format: logFormat.ts.
import { crc32 } from "node:zlib";
import { type InputFile, printable, TopofrError, withInputFile } from "@topofr/formats";
import {
  ACKNOWLEDGED_AT,
  HEAD_BYTES,
  headChecksum,
  MAGIC,
  MAX_HEADER_BYTES,
  MAX_RECORD_BYTES,
  RECORD_HEAD_BYTES,
  recordChecksum,
  VERSION,
} from "./logFormat.js";

const WINDOW_BYTES = 8 * 1024 * 1024; // read at a time
const HEAD_READS = 5; // the head may be read while another process writes to it

export interface ReadLog {
  /** Bytes of the file that are whole records. */
  length: number;
  records: number;
  /** Bytes behind them, of an interrupted append. */
  dropped: number;
}

/** A record as it lies in the file. */
export interface LogRecord {
  payload: Uint8Array;
  /** 0, 1, 2 … in the file. */
  index: number;
  /** `people.gallery: record 3 at byte 4096`, for messages. */
  place: string;
}

/**
 * Reads the whole file, a window at a time.
 *
 * @param open gets the header; what it returns is given the records. Both may throw
 * @throws E_FILE; E_FORMAT for another kind of file, a file cut short, and a damaged record, with its place
 */
export async function readLog<Reader extends { onRecord(record: LogRecord): void }>(
  path: string,
  open: (header: Uint8Array) => Promise<Reader>,
): Promise<ReadLog & { reader: Reader }> {
  return withInputFile(path, async (file) => {
    const { header, acknowledged } = await readHead(file);
    const start = HEAD_BYTES + header.length;
    if (acknowledged < start || acknowledged > file.size) throw cutShort(path, acknowledged, file.size);
    const reader = await open(header);
    let [at, records] = [start, 0];
    for await (const payload of recordsOf(file, start, acknowledged)) {
      reader.onRecord({ payload, index: records, place: `${path}: record ${records} at byte ${at}` });
      at += RECORD_HEAD_BYTES + payload.length;
      records++;
    }
    return { reader, length: at, records, dropped: file.size - at };
  });
}

async function readHead(file: InputFile): Promise<{ header: Uint8Array; acknowledged: number }> {
  const { path, size } = file;
  const fail = (message: string) => new TopofrError("E_FORMAT", `${path}: ${message}`);
  if (size === 0) throw fail("the file is empty, not a gallery");
  const start = await file.read(0, Math.min(size, HEAD_BYTES));
  if (!MAGIC.equals(start.subarray(0, MAGIC.length)))
    throw fail(
      `not a gallery: it begins with "${printable(Buffer.from(start.subarray(0, 8)).toString("latin1"))}"`,
    );
  if (size < HEAD_BYTES) throw cutShort(path, HEAD_BYTES, size);
  const view = new DataView(start.buffer);
  const version = view.getUint32(8, true);
  const length = view.getUint32(12, true);
  const damaged = "the head of the file is damaged; restore the gallery from a copy";
  if (length > MAX_HEADER_BYTES) throw fail(damaged);
  if (HEAD_BYTES + length > size) throw cutShort(path, HEAD_BYTES + length, size);
  const header = await file.read(HEAD_BYTES, length);
  if (view.getUint32(28, true) !== headChecksum(start, header)) throw fail(damaged);
  if (version !== VERSION)
    throw fail(`a gallery of version ${version}; this program reads version ${VERSION}`);
  for (let reads = 0; reads < HEAD_READS; reads++) {
    const bytes = await file.read(ACKNOWLEDGED_AT, 12);
    const words = new DataView(bytes.buffer);
    const acknowledged = Number(words.getBigUint64(0, true));
    if (crc32(bytes.subarray(0, 8)) === words.getUint32(8, true)) return { header, acknowledged };
  }
  throw fail(damaged);
}

/** The payloads, from byte `start`; ends before a record that is not whole and not acknowledged. */
async function* recordsOf(file: InputFile, start: number, acknowledged: number): AsyncGenerator<Uint8Array> {
  let window: Uint8Array = new Uint8Array(0);
  let windowStart = start;
  let at = start;
  let index = 0;
  const ensure = async (length: number): Promise<void> => {
    if (at + length <= windowStart + window.length) return;
    window = await file.read(at, Math.min(Math.max(length, WINDOW_BYTES), file.size - at));
    windowStart = at;
  };
  while (at < file.size) {
    const fail = (message: string) =>
      new TopofrError(
        "E_FORMAT",
        `${file.path}: record ${index} at byte ${at}: ${message}; the file is damaged: restore it from a copy`,
      );
    const isAcknowledged = at < acknowledged;
    const left = file.size - at;
    if (left < RECORD_HEAD_BYTES) {
      if (isAcknowledged) throw fail(`${left} bytes, too few for a record`);
      return;
    }
    await ensure(RECORD_HEAD_BYTES);
    const head = window.subarray(at - windowStart, at - windowStart + RECORD_HEAD_BYTES);
    const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
    const length = view.getUint32(0, true);
    if (length > MAX_RECORD_BYTES || RECORD_HEAD_BYTES + length > left) {
      if (isAcknowledged) throw fail(`${length} bytes are announced, ${left - RECORD_HEAD_BYTES} are there`);
      return;
    }
    const checksum = view.getUint32(4, true);
    await ensure(RECORD_HEAD_BYTES + length);
    const from = at - windowStart + RECORD_HEAD_BYTES;
    const payload = window.subarray(from, from + length);
    if (recordChecksum(payload) !== checksum) {
      if (isAcknowledged) throw fail("wrong checksum");
      return;
    }
    yield payload;
    at += RECORD_HEAD_BYTES + length;
    index++;
  }
}

function cutShort(path: string, expected: number, found: number): TopofrError {
  return new TopofrError(
    "E_FORMAT",
    `${path}: ${expected} bytes were written, ${found} are there; the file was cut short (an interrupted copy?): ` +
      "restore it from another copy",
  );
}
