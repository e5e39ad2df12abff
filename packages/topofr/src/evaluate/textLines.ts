// Large text tables, read a block of whole lines at a time: memory does not grow with the file, and nothing is made into a string
// unless asked for. What the fields mean is for the caller. Quoted CSV fields: groupManifest.ts.

import { printable, TopofrError, withInputFile } from "@topofr/formats";

const BLOCK_BYTES = 4 * 1024 * 1024; // also the longest line
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const SPACE = 0x20;
const TAB = 0x09;
const ZERO = 0x30;
const NINE = 0x39;
const MINUS = 0x2d;
const POINT = 0x2e;
const LARGEST_ID = 2 ** 31 - 1; // int32
/** Below 2^53 a mantissa is exact, and so are the powers of ten up to 10^22: one division rounds correctly. */
const EXACT_DIGITS = 15;
const POWERS_OF_TEN = Float64Array.from({ length: EXACT_DIGITS + 1 }, (_, k) => Number(`1e${k}`));

/**
 * Calls `use` for every line that is not blank, with the cursor at its first field. What `use` leaves unread must be
 * blank.
 *
 * @throws E_FILE for the file; E_FORMAT for a line of more than 4 MiB; what `use` throws
 */
export async function forEachLine(path: string, use: (fields: LineFields) => void): Promise<void> {
  await withInputFile(path, async (file) => {
    const fields = new LineFields(path);
    for (let position = 0; position < file.size; ) {
      const bytes = await file.read(position, Math.min(BLOCK_BYTES, file.size - position));
      const isLast = position + bytes.length === file.size;
      const end = isLast ? bytes.length : bytes.lastIndexOf(NEWLINE) + 1;
      if (end === 0) {
        fields.line += 1;
        throw fields.error(`the line is longer than ${BLOCK_BYTES} bytes; this is not a list of lines`);
      }
      fields.eachLine(bytes, end, use);
      position += end;
    }
  });
}

/** The fields of one line, separated by spaces or tabs. Every reader throws E_FORMAT with file and line. */
export class LineFields {
  /** Number of the line, from 1. */
  line = 0;
  private bytes = new Uint8Array(0);
  private at = 0;
  private end = 0;

  constructor(private readonly path: string) {}

  /** For `forEachLine`: the lines of bytes[0, end). */
  eachLine(bytes: Uint8Array<ArrayBuffer>, end: number, use: (fields: LineFields) => void): void {
    this.bytes = bytes;
    this.end = end;
    this.at = 0;
    while (this.at < end) {
      this.line += 1;
      if (!this.atLineEnd()) use(this);
      if (!this.atLineEnd()) throw this.error(`unexpected "${printable(this.peek())}" after the last field`);
      this.at += 1; // the newline
    }
  }

  /** A whole number from 0 to 2^31 - 1. */
  id(name: string): number {
    this.skipBlanks();
    const { bytes, end } = this;
    const start = this.at;
    let at = start;
    let value = 0;
    for (; at < end; at++) {
      const digit = bytes[at]! - ZERO;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    this.at = at;
    if (at === start || at - start > 10 || value > LARGEST_ID || !this.atFieldEnd()) {
      this.at = start;
      throw this.error(`${name} is ${this.found()}; expected a whole number from 0 to ${LARGEST_ID}`);
    }
    return value;
  }

  /** A finite decimal number. */
  number(name: string): number {
    this.skipBlanks();
    const { bytes, end } = this;
    const start = this.at;
    const negative = bytes[start] === MINUS;
    let at = negative ? start + 1 : start;
    let mantissa = 0;
    let digits = 0;
    let decimals = -1; // none seen yet
    for (; at < end; at++) {
      const code = bytes[at]!;
      if (code === POINT && decimals < 0) decimals = 0;
      else if (code >= ZERO && code <= NINE) {
        mantissa = mantissa * 10 + (code - ZERO);
        digits += 1;
        if (decimals >= 0) decimals += 1;
      } else break;
    }
    this.at = at;
    if (digits > 0 && digits <= EXACT_DIGITS && this.atFieldEnd()) {
      const size = decimals > 0 ? mantissa / POWERS_OF_TEN[decimals]! : mantissa;
      return negative ? -size : size;
    }
    this.at = start;
    const text = this.peek();
    const value = text === "" ? Number.NaN : Number(text);
    if (!Number.isFinite(value)) throw this.error(`${name} is ${this.found()}; expected a number`);
    this.at += text.length;
    return value;
  }

  /** Text without blanks. */
  word(name: string): string {
    this.skipBlanks();
    const start = this.at;
    while (!this.atFieldEnd()) this.at += 1;
    if (this.at === start) throw this.error(`${name} is missing`);
    return decode(this.bytes, start, this.at);
  }

  /** What is left of the line: all of it but leading blanks, when nothing was read yet. */
  rest(): string {
    const start = this.at;
    this.skipToLineEnd();
    return decode(this.bytes, start, this.at).replace(/\r$/, "");
  }

  error(message: string): TopofrError {
    return new TopofrError("E_FORMAT", `${this.path}:${this.line}: ${message}`);
  }

  private skipBlanks(): void {
    const { bytes, end } = this;
    while (this.at < end && (bytes[this.at] === SPACE || bytes[this.at] === TAB)) this.at += 1;
  }

  private skipToLineEnd(): void {
    const newline = this.bytes.indexOf(NEWLINE, this.at);
    this.at = newline < 0 || newline > this.end ? this.end : newline;
  }

  private atFieldEnd(): boolean {
    if (this.at >= this.end) return true;
    const code = this.bytes[this.at]!;
    return code === SPACE || code === NEWLINE || code === TAB || code === RETURN;
  }

  /** Moves over blanks, and says whether only the end of the line follows. */
  private atLineEnd(): boolean {
    this.skipBlanks();
    if (this.at < this.end && this.bytes[this.at] === RETURN) this.at += 1;
    return this.at >= this.end || this.bytes[this.at] === NEWLINE;
  }

  /** The next field, not consumed. */
  private peek(): string {
    const start = this.at;
    while (!this.atFieldEnd()) this.at += 1;
    const text = decode(this.bytes, start, this.at);
    this.at = start;
    return text;
  }

  private found(): string {
    const text = this.peek();
    return text === "" ? "missing" : `"${printable(text)}"`;
  }
}

function decode(bytes: Uint8Array<ArrayBuffer>, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("utf8");
}
