// The 512-byte headers of tar archives and the records of pax headers. Walking an archive: tarIndex.ts; writing: tarWriter.ts.
// Sources: POSIX.1-2017, pax, "ustar Interchange Format" and "pax Extended Header"; GNU tar manual, "Basic Tar Format".

export const TAR_BLOCK_BYTES = 512;

export interface TarHeader {
  /** Prefix and name joined. */
  readonly name: string;
  readonly size: number;
  /** One character: "0" a regular file, "5" a folder, "x" a pax header … (an old archive's NUL is given as "0"). */
  readonly type: string;
}

const NAME = { at: 0, length: 100 };
const MODE_AT = 100;
const SIZE = { at: 124, length: 12 };
const MTIME_AT = 136;
const CHECKSUM = { at: 148, length: 8 };
const TYPE_AT = 156;
const MAGIC_AT = 257;
const PREFIX = { at: 345, length: 155 };

/** Parses a header block. Throws an Error whose message says what is wrong with it. */
export function parseTarHeader(block: Uint8Array): TarHeader {
  const stated = octal(block, CHECKSUM.at, CHECKSUM.length);
  const sums = checksums(block);
  if (stated === undefined || !sums.includes(stated)) {
    throw new Error(`checksum ${stated ?? "unreadable"}, expected ${sums[0]}`);
  }
  const size =
    block[SIZE.at]! & 0x80 ? base256(block, SIZE.at, SIZE.length) : octal(block, SIZE.at, SIZE.length);
  if (size === undefined) throw new Error("the size is not a number that can be read");
  // GNU archives ("ustar  ") have other fields where POSIX ones ("ustar" and NUL) have the prefix.
  const isPosix = text(block, MAGIC_AT, 6) === "ustar\0";
  const prefix = isPosix ? cString(block, PREFIX.at, PREFIX.length) : "";
  const name = cString(block, NAME.at, NAME.length);
  const code = block[TYPE_AT]!;
  return {
    name: prefix === "" ? name : `${prefix}/${name}`,
    size,
    type: code === 0 || code === 0x37 ? "0" : String.fromCharCode(code), // "7": contiguous, the same to a reader
  };
}

/** A ustar header of a regular file, mode 0644, owner 0, time 0: archives of the same content are the same bytes. */
export function formatTarHeader({
  name,
  size,
  type,
}: {
  name: Uint8Array;
  size: number;
  type: string;
}): Uint8Array {
  const block = Buffer.alloc(TAR_BLOCK_BYTES);
  block.set(name, NAME.at);
  block.write("0000644\x000000000\x000000000\x00", MODE_AT, "latin1"); // mode, user, group
  block.write(`${size.toString(8).padStart(11, "0")}\0`, SIZE.at, "latin1");
  block.write("00000000000\0", MTIME_AT, "latin1");
  block.write(type, TYPE_AT, "latin1");
  block.write("ustar\x0000", MAGIC_AT, "latin1");
  block.write(`${checksums(block)[0]!.toString(8).padStart(6, "0")}\0 `, CHECKSUM.at, "latin1");
  return block;
}

/** The `key=value` records of a pax header. Throws an Error when they are malformed. */
export function parsePaxRecords(data: Uint8Array): Map<string, string> {
  const records = new Map<string, string>();
  for (let at = 0; at < data.length; ) {
    // Archives of some writers pad with NULs.
    if (data[at] === 0) break;
    const space = data.subarray(at, at + 20).indexOf(0x20);
    const digits = space < 0 ? "" : text(data, at, space);
    const length = /^\d+$/.test(digits) ? Number(digits) : 0;
    const end = at + length;
    const equals = data.subarray(0, end).indexOf(0x3d, at + space + 1);
    if (length <= space + 1 || end > data.length || data[end - 1] !== 0x0a || equals < 0) {
      throw new Error(`pax header with a malformed record at its byte ${at}`);
    }
    records.set(utf8(data.subarray(at + space + 1, equals)), utf8(data.subarray(equals + 1, end - 1)));
    at = end;
  }
  return records;
}

/** `<length> <key>=<value>\n`, where the length counts itself. */
export function formatPaxRecord(key: string, value: string): Uint8Array {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest + String(rest).length;
  length = rest + String(length).length;
  return Buffer.from(`${length} ${key}=${value}\n`);
}

/** Text up to the first NUL; UTF-8, with replacement characters where it is not. */
export function cString(bytes: Uint8Array, at: number, length: number): string {
  const field = bytes.subarray(at, at + length);
  const end = field.indexOf(0);
  return utf8(end < 0 ? field : field.subarray(0, end));
}

/** Sum of the bytes with the checksum field as spaces; and of signed bytes, as some old writers did. */
function checksums(block: Uint8Array): [number, number] {
  let unsigned = 0;
  let signed = 0;
  for (let i = 0; i < TAR_BLOCK_BYTES; i++) {
    const byte = i >= CHECKSUM.at && i < CHECKSUM.at + CHECKSUM.length ? 0x20 : block[i]!;
    unsigned += byte;
    signed += byte < 0x80 ? byte : byte - 256;
  }
  return [unsigned, signed];
}

function octal(block: Uint8Array, at: number, length: number): number | undefined {
  const match = /^ *([0-7]+)[ \0]*$/.exec(text(block, at, length));
  return match ? Number.parseInt(match[1]!, 8) : undefined;
}

/** GNU's form for sizes from 8 GiB on: big-endian, the first bit set. Negative or beyond 2^53: undefined. */
function base256(block: Uint8Array, at: number, length: number): number | undefined {
  if (block[at] !== 0x80) return undefined;
  let value = 0;
  for (let i = at + 1; i < at + length; i++) value = value * 256 + block[i]!;
  return Number.isSafeInteger(value) ? value : undefined;
}

function text(bytes: Uint8Array, at: number, length: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + at, length).toString("latin1");
}

function utf8(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
}
