// Which tar files make a set: one, all of a folder, or a numbered pattern. Looks at names only.
import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileError, TopofrError } from "@topofr/formats";
import { byCodeUnit } from "./folderListing.js";

const MOST_SHARDS = 100_000;
const RANGE = /\{(\d+)\.\.(\d+)\}/g;

/** Whether a path is a pattern like `faces-{000..009}.tar`. */
export function isShardPattern(path: string): boolean {
  return path.search(RANGE) >= 0;
}

/**
 * The paths that a pattern stands for, each `{first..last}` replaced by the numbers in between, written with as many digits as
 * `first`: `a-{08..10}.tar` is a-08.tar, a-09.tar, a-10.tar.
 *
 * @throws E_USAGE when a range runs backwards or stands for more than 100,000 files
 */
export function expandShardPattern(pattern: string): string[] {
  let paths = [""];
  let done = 0;
  for (const match of pattern.matchAll(RANGE)) {
    const [text, first, last] = match as unknown as [string, string, string];
    const count = Number(last) - Number(first) + 1;
    if (!(count >= 1 && count * paths.length <= MOST_SHARDS)) {
      throw new TopofrError(
        "E_USAGE",
        `${pattern}: "${text}" stands for ${Math.max(0, count)} files; expected {first..last} with first <= last, ` +
          `and at most ${MOST_SHARDS} files`,
      );
    }
    const before = pattern.slice(done, match.index);
    const numbers = Array.from({ length: count }, (_, i) =>
      String(Number(first) + i).padStart(first.length, "0"),
    );
    paths = paths.flatMap((path) => numbers.map((number) => path + before + number));
    done = match.index + text.length;
  }
  return paths.map((path) => path + pattern.slice(done));
}

/** Absolute paths of the `.tar` files directly in a folder, sorted by code unit. */
export async function shardsInFolder(folder: string): Promise<string[]> {
  try {
    const names = (await readdir(folder)).filter((name) => /\.tar$/i.test(name) && !name.startsWith("."));
    return names.sort(byCodeUnit).map((name) => join(resolve(folder), name));
  } catch (error) {
    throw fileError(folder, "list the folder", error);
  }
}
