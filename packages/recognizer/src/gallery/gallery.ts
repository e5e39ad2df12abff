// An open gallery: every change goes to the file first, then into memory, one after another; searches run beside them in memory.
// Opening: openGallery.ts.
import { randomBytes } from "node:crypto";
import { stat } from "node:fs/promises";
import { TopofrError } from "@topofr/formats";
import type { GalleryMatch } from "../gallerySearch.js";
import type { Sealer } from "./cipher.js";
import { writeEmbeddingTable } from "./embeddingTable.js";
import { templateTable } from "./entries.js";
import type { FileLock } from "./fileLock.js";
import { encodeHeader, type GalleryHeader, renewed } from "./header.js";
import { LogWriter, writeLog } from "./logWriter.js";
import { openProduct, type Product } from "./product.js";
import { encodeAdded, encodeRemoved, templatesPerRecord } from "./records.js";
import type { Rotation } from "./rotation.js";
import { PASS_QUERIES, searchTemplates } from "./search.js";
import { isId, type Template, Templates } from "./templates.js";
import type { Gallery, GalleryEntry } from "./types.js";
import { identityName, noteText, unitVector } from "./values.js";

/** Removed templates for one that is left, from which the file is rewritten. */
const REMOVED_SHARE = 1 / 3;
const MAX_TOP = 10_000;

export interface Protection {
  /** The sealer of a file with this header. */
  sealerOf(header: Uint8Array): Sealer;
  rotation: Rotation;
}

export interface GalleryParts {
  path: string;
  header: GalleryHeader;
  protection: Protection;
  templates: Templates;
  /** Null: read only. */
  writing: { writer: LogWriter; lock: FileLock } | null;
  /** Records of the file. */
  records: number;
  bytes: number;
  droppedBytes: number;
  threads: number | null;
}

interface Query {
  embedding: Float32Array;
  top: number;
  resolve(matches: GalleryMatch[]): void;
  reject(error: unknown): void;
}

export function createGallery(parts: GalleryParts): Gallery {
  const { path, protection, writing, threads } = parts;
  const { rotation } = protection;
  const { dimension, model } = parts.header;
  let { header, templates, records, bytes } = parts;
  let sealer = protection.sealerOf(encodeHeader(header));
  let product: Promise<Product> | null = null;
  let isClosed = false;

  const checkOpen = () => {
    if (isClosed) throw new TopofrError("E_USAGE", `${path}: the gallery is closed`);
  };

  let last: Promise<unknown> = Promise.resolve();
  /** One change after another. */
  function change<Result>(
    work: (parts: NonNullable<GalleryParts["writing"]>) => Promise<Result>,
  ): Promise<Result> {
    checkOpen();
    if (writing === null) throw new TopofrError("E_USAGE", `${path}: the gallery was opened read-only`);
    const result = last.then(async () => {
      await writing.lock.check();
      return work(writing);
    });
    last = result.catch(() => undefined);
    return result;
  }

  async function append(writer: LogWriter, payloads: readonly Uint8Array[]): Promise<void> {
    await writer.append(payloads.map((payload, i) => sealer.seal(payload, records + i)));
    records += payloads.length;
    bytes = writer.length;
  }

  function newTemplates(entries: readonly GalleryEntry[]): Template[] {
    const addedMs = Date.now();
    return entries.map((entry, i) => {
      const where = `${path}: entry ${i}`;
      return {
        id: randomBytes(8).toString("hex"),
        identity: identityName(entry.identity, where),
        note: entry.note === undefined ? null : noteText(entry.note, where),
        addedMs,
        embedding: rotation.apply(unitVector(entry.embedding, dimension, where)),
      };
    });
  }

  /** Rewrites file and memory without holes. */
  async function rewrite(current: NonNullable<GalleryParts["writing"]>): Promise<void> {
    if (templates.removed === 0) return;
    const next = renewed(header);
    const nextHeader = encodeHeader(next);
    const nextSealer = protection.sealerOf(nextHeader);
    const kept = new Templates(dimension);
    function* payloads(): Generator<Uint8Array> {
      let index = 0;
      for (const group of groupsOf(templates.all(), dimension)) {
        for (const template of group) kept.add(template);
        yield nextSealer.seal(encodeAdded(group, dimension), index++);
      }
    }
    const { mode } = await stat(path);
    const written = await writeLog(path, nextHeader, payloads, { mode: mode & 0o777 });
    await current.writer.close();
    current.writer = await LogWriter.open(path, written);
    [header, sealer, templates] = [next, nextSealer, kept];
    [records, bytes] = [written.records, written.length];
  }

  // Queries that come while others are computed are computed together: a pass over the templates costs nearly the same for many.
  const waiting: Query[] = [];
  let searching: Promise<void> | null = null;
  async function answerAll(): Promise<void> {
    await null; // the rest of this turn's queries come along
    while (waiting.length > 0) {
      const queries = waiting.splice(0, PASS_QUERIES);
      try {
        product ??= openProduct(threads);
        const found = await searchTemplates(
          templates,
          await product,
          queries.map(({ embedding }) => embedding),
          queries.map(({ top }) => top),
        );
        for (const [k, { resolve }] of queries.entries()) resolve(found[k]!);
      } catch (error) {
        for (const { reject } of queries) reject(error);
      }
    }
    searching = null; // in the same turn as the last look at `waiting`
  }

  async function search(embedding: Float32Array, { top }: { top: number }): Promise<GalleryMatch[]> {
    checkOpen();
    if (!(Number.isInteger(top) && top >= 1 && top <= MAX_TOP))
      throw new TopofrError("E_USAGE", `top is ${top}; expected 1 to ${MAX_TOP}`);
    const query = rotation.apply(unitVector(embedding, dimension, `${path}: search`));
    return new Promise((resolve, reject) => {
      waiting.push({ embedding: query, top, resolve, reject });
      searching ??= answerAll();
    });
  }

  function* allTemplates(): Generator<Template> {
    for (const template of templates.all())
      yield { ...template, embedding: Float32Array.from(rotation.undo(template.embedding)) };
  }

  return {
    dimension,
    model,
    droppedBytes: parts.droppedBytes,
    get size() {
      return templates.size;
    },
    info: () => ({
      path,
      bytes,
      created: header.created,
      model,
      dimension,
      identities: templates.identities().length,
      templates: templates.size,
      encrypted: header.encryption !== null,
      revocable: header.revocable !== null,
      readOnly: writing === null,
    }),
    identities: () => templates.identities(),
    templates: allTemplates,
    async add(entries) {
      checkOpen();
      const added = newTemplates(entries);
      if (added.length === 0) return [];
      return change(async ({ writer }) => {
        for (const group of groupsOf(added, dimension)) {
          await append(writer, [encodeAdded(group, dimension)]);
          for (const template of group) templates.add(template);
        }
        return added.map(({ id }) => id);
      });
    },
    async remove(which) {
      if ("id" in which && !isId(which.id))
        throw new TopofrError(
          "E_USAGE",
          `${path}: "${which.id}" is no id of a template: 16 hexadecimal digits`,
        );
      const wanted = "id" in which ? which : { identity: identityName(which.identity, path) };
      return change(async (current) => {
        const ids = templates.find(wanted);
        if (ids.length === 0) return 0;
        await append(current.writer, [encodeRemoved(ids)]);
        templates.remove(ids);
        if (templates.removed > REMOVED_SHARE * templates.size) await rewrite(current);
        return ids.length;
      });
    },
    compact: () => change(rewrite),
    search,
    searchMany: (embeddings, options) =>
      Promise.all(embeddings.map((embedding) => search(embedding, options))),
    async export(file) {
      checkOpen();
      await writeEmbeddingTable(file, templateTable(allTemplates(), dimension));
    },
    async close() {
      if (isClosed) return;
      const rewritten = writing === null ? last : change(rewrite);
      isClosed = true;
      try {
        await rewritten;
        await searching;
      } finally {
        await product?.then(({ close }) => close()).catch(() => undefined); // searches have had its error
        await writing?.writer.close();
        await writing?.lock.release();
      }
    },
  };
}

/** Templates of one record each. */
function* groupsOf(templates: Iterable<Template>, dimension: number): Generator<Template[]> {
  const most = templatesPerRecord(dimension);
  let group: Template[] = [];
  for (const template of templates) {
    group.push(template);
    if (group.length < most) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}
