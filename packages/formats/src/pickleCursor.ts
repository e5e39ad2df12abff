// Reads the scalars of a pickle's byte stream, checked against its end. What they mean: pickle.ts.
import { TopofrError } from "./error.js";
import { unescapePython, unescapeRawUnicode } from "./pythonText.js";

const MAX_INTEGER_BYTES = 1024; // an integer this long is no size and no label; it would only cost time

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export class PickleCursor {
  /** Byte where the current opcode starts, for messages. */
  opcodeAt: number;
  /** Next byte to read. */
  position: number;
  readonly bytes: Uint8Array;
  readonly #source: string;
  readonly #view: DataView;

  constructor(bytes: Uint8Array, source: string, position: number) {
    this.bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength); // plain, even if it is a Buffer
    this.position = position;
    this.opcodeAt = position;
    this.#source = source;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  error(message: string, cause?: unknown): TopofrError {
    const place = `(byte ${this.opcodeAt} of the pickle)`;
    return new TopofrError("E_FORMAT", `${this.#source}: pickle ${message} ${place}`, { cause });
  }

  opcode(): number {
    this.opcodeAt = this.position;
    return this.u8();
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#advance(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  i32(): number {
    return this.#view.getInt32(this.#advance(4), true);
  }

  /** A u64 length. Beyond 2^53 it loses digits, and stays far beyond the end. */
  u64(): number {
    return Number(this.#view.getBigUint64(this.#advance(8), true));
  }

  f64BigEndian(): number {
    return this.#view.getFloat64(this.#advance(8), false);
  }

  /** The next `length` bytes, as a view of the input. */
  take(length: number): Uint8Array {
    const start = this.#advance(length);
    return this.bytes.subarray(start, start + length);
  }

  utf8(length: number): string {
    return this.decodeUtf8(this.take(length));
  }

  decodeUtf8(bytes: Uint8Array): string {
    try {
      return utf8.decode(bytes);
    } catch (cause) {
      throw this.error("has text that is not UTF-8", cause);
    }
  }

  /** The bytes up to the next newline, one character a byte; the newline is consumed. */
  line(): string {
    const end = this.bytes.indexOf(0x0a, this.position);
    if (end < 0) throw this.error("ends inside a line; the file is truncated");
    const line = this.take(end - this.position);
    this.position = end + 1;
    return Buffer.from(line.buffer, line.byteOffset, line.length).toString("latin1");
  }

  /** A decimal integer in text form, without its newline; `L` may follow it. */
  decimal(text: string): number | bigint {
    const match = /^([+-]?\d+)L?$/.exec(text);
    if (!match || text.length > MAX_INTEGER_BYTES) throw this.error("has a malformed or oversized integer");
    return narrow(BigInt(match[1]!.replace("+", "")));
  }

  /** INT's text, which protocols 0 and 1 also use for booleans. */
  booleanOrDecimal(text: string): boolean | number | bigint {
    if (text === "00" || text === "01") return text === "01";
    return this.decimal(text);
  }

  /** A floating-point number in text form. */
  float(text: string): number {
    if (/^[+-]?inf$/.test(text)) return text.startsWith("-") ? -Infinity : Infinity;
    if (/^[+-]?nan$/.test(text)) return Number.NaN;
    if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) throw this.error("has a malformed number");
    return Number(text);
  }

  /** The bytes of a quoted Python 2 string. */
  quoted(literal: string): Uint8Array {
    const bytes = unescapePython(literal);
    if (bytes === null) throw this.error("has a malformed quoted string");
    return bytes;
  }

  /** The text of a protocol-0 string. */
  rawUnicode(line: string): string {
    const text = unescapeRawUnicode(line);
    if (text === null) throw this.error("has a malformed escape in a string");
    return text;
  }

  /** A little-endian two's-complement integer of `length` bytes. */
  long(length: number): number | bigint {
    if (length > MAX_INTEGER_BYTES) throw this.error(`has an integer of ${length} bytes`);
    const bytes = this.take(length);
    if (length === 0) return 0;
    const hex = Buffer.from(bytes).reverse().toString("hex");
    return narrow(BigInt.asIntN(8 * length, BigInt(`0x${hex}`)));
  }

  #advance(length: number): number {
    const start = this.position;
    if (length > this.bytes.length - start) {
      throw this.error(
        `ends at byte ${this.bytes.length}, ${length} more were announced; the file is truncated`,
      );
    }
    this.position = start + length;
    return start;
  }
}

function narrow(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
