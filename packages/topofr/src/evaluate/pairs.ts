// Verification pairs with their images found on disk. The forms of a list are in pairList.ts. Images are
// looked for by name, not decoded.

import { readdir, readFile } from "node:fs/promises";
import { basename, dirname, extname, isAbsolute, join } from "node:path";
import { TopofrError } from "@topofr/formats";
import { type ImageSource, imageFile } from "../data/imageSource.js";
import { IMAGE_EXTENSIONS, type ListedPair, type PairFormat, parsePairs } from "./pairList.js";

/** Pairs of images to verify. Images are listed once each; pairs refer to them by position. */
export interface PairSet {
  /** The distinct images. */
  images: ImageSource[];
  first: Uint32Array;
  second: Uint32Array;
  /** 1 when both images show one person, else 0. */
  same: Uint8Array;
  /** Cross-validation folds; they are contiguous parts of the pairs. */
  folds: number;
  /** Oddities that do not forbid an evaluation; whole sentences. */
  warnings: string[];
}

/** Folds of a list that states none. */
export const DEFAULT_FOLDS = 10;
/** How many missing images an error lists by name. */
const MISSING_SHOWN = 5;

/**
 * Reads a pair list and resolves its images under `root`. The format is recognised from the lines unless
 * given. A list without folds gets ten: its same and different pairs are interleaved in proportion (each
 * kind keeps its order), so that every contiguous fold holds its share of both. A pair listed twice counts
 * twice, and a warning says so.
 *
 * Errors: E_FILE (list or folder unreadable), E_FORMAT (a line or the counts are wrong), E_DATA (missing
 * images, an image paired with itself, a pair called both same and different).
 */
export async function readPairs(
  listPath: string,
  root: string,
  options: { format?: PairFormat } = {},
): Promise<PairSet> {
  let text: string;
  try {
    text = await readFile(listPath, "utf8");
  } catch (cause) {
    throw new TopofrError("E_FILE", `${listPath}: cannot read the pair list (${reason(cause)})`, { cause });
  }
  const { pairs, folds } = parsePairs(text, listPath, options);
  const warnings = checkPairs(pairs, listPath);
  const isFolded = folds !== null && folds > 1;
  const resolved = await resolveImages(isFolded ? pairs : interleave(pairs), root, listPath);
  return { ...resolved, folds: isFolded ? folds : DEFAULT_FOLDS, warnings };
}

/** Refuses contradictions; returns a warning when pairs are repeated. */
function checkPairs(pairs: ListedPair[], name: string): string[] {
  const seen = new Map<string, ListedPair>();
  const repeated: string[] = [];
  for (const pair of pairs) {
    if (pair.first === pair.second) {
      throw new TopofrError(
        "E_DATA",
        `${name}:${pair.line}: "${pair.first}" is paired with itself; its distance is 0 by construction`,
      );
    }
    const key = pair.first < pair.second ? `${pair.first}\n${pair.second}` : `${pair.second}\n${pair.first}`;
    const other = seen.get(key);
    if (other !== undefined && other.same !== pair.same) {
      throw new TopofrError(
        "E_DATA",
        `${name}: "${pair.first}" and "${pair.second}" are called ${other.same ? "same" : "different"} ` +
          `on line ${other.line} and ${pair.same ? "same" : "different"} on line ${pair.line}`,
      );
    }
    if (other !== undefined) repeated.push(`line ${pair.line} repeats line ${other.line}`);
    else seen.set(key, pair);
  }
  return repeated.length === 0 ? [] : [repeatedPairs(name, repeated)];
}

/** The warning that pairs occur more than once. `places` says where, one text per repetition. */
export function repeatedPairs(name: string, places: readonly string[]): string {
  return `${name}: a pair that is listed twice counts twice (${firstOf(places)})`;
}

/** The first of some places, and how many there are beside it. */
export function firstOf(places: readonly string[]): string {
  return places.length > 1 ? `${places[0]} and ${places.length - 1} more` : `${places[0]}`;
}

/** Same and different pairs merged so that any prefix holds them in the proportion of the whole. */
function interleave(pairs: ListedPair[]): ListedPair[] {
  const own = pairs.filter((pair) => pair.same);
  const other = pairs.filter((pair) => !pair.same);
  return pairs.map((_, i) => {
    const ownBefore = Math.ceil((i * own.length) / pairs.length);
    const takeOwn = Math.ceil(((i + 1) * own.length) / pairs.length) > ownBefore;
    return takeOwn ? own[ownBefore]! : other[i - ownBefore]!;
  });
}

async function resolveImages(
  pairs: ListedPair[],
  root: string,
  listPath: string,
): Promise<Omit<PairSet, "folds" | "warnings">> {
  const finder = new ImageFinder(root);
  const images: ImageSource[] = [];
  const positions = new Map<string, number>();
  const missing: string[] = [];
  const position = async (image: string): Promise<number> => {
    const known = positions.get(image);
    if (known !== undefined) return known;
    const found = await finder.find(image);
    if (found === null) missing.push(image);
    const place = images.push(imageFile(found ?? image)) - 1;
    positions.set(image, place);
    return place;
  };
  const first = new Uint32Array(pairs.length);
  const second = new Uint32Array(pairs.length);
  for (const [k, pair] of pairs.entries()) {
    first[k] = await position(pair.first);
    second[k] = await position(pair.second);
  }
  if (missing.length > 0) {
    const shown = missing.slice(0, MISSING_SHOWN).join(", ");
    const more = missing.length > MISSING_SHOWN ? ", …" : "";
    throw new TopofrError(
      "E_DATA",
      `${listPath}: ${missing.length} of ${images.length} images are not under ${root} (${shown}${more}); ` +
        `looked for ${IMAGE_EXTENSIONS.join(", ")}`,
    );
  }
  return { images, first, second, same: Uint8Array.from(pairs, (pair) => Number(pair.same)) };
}

/** Finds images by name, with the other extensions as fallback after the listed one; reads each folder once. */
class ImageFinder {
  private readonly folders = new Map<string, Set<string>>();

  constructor(private readonly root: string) {}

  async find(image: string): Promise<string | null> {
    const folder = dirname(image);
    const names = await this.list(folder);
    const listed = basename(image);
    const extension = extname(listed);
    const stem = IMAGE_EXTENSIONS.includes(extension.toLowerCase()) ? basename(listed, extension) : listed;
    const name = [listed, ...IMAGE_EXTENSIONS.map((other) => stem + other)].find((choice) =>
      names.has(choice),
    );
    return name === undefined ? null : join(this.path(folder), name);
  }

  /** Absolute folders in a list stay as they are. */
  private path(folder: string): string {
    return isAbsolute(folder) ? folder : join(this.root, folder);
  }

  private async list(folder: string): Promise<Set<string>> {
    const known = this.folders.get(folder);
    if (known !== undefined) return known;
    const path = this.path(folder);
    let names: Set<string>;
    try {
      names = new Set(await readdir(path));
    } catch (cause) {
      if (!isAbsent(cause)) {
        throw new TopofrError("E_FILE", `${path}: cannot list the folder (${reason(cause)})`, { cause });
      }
      names = new Set();
    }
    this.folders.set(folder, names);
    return names;
  }
}

function isAbsent(cause: unknown): boolean {
  const code = (cause as NodeJS.ErrnoException).code;
  return code === "ENOENT" || code === "ENOTDIR";
}

function reason(cause: unknown): string {
  return (cause as NodeJS.ErrnoException).code ?? String(cause);
}
