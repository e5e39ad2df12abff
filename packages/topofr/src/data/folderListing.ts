// The names in a folder of folders, `root/identity/image.jpg`, compact enough for tens of millions, and kept from one time to the
// next while the identity folders stay as they are. Opens no image, and leaves nothing out: imageFolder.ts does.
import type { Dirent } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import { TopofrError } from "@topofr/formats";
import type { DatasetOptions } from "./datasetOptions.js";
import { fingerprintOf, isSettled, readListing, sectionOf, writeListing } from "./listingCache.js";
import { mapParallel } from "./mapParallel.js";
import { StringTable, StringTableBuilder } from "./stringTable.js";

export const LAYOUT =
  "expected one folder per person with that person's images in it: root/identity/image.jpg";

/** Smaller sets are listed again as fast as a cache is checked. */
const WORTH_KEEPING = 5000; // images
const FOLDERS_PER_TURN = 1024; // listed before their names are packed

export interface FolderListing {
  /** Names of the identity folders, sorted by UTF-16 code units (never by locale). */
  identities: string[];
  /** [identities] */
  imageCounts: Uint32Array;
  /** File names, identity after identity, each identity's sorted as above. */
  images: StringTable;
  /** [identities] folders inside. */
  folderCounts: Uint32Array;
  /** Files with another ending: identity (its place), ending, how many. */
  others: [number, string, number][];
  /** Images directly in the root. */
  imagesInRoot: number;
  warnings: string[];
}

interface Folder {
  images: string[];
  folders: string[];
  others: Map<string, number>;
}

/**
 * Lists the identity folders of `root` and their files. Hidden files are skipped, links followed, deeper folders not read.
 *
 * @param extensions endings that count as images, in lower case, with the dot
 * @throws E_FILE when a folder is missing or unreadable
 */
export async function listIdentityFolders(
  root: string,
  extensions: ReadonlySet<string>,
  { cache = true, onProgress }: Pick<DatasetOptions, "cache" | "onProgress">,
): Promise<FolderListing> {
  const top = await listFolder(root, extensions);
  const identities = top.folders.sort(byCodeUnit);
  const imagesInRoot = top.images.length;
  const modified = cache ? await mapParallel(identities, (name) => modifiedMs(join(root, name))) : [];
  const fingerprint = fingerprintOf([
    ...extensions,
    ...identities.flatMap((name, i) => [name, modified[i]!]),
  ]);
  const key = { kind: "folder", path: root, fingerprint };
  const kept = cache ? unpack(await readListing(key)) : null;
  if (kept !== null) return { identities, imagesInRoot, warnings: [], ...kept };

  const imageCounts = new Uint32Array(identities.length);
  const folderCounts = new Uint32Array(identities.length);
  const others: FolderListing["others"] = [];
  const names = new StringTableBuilder();
  for (let first = 0; first < identities.length; first += FOLDERS_PER_TURN) {
    const turn = identities.slice(first, first + FOLDERS_PER_TURN);
    const folders = await mapParallel(turn, (name) => listFolder(join(root, name), extensions));
    for (const [i, folder] of folders.entries()) {
      imageCounts[first + i] = folder.images.length;
      folderCounts[first + i] = folder.folders.length;
      for (const [ending, n] of folder.others) others.push([first + i, ending, n]);
      for (const image of folder.images.sort(byCodeUnit)) names.push(image);
    }
    onProgress?.(`listing ${root}`, first + turn.length, identities.length);
  }
  const images = names.finish();
  const listing = { imageCounts, images, folderCounts, others };
  const isWorthKeeping = cache && images.length >= WORTH_KEEPING && modified.every((time) => isSettled(time));
  const warning = isWorthKeeping ? await writeListing(key, pack(listing)) : null;
  return { identities, imagesInRoot, warnings: warning === null ? [] : [warning], ...listing };
}

type Kept = Pick<FolderListing, "imageCounts" | "images" | "folderCounts" | "others">;

function pack({ imageCounts, images, folderCounts, others }: Kept) {
  return {
    note: others,
    sections: [imageCounts, folderCounts, images.ends, images.bytes].map(sectionOf),
  };
}

function unpack(listing: Awaited<ReturnType<typeof readListing>>): Kept | null {
  if (listing?.sections.length !== 4) return null;
  const [imageCounts, folderCounts, ends] = listing.sections.map((bytes) =>
    bytes.length % 4 === 0 ? new Uint32Array(bytes.buffer) : new Uint32Array(0),
  ) as [Uint32Array, Uint32Array, Uint32Array];
  const images = new StringTable(listing.sections[3]!, ends);
  return { imageCounts, folderCounts, images, others: listing.note as Kept["others"] };
}

async function listFolder(path: string, extensions: ReadonlySet<string>): Promise<Folder> {
  let entries: Dirent[];
  try {
    entries = await readdir(path, { withFileTypes: true });
  } catch (cause) {
    throw new TopofrError("E_FILE", unreadableFolder(path, cause), { cause });
  }
  const images: string[] = [];
  const folders: string[] = [];
  const others = new Map<string, number>();
  for (const entry of entries) {
    if (entry.name.startsWith(".")) continue;
    const kind = entry.isSymbolicLink() ? await stat(join(path, entry.name)).catch(() => entry) : entry;
    const extension = extname(entry.name).toLowerCase();
    if (kind.isDirectory()) folders.push(entry.name);
    else if (kind.isFile() && extensions.has(extension)) images.push(entry.name);
    else others.set(extension, (others.get(extension) ?? 0) + 1);
  }
  return { images, folders, others };
}

async function modifiedMs(path: string): Promise<number> {
  try {
    return (await stat(path)).mtimeMs;
  } catch (cause) {
    throw new TopofrError("E_FILE", unreadableFolder(path, cause), { cause });
  }
}

function unreadableFolder(path: string, cause: unknown): string {
  const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
  if (code === "ENOENT") return `${path}: no such folder; ${LAYOUT}`;
  if (code === "ENOTDIR") return `${path}: is a file, not a folder; ${LAYOUT}`;
  return `${path}: the folder cannot be read (${code}); check its permissions`;
}

/** Order that does not depend on the machine's language. */
export function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
