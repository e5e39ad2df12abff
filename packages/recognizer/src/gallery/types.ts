// What a gallery is to its user. The work: openGallery.ts, gallery.ts.
import type { GalleryMatch, GallerySearch } from "../gallerySearch.js";
import type { ModelName } from "../types.js";
import type { Template } from "./templates.js";

export type { GalleryMatch, Template };

export interface GalleryOptions {
  /** Numbers of an embedding: the recogniser's `dimension`. Needed to make a gallery; otherwise checked where it is given. */
  dimension?: number;
  /** The recogniser's `model`, likewise. */
  model?: ModelName;
  /** Encrypts a new gallery, names included; opens an encrypted one. */
  passphrase?: string;
  /** 32 random bytes: makes a new gallery's templates revocable, and opens such a gallery. See rotation.ts. */
  secret?: Uint8Array;
  /** Make the gallery when there is none. Default: false. */
  create?: boolean;
  /** For search alone: any number of processes may read while one writes. What it adds later is not seen. Default: false. */
  readOnly?: boolean;
  /** Of the search; default: all cores. */
  threads?: number;
  /** scrypt's work for a new passphrase, a power of two. Default: 2^17, half a second and 128 MB. */
  passphraseCost?: number;
}

export interface GalleryEntry {
  /** Who: 1 to 500 characters on one line. */
  identity: string;
  /** [dimension], of any length but zero. */
  embedding: Float32Array;
  /** Anything, on one line: the picture's name, for example. */
  note?: string;
}

export interface GalleryInfo {
  path: string;
  /** Of the file. */
  bytes: number;
  created: string;
  model: ModelName;
  dimension: number;
  identities: number;
  templates: number;
  encrypted: boolean;
  revocable: boolean;
  readOnly: boolean;
}

/**
 * People and their templates. One process at a time may write. Errors of every method are `TopofrError`s: E_FILE for the disk,
 * E_MODEL for embeddings of another size, E_USAGE for wrong arguments and a closed gallery.
 */
export interface Gallery extends GallerySearch {
  readonly model: ModelName;
  /** Templates. */
  readonly size: number;
  /** Bytes of an interrupted add, found and dropped when the gallery was opened. */
  readonly droppedBytes: number;
  info(): GalleryInfo;
  identities(): { identity: string; templates: number }[];
  /** Every template, oldest first. The embeddings are as they were added, L2-normalised. */
  templates(): Iterable<Template>;
  /**
   * Adds templates; an identity may have several. When it returns they are on the disk, and no crash loses them. Up to 1,024 are added
   * together or not at all.
   *
   * @returns their ids
   */
  add(entries: readonly GalleryEntry[]): Promise<string[]>;
  /**
   * Removes an identity or one template, for good once it returns: no search finds it any more. Its bytes leave the file when that is
   * rewritten: at `compact`, at `close`, and whenever a quarter of the gallery has been removed.
   *
   * @returns how many templates there were
   */
  remove(which: { identity: string } | { id: string }): Promise<number>;
  /** Rewrites the file without what was removed, atomically. */
  compact(): Promise<void>;
  /** The identities most like `embedding`, best first, each by its best template; every template is compared. */
  search(embedding: Float32Array, options: { top: number }): Promise<GalleryMatch[]>;
  /** The same for many embeddings, faster than one by one. */
  searchMany(embeddings: readonly Float32Array[], options: { top: number }): Promise<GalleryMatch[][]>;
  /** Writes all templates as .npz, .csv or .jsonl, by the path's ending; not encrypted. Back: `readEntries` and `add`. */
  export(path: string): Promise<void>;
  close(): Promise<void>;
}
