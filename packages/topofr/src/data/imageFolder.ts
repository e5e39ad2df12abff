// A data set from a folder of folders: `root/identity/image.jpg`. Lists files; opens none of them (decodeImage.ts does).
import type { Dirent } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { basename, extname, join, resolve } from "node:path";
import { TopofrError } from "@topofr/formats";
import type { FaceDataset, FaceSample } from "./dataset.js";

export const IMAGE_EXTENSIONS = [".jpg", ".jpeg", ".png", ".webp"] as const;

const LAYOUT = "expected one folder per person with that person's images in it: root/identity/image.jpg";
const PARALLEL_READS = 16;
const NAMES_SHOWN = 5;

export interface ImageFolderOptions {
  /** Leave out identities with fewer images than this. Default 1: keep all that have any. */
  minImagesPerIdentity?: number;
  /** File name endings that count as images, with the dot, compared without case. Default: jpg, jpeg, png, webp. */
  extensions?: readonly string[];
  /** Use only the first so many identities, in sorted order. Default: all. */
  limitIdentities?: number;
}

export interface ImageFolder extends FaceDataset {
  /** Absolute path of the folder. */
  root: string;
  /** What was left out, ignored, or is of little use for training; whole sentences, one per kind. */
  warnings: string[];
}

interface Listing {
  identity: string;
  images: string[];
  folders: number;
  /** Count of files with another ending, by ending. */
  others: Map<string, number>;
}

/**
 * Reads the layout `root/identity/image.jpg`. Identities and their images are sorted by UTF-16 code units (never by locale),
 * so labels and sample indices are the same on every machine. Hidden files are skipped, links followed, deeper
 * folders not read.
 *
 * @throws E_FILE when the folder is missing or unreadable; E_DATA when no usable identity is in it
 */
export async function openImageFolder(root: string, options: ImageFolderOptions = {}): Promise<ImageFolder> {
  const { minImagesPerIdentity = 1, limitIdentities = Number.POSITIVE_INFINITY } = options;
  if (!(limitIdentities >= 1) || !(minImagesPerIdentity >= 1)) {
    throw new TopofrError(
      "E_USAGE",
      "image folder: limitIdentities and minImagesPerIdentity must be at least 1",
    );
  }
  const extensions = new Set(
    (options.extensions ?? IMAGE_EXTENSIONS).map((extension) => extension.toLowerCase()),
  );
  const folder = resolve(root);
  const top = await listFolder(folder, "", extensions);
  const names = top.folderNames.sort(byCodeUnit);
  if (names.length === 0) throw new TopofrError("E_DATA", noIdentities(folder, top.images.length));
  const listings = await mapParallel(names, (name) => listFolder(join(folder, name), name, extensions));

  const kept = listings
    .filter(({ images }) => images.length >= minImagesPerIdentity)
    .slice(0, limitIdentities);
  if (kept.length === 0) throw new TopofrError("E_DATA", nothingKept(folder, listings, minImagesPerIdentity));
  const samples: FaceSample[] = [];
  kept.forEach(({ identity, images }, label) => {
    for (const image of images.sort(byCodeUnit)) {
      samples.push({ path: join(folder, identity, image), label, identity });
    }
  });
  return {
    name: basename(folder),
    root: folder,
    identities: kept.map(({ identity }) => identity),
    samples,
    warnings: warningsOf(folder, top, listings, kept, minImagesPerIdentity),
  };
}

async function listFolder(
  path: string,
  identity: string,
  extensions: Set<string>,
): Promise<Listing & { folderNames: string[] }> {
  let entries: Dirent[];
  try {
    entries = await readdir(path, { withFileTypes: true });
  } catch (cause) {
    throw new TopofrError("E_FILE", unreadableFolder(path, cause), { cause });
  }
  const images: string[] = [];
  const folderNames: string[] = [];
  const others = new Map<string, number>();
  for (const entry of entries) {
    if (entry.name.startsWith(".")) continue;
    const kind = entry.isSymbolicLink() ? await stat(join(path, entry.name)).catch(() => entry) : entry;
    const extension = extname(entry.name).toLowerCase();
    if (kind.isDirectory()) folderNames.push(entry.name);
    else if (kind.isFile() && extensions.has(extension)) images.push(entry.name);
    else others.set(extension, (others.get(extension) ?? 0) + 1);
  }
  return { identity, images, folders: folderNames.length, folderNames, others };
}

function unreadableFolder(path: string, cause: unknown): string {
  const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
  if (code === "ENOENT") return `${path}: no such folder; ${LAYOUT}`;
  if (code === "ENOTDIR") return `${path}: is a file, not a folder; ${LAYOUT}`;
  return `${path}: the folder cannot be read (${code}); check its permissions`;
}

function noIdentities(folder: string, images: number): string {
  if (images === 0) return `${folder}: the folder is empty, no identities found; ${LAYOUT}`;
  return `${folder}: ${images} images lie directly in the folder, so nothing says who is on them; ${LAYOUT}`;
}

function nothingKept(folder: string, listings: Listing[], minImages: number): string {
  const withImages = listings.filter(({ images }) => images.length > 0);
  if (withImages.length > 0) {
    return (
      `${folder}: none of ${withImages.length} identities has ${minImages} images or more; ` +
      "lower minImagesPerIdentity, or add images"
    );
  }
  const nested = listings.some(({ folders }) => folders > 0);
  const hint = nested ? "its folders hold further folders, so the root is probably one level deeper" : LAYOUT;
  return `${folder}: ${listings.length} folders, but no image in any of them; ${hint}`;
}

function warningsOf(
  folder: string,
  top: Listing,
  listings: Listing[],
  kept: Listing[],
  minImages: number,
): string[] {
  const warnings: string[] = [];
  const warn = (found: Listing[], text: string) => {
    if (found.length > 0)
      warnings.push(`${folder}: ${count(found.length, "identity", "identities")} ${text}: ${names(found)}`);
  };
  warn(
    listings.filter(({ images }) => images.length === 0),
    "without any image left out",
  );
  warn(
    listings.filter(({ images }) => images.length > 0 && images.length < minImages),
    `with fewer than ${minImages} images left out`,
  );
  warn(
    kept.filter(({ images }) => images.length === 1),
    "with a single image (kept, but nothing can be learnt about what varies within a person)",
  );
  warn(
    kept.filter(({ folders }) => folders > 0),
    "with folders inside, which are not read",
  );
  if (top.images.length > 0) {
    warnings.push(
      `${folder}: ${count(top.images.length, "image")} directly in the folder ignored; ${LAYOUT}`,
    );
  }
  const others = new Map<string, number>();
  for (const listing of kept) {
    for (const [extension, n] of listing.others) others.set(extension, (others.get(extension) ?? 0) + n);
  }
  if (others.size > 0) {
    const kinds = [...others].map(([extension, n]) => `${n} ${extension || "without an ending"}`).join(", ");
    warnings.push(`${folder}: files that are not among the image endings ignored: ${kinds}`);
  }
  return warnings;
}

function names(listings: Listing[]): string {
  const shown = listings.slice(0, NAMES_SHOWN).map(({ identity }) => identity);
  const more = listings.length - shown.length;
  return shown.join(", ") + (more > 0 ? ` and ${more} more` : "");
}

function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

async function mapParallel<In, Out>(items: In[], work: (item: In) => Promise<Out>): Promise<Out[]> {
  const results = new Array<Out>(items.length);
  let next = 0;
  const lane = async () => {
    for (let i = next++; i < items.length; i = next++) results[i] = await work(items[i]!);
  };
  await Promise.all(Array.from({ length: PARALLEL_READS }, lane));
  return results;
}
