// A long list of strings (names of millions of files) in two typed arrays, an object only when one is asked for. Read-only.
import { TopofrError } from "@topofr/formats";

const FIRST_CAPACITY = 1024;
const MOST_BYTES = 2 ** 32 - 1; // what an end fits in

export class StringTable {
  /** UTF-8 of all strings, one after another. */
  readonly bytes: Uint8Array;
  /** Where each string ends; it starts where the one before ends. */
  readonly ends: Uint32Array;
  readonly #buffer: Buffer;

  /** @throws E_FORMAT when the ends do not ascend within the bytes */
  constructor(bytes: Uint8Array, ends: Uint32Array) {
    let before = 0;
    for (const end of ends) {
      if (end < before) throw new TopofrError("E_FORMAT", `list of names: end ${end} follows end ${before}`);
      before = end;
    }
    if (before !== bytes.length) {
      throw new TopofrError("E_FORMAT", `list of names: ends at byte ${before}, has ${bytes.length} bytes`);
    }
    this.bytes = bytes;
    this.ends = ends;
    this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  static from(strings: Iterable<string>): StringTable {
    const builder = new StringTableBuilder();
    for (const text of strings) builder.push(text);
    return builder.finish();
  }

  get length(): number {
    return this.ends.length;
  }

  at(index: number): string {
    return this.#buffer.toString("utf8", index === 0 ? 0 : this.ends[index - 1]!, this.ends[index]!);
  }

  *[Symbol.iterator](): Generator<string, void, undefined> {
    for (let i = 0; i < this.length; i++) yield this.at(i);
  }
}

export class StringTableBuilder {
  #bytes = Buffer.alloc(FIRST_CAPACITY);
  #used = 0;
  #ends = new Uint32Array(FIRST_CAPACITY);
  #count = 0;

  get length(): number {
    return this.#count;
  }

  /** @throws E_DATA beyond 4 GiB of names */
  push(text: string): void {
    const length = Buffer.byteLength(text);
    const end = this.#used + length;
    if (end > MOST_BYTES)
      throw new TopofrError("E_DATA", `the names of ${this.#count} files take more than 4 GiB`);
    if (end > this.#bytes.length) {
      const bytes = Buffer.alloc(Math.max(end, Math.min(MOST_BYTES, 2 * this.#bytes.length)));
      this.#bytes.copy(bytes);
      this.#bytes = bytes;
    }
    if (this.#count === this.#ends.length) {
      const ends = new Uint32Array(2 * this.#count);
      ends.set(this.#ends);
      this.#ends = ends;
    }
    this.#bytes.write(text, this.#used);
    this.#used = end;
    this.#ends[this.#count++] = end;
  }

  finish(): StringTable {
    return new StringTable(
      new Uint8Array(this.#bytes.subarray(0, this.#used)),
      this.#ends.slice(0, this.#count),
    );
  }
}
