// The beginnings of records: flag and label, without the image. Synchronous positional reads; the whole of a record is read by
// readImage.ts. Layout: RecordIO, then MXNet's IRHeader.
import { closeSync, openSync, readSync } from "node:fs";
import { decodeImageRecord, fileError, RECORD_MAGIC, readRecordAt, TopofrError } from "@topofr/formats";
import type { RecordFile } from "./recordIndex.js";

/** magic, length, IRHeader (flag, label, id, id2), and two labels. */
const HEAD_BYTES = 8 + 24 + 8;
const LENGTH_MASK = 2 ** 29 - 1;
const WINDOW_BYTES = 256 * 1024;

/** Labels are float32: beyond this they are not exact. */
const MOST_LABEL = 2 ** 24;

export interface RecordHead {
  flag: number;
  /** The header's own label when flag is 0, else the first of the array. */
  label: number;
  /** The second of an array; NaN: there is none. */
  second: number;
  imageBytes: number;
}

export class RecordHeads {
  readonly #file: RecordFile;
  readonly #descriptor: number;
  readonly #window = Buffer.alloc(WINDOW_BYTES);
  #windowStart = 0;
  #windowLength = 0;

  /** @throws E_FILE */
  constructor(file: RecordFile) {
    this.#file = file;
    try {
      this.#descriptor = openSync(file.path, "r");
    } catch (error) {
      throw fileError(file.path, "open the file", error);
    }
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  /**
   * @param record place in the index
   * @param options `ahead`: also read what follows, for records that lie close together
   * @throws E_FORMAT with key and byte when there is no whole record
   */
  read(record: number, { ahead = false } = {}): RecordHead {
    const offset = this.#file.offsets[record]!;
    const extent = this.#file.lengths[record]!;
    const head = this.#bytes(offset, Math.min(HEAD_BYTES, extent), ahead);
    if (head.length < 8 || head.readUInt32LE(0) !== RECORD_MAGIC) {
      const found = head.length < 4 ? "the end of the file" : `0x${head.readUInt32LE(0).toString(16)}`;
      throw this.#broken(record, `expected the magic 0x${RECORD_MAGIC.toString(16)}, found ${found}`);
    }
    const length = head.readUInt32LE(4) & LENGTH_MASK;
    if (head.readUInt32LE(4) > LENGTH_MASK) return this.#readWhole(record, offset, extent);
    if (length + 8 > extent)
      throw this.#broken(record, `its length is ${length}, but only ${extent - 8} bytes follow`);
    if (length < 24) throw this.#broken(record, `its length is ${length}, less than an image header's 24`);
    const flag = head.readUInt32LE(8);
    const imageBytes = length - 24 - 4 * flag;
    if (imageBytes < 0) throw this.#broken(record, `${flag} labels do not fit into its length ${length}`);
    return {
      flag,
      label: flag === 0 ? head.readFloatLE(12) : head.readFloatLE(32),
      second: flag >= 2 ? head.readFloatLE(36) : Number.NaN,
      imageBytes,
    };
  }

  /** The class that a record states. @throws E_DATA when it is negative, fractional or too large */
  label(record: number): number {
    const { label } = this.read(record);
    if (Number.isInteger(label) && label >= 0 && label < MOST_LABEL) return label;
    throw new TopofrError(
      "E_DATA",
      `${this.#place(record)} has label ${label}; expected a whole number from 0 to ${MOST_LABEL - 1} ` +
        "(labels are float32, larger ones are not exact)",
    );
  }

  /** A record of several parts: its header may be split. */
  #readWhole(record: number, offset: number, extent: number): RecordHead {
    const bytes = Buffer.alloc(extent);
    this.#fill(bytes, offset);
    const where = { source: this.#file.path, record: this.#file.keys[record]!, fileOffset: offset };
    const { flag, labels, image } = decodeImageRecord(readRecordAt(bytes, 0, where).payload, where);
    return { flag, label: labels[0]!, second: labels[1] ?? Number.NaN, imageBytes: image.length };
  }

  #bytes(offset: number, length: number, ahead: boolean): Buffer {
    const from = offset - this.#windowStart;
    if (from < 0 || from + length > this.#windowLength) {
      const window = this.#window.subarray(0, ahead ? WINDOW_BYTES : length);
      this.#windowLength = this.#fill(window, offset);
      this.#windowStart = offset;
      return window.subarray(0, Math.min(length, this.#windowLength));
    }
    return this.#window.subarray(from, from + length);
  }

  /** Returns how many bytes there were. */
  #fill(bytes: Buffer, offset: number): number {
    try {
      let done = 0;
      for (let read = -1; done < bytes.length && read !== 0; done += read)
        read = readSync(this.#descriptor, bytes, done, bytes.length - done, offset + done);
      return done;
    } catch (error) {
      throw fileError(this.#file.path, "read the file", error);
    }
  }

  #place(record: number): string {
    return `${this.#file.path}: record ${this.#file.keys[record]} at byte ${this.#file.offsets[record]}`;
  }

  #broken(record: number, what: string): TopofrError {
    return new TopofrError(
      "E_FORMAT",
      `${this.#place(record)}: ${what}; the file is truncated or damaged, copy it again`,
    );
  }
}
