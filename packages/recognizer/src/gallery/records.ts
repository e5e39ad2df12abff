// What the records of a gallery say: templates added, templates removed. Little-endian:
//   u32 kind, u32 count, then ids (u64 each);
//   of added ones also: times (f64, ms since 1970), u32 bytes of text, text, embeddings (f32).
// Text is JSON: [[identity, note or null], …]. Framing: logFormat.ts; encryption: cipher.ts.
import { TopofrError } from "@topofr/formats";
import { type Template, toId, toKey } from "./templates.js";

const ADDED = 1;
const REMOVED = 2;
const HEAD_BYTES = 8;

const MOST_TEMPLATES = 1024;
const MOST_EMBEDDING_BYTES = 2 ** 24; // with the longest names and notes a record stays below MAX_RECORD_BYTES

/** Templates in one record at most: 1,024, fewer for embeddings of over 4,096 numbers. They are added together or not at all. */
export function templatesPerRecord(dimension: number): number {
  return Math.max(1, Math.min(MOST_TEMPLATES, Math.floor(MOST_EMBEDDING_BYTES / (4 * dimension))));
}

export type GalleryRecord = { kind: "added"; templates: Template[] } | { kind: "removed"; ids: string[] };

export function encodeAdded(templates: readonly Template[], dimension: number): Uint8Array {
  const count = templates.length;
  const text = Buffer.from(JSON.stringify(templates.map(({ identity, note }) => [identity, note])));
  const bytes = new Uint8Array(HEAD_BYTES + 16 * count + 4 + text.length + 4 * count * dimension);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, ADDED, true);
  view.setUint32(4, count, true);
  templates.forEach(({ id, addedMs }, i) => {
    view.setBigUint64(HEAD_BYTES + 8 * i, toKey(id), true);
    view.setFloat64(HEAD_BYTES + 8 * (count + i), addedMs, true);
  });
  let at = HEAD_BYTES + 16 * count;
  view.setUint32(at, text.length, true);
  bytes.set(text, at + 4);
  at += 4 + text.length;
  for (const { embedding } of templates) {
    bytes.set(new Uint8Array(embedding.buffer, embedding.byteOffset, embedding.byteLength), at);
    at += 4 * dimension;
  }
  return bytes;
}

export function encodeRemoved(ids: readonly string[]): Uint8Array {
  const bytes = new Uint8Array(HEAD_BYTES + 8 * ids.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, REMOVED, true);
  view.setUint32(4, ids.length, true);
  ids.forEach((id, i) => {
    view.setBigUint64(HEAD_BYTES + 8 * i, toKey(id), true);
  });
  return bytes;
}

/** @throws E_FORMAT naming `place` */
export function decodeRecord(bytes: Uint8Array, dimension: number, place: string): GalleryRecord {
  const fail = (message: string) => new TopofrError("E_FORMAT", `${place}: ${message}; the file is damaged`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const needs = (length: number) => {
    if (bytes.length < length) throw fail(`${bytes.length} bytes, at least ${length} are needed`);
  };
  needs(HEAD_BYTES);
  const [kind, count] = [view.getUint32(0, true), view.getUint32(4, true)];
  const id = (i: number) => toId(view.getBigUint64(HEAD_BYTES + 8 * i, true));
  if (kind === REMOVED) {
    needs(HEAD_BYTES + 8 * count);
    return { kind: "removed", ids: Array.from({ length: count }, (_, i) => id(i)) };
  }
  if (kind !== ADDED) throw fail(`records of kind ${kind} are not known`);
  const textAt = HEAD_BYTES + 16 * count + 4;
  needs(textAt);
  const embeddingsAt = textAt + view.getUint32(textAt - 4, true);
  const length = embeddingsAt + 4 * count * dimension;
  if (bytes.length !== length) throw fail(`${bytes.length} bytes, expected ${length}`);
  const people = parseText(Buffer.from(bytes.subarray(textAt, embeddingsAt)).toString("utf8"), count);
  if (people === null) throw fail("its names are not readable");
  const embeddings = new Float32Array(new Uint8Array(bytes.subarray(embeddingsAt)).buffer); // copied: the place need not be a multiple of 4
  const templates = people.map(([identity, note], i): Template => {
    const addedMs = view.getFloat64(HEAD_BYTES + 8 * (count + i), true);
    const embedding = embeddings.subarray(i * dimension, (i + 1) * dimension);
    return { id: id(i), identity, note, addedMs, embedding };
  });
  return { kind: "added", templates };
}

function parseText(text: string, count: number): [identity: string, note: string | null][] | null {
  let people: unknown;
  try {
    people = JSON.parse(text);
  } catch {
    return null;
  }
  const isPerson = (one: unknown): one is [string, string | null] =>
    Array.isArray(one) &&
    one.length === 2 &&
    typeof one[0] === "string" &&
    (one[1] === null || typeof one[1] === "string");
  return Array.isArray(people) && people.length === count && people.every(isPerson) ? people : null;
}
