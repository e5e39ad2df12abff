// What a gallery is as a table in a file, and back. The files: embeddingTable.ts.
import { TopofrError } from "@topofr/formats";
import { type EmbeddingRows, readEmbeddingTable } from "./embeddingTable.js";
import type { Template } from "./templates.js";
import type { GalleryEntry } from "./types.js";

const COLUMNS = ["id", "identity", "note", "added"] as const;

/** Columns id, identity, note (empty for none), added (ISO 8601). */
export function templateTable(templates: Iterable<Template>, dimension: number): EmbeddingRows {
  function* rows() {
    for (const { id, identity, note, addedMs, embedding } of templates)
      yield { values: [id, identity, note ?? "", new Date(addedMs).toISOString()], embedding };
  }
  return { dimension, columns: COLUMNS, rows: rows() };
}

/**
 * Entries for `Gallery.add` from an exported file, or any table with a column "identity" and perhaps "note"; other columns are ignored,
 * ids are given anew.
 *
 * @throws E_FILE, E_FORMAT; E_DATA when it has no such column
 */
export async function readEntries(path: string): Promise<{ dimension: number; entries: GalleryEntry[] }> {
  const { dimension, columns, rows } = await readEmbeddingTable(path);
  const identity = columns.indexOf("identity");
  const note = columns.indexOf("note");
  if (identity < 0)
    throw new TopofrError(
      "E_DATA",
      `${path}: no column "identity", so nothing says who is who; it has ${columns.join(", ") || "embeddings alone"}`,
    );
  const entries = rows.map(({ values, embedding }): GalleryEntry => {
    const text = note < 0 ? "" : String(values[note]);
    return { identity: String(values[identity]), embedding, ...(text !== "" && { note: text }) };
  });
  return { dimension, entries };
}
