// What was found out about a data set by reading all of it (file lists, indexes, labels), kept for the next time. Files in
// $XDG_CACHE_HOME/topofr, or ~/.cache/topofr; each may be deleted at any time. It decides nothing about what is valid: callers
// give a fingerprint of what they listed, and get nothing back when it has changed.
import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { crc32 } from "node:zlib";
import { printable, withInputFile, writeFileAtomic } from "@topofr/formats";

const MAGIC = "TFRLIST1";
const HEAD_BYTES = MAGIC.length + 8; // then two u32: length and CRC-32 of the JSON that follows
const MOST_JSON_BYTES = 256 * 1024 * 1024;

/** Changes within this time may share a time stamp with what was listed, so such a listing is not kept. */
const SETTLED_MS = 2000;

/** What kind of finding about which path, valid as long as `fingerprint` stays the same. */
export interface ListingKey {
  kind: string;
  path: string;
  fingerprint: string;
}

export interface Listing {
  /** Anything that JSON can hold. */
  note: unknown;
  sections: Uint8Array[];
}

interface Head extends ListingKey {
  note: unknown;
  sections: { bytes: number; crc: number }[];
}

export function cacheFolder(): string {
  const home = process.env.XDG_CACHE_HOME;
  return join(home !== undefined && isAbsolute(home) ? home : join(homedir(), ".cache"), "topofr");
}

/** A short text that changes when any of the parts does. */
export function fingerprintOf(parts: Iterable<string | number>): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(`${part}\0`);
  return hash.digest("hex");
}

/** Whether something last changed at that time can be told apart from what it is after a change to come. */
export function isSettled(modifiedMs: number, now = Date.now()): boolean {
  return now - modifiedMs > SETTLED_MS;
}

/** The listing kept under that key, its sections in fresh memory; null when there is none, or none that is whole. */
export async function readListing(key: ListingKey): Promise<Listing | null> {
  try {
    return await withInputFile(listingPath(key), async (file) => {
      const head = Buffer.from(await file.read(0, HEAD_BYTES));
      const jsonBytes = head.readUInt32LE(MAGIC.length);
      if (head.toString("latin1", 0, MAGIC.length) !== MAGIC || jsonBytes > MOST_JSON_BYTES) return null;
      const json = await file.read(HEAD_BYTES, jsonBytes);
      if (crc32(json) !== head.readUInt32LE(MAGIC.length + 4)) return null;
      const { note, ...found } = JSON.parse(Buffer.from(json).toString()) as Head;
      if (found.path !== key.path || found.kind !== key.kind || found.fingerprint !== key.fingerprint)
        return null;
      const sections: Uint8Array[] = [];
      let position = HEAD_BYTES + jsonBytes;
      for (const { bytes, crc } of found.sections) {
        const section = await file.read(position, bytes);
        if (crc32(section) !== crc) return null;
        sections.push(section);
        position += bytes;
      }
      return { note, sections };
    });
  } catch {
    return null; // absent or broken: what it said is found out again
  }
}

/** Keeps a listing. Returns a warning when that is impossible: the data set is usable all the same. */
export async function writeListing(key: ListingKey, { note, sections }: Listing): Promise<string | null> {
  const head: Head = {
    ...key,
    note,
    sections: sections.map((section) => ({ bytes: section.byteLength, crc: crc32(section) })),
  };
  const json = Buffer.from(JSON.stringify(head));
  if (json.length > MOST_JSON_BYTES) return `${key.path}: too many names to keep the listing`;
  const start = Buffer.alloc(HEAD_BYTES);
  start.write(MAGIC, "latin1");
  start.writeUInt32LE(json.length, MAGIC.length);
  start.writeUInt32LE(crc32(json), MAGIC.length + 4);
  try {
    await mkdir(cacheFolder(), { recursive: true, mode: 0o700 }); // names of people
    await writeFileAtomic(listingPath(key), [start, json, ...sections]);
    return null;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return `${key.path}: what was found cannot be kept for the next time: ${printable(reason)}`;
  }
}

/** The bytes of a typed array, to be a section. */
export function sectionOf(array: Uint32Array | Float64Array | Uint8Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

function listingPath({ kind, path }: ListingKey): string {
  return join(cacheFolder(), `${kind}-${fingerprintOf([path]).slice(0, 32)}.list`);
}
