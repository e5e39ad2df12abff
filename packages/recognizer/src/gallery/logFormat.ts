// The file under a gallery, as bytes: a head, then records that are only ever appended. Knows nothing of templates or encryption: a
// record is bytes. To be rid of what is no longer needed the file is replaced as a whole, atomically. Reading: readLog.ts; writing:
// logWriter.ts.
//
// Why not an embedded database: LMDB, tried first, ends the process (SIGSEGV, SIGBUS, an assertion) on a truncated or damaged file,
// where a service needs an error, and LanceDB brings 148 MB. Exact search holds all templates in memory anyway, so the disk only has
// to keep them, in order and whole.
//
// Little-endian:
//   0   magic, 8 bytes       8  u32 version        12  u32 length of the header
//   16  u64 acknowledged: bytes of the file of which a caller was told that they are kept; 24  u32 CRC-32 of these 8
//   28  u32 CRC-32 of bytes 0 to 16 and of the header
//   32  header, then records: u32 length, u32 CRC-32 of these four bytes and the payload, payload
//
// A record that is not whole, behind the acknowledged bytes, is an append that was interrupted: it is dropped. Anywhere else it is
// damage, and an error. "Acknowledged" is written after the record has reached the disk, so it never promises too much.
import { crc32 } from "node:zlib";

export const MAGIC = Buffer.from("\x89TFRGAL\n", "latin1");
export const VERSION = 1;
export const HEAD_BYTES = 32;
export const ACKNOWLEDGED_AT = 16;
export const RECORD_HEAD_BYTES = 8;
export const MAX_HEADER_BYTES = 64 * 1024;
/** Of a record's payload. */
export const MAX_RECORD_BYTES = 64 * 1024 * 1024;

export function encodeHead(header: Uint8Array, acknowledged: number): Uint8Array {
  const head = new Uint8Array(HEAD_BYTES);
  const view = new DataView(head.buffer);
  head.set(MAGIC);
  view.setUint32(8, VERSION, true);
  view.setUint32(12, header.length, true);
  head.set(encodeAcknowledged(acknowledged), ACKNOWLEDGED_AT);
  view.setUint32(28, headChecksum(head, header), true);
  return head;
}

export function encodeAcknowledged(length: number): Uint8Array {
  const bytes = new Uint8Array(12);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(length), true);
  view.setUint32(8, crc32(bytes.subarray(0, 8)), true);
  return bytes;
}

export const headChecksum = (head: Uint8Array, header: Uint8Array): number =>
  crc32(header, crc32(head.subarray(0, ACKNOWLEDGED_AT)));

export function recordHead(payload: Uint8Array): Uint8Array {
  const head = new Uint8Array(RECORD_HEAD_BYTES);
  const view = new DataView(head.buffer);
  view.setUint32(0, payload.length, true);
  view.setUint32(4, recordChecksum(payload), true);
  return head;
}

export function recordChecksum(payload: Uint8Array): number {
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, payload.length, true);
  return crc32(payload, crc32(length));
}
