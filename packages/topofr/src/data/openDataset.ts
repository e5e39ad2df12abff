// Opens a set of training faces, in whichever form it is: image folder, RecordIO, tar shards, or a list of such sets, and takes of it
// what is wanted. Decides which; the forms themselves: imageFolder.ts, recordDataset.ts, tarDataset.ts, mergedDataset.ts.
import { readdir, stat } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { fileError, isSystemError, TopofrError } from "@topofr/formats";
import type { DatasetOptions } from "./datasetOptions.js";
import { type IdentityLists, identityFilter } from "./identityFilter.js";
import { type ImageFolder, openImageFolder } from "./imageFolder.js";
import { shareOfImages } from "./imageShare.js";
import { isSetList, type MergedDataset, openMergedDataset } from "./mergedDataset.js";
import { openRecordDataset, type RecordDataset } from "./recordDataset.js";
import { openTarDataset, type TarDataset } from "./tarDataset.js";
import { expandShardPattern, isShardPattern, shardsInFolder } from "./tarShards.js";

type SingleDataset = ImageFolder | RecordDataset | TarDataset;
export type OpenedDataset = SingleDataset | MergedDataset;

export interface OpenOptions extends Omit<DatasetOptions, "isWanted">, IdentityLists {
  /** Of each person's images, above 0 (imageShare.ts). Null: all. */
  share?: number | null;
}

const FORMS =
  "expected a folder with one folder of images per person, a RecordIO file (.rec, or a folder with train.rec), or tar files " +
  "(.tar, a folder of them, or name-{000..009}.tar), or a list of such sets (.yaml)";

/** Compressed or other archives, and what to do with them. */
const UNPACK = "images cannot be read from within it; unpack it first, and give the folder";

/** End of the name of a file in a folder, or beside files, that are still being written (pack/target.ts, synthetic/writeWorld.ts). */
export const UNFINISHED = "unfinished.json";

/**
 * @param path image folder; `.rec`, or a folder with train.rec (or a single other .rec); `.tar`, a folder of .tar files, or a pattern
 *   like `faces-{000..009}.tar`; or a list of these, `.yaml`
 * @throws E_FILE nothing is there, or it cannot be read; E_DATA something else is there, with what to do; E_FORMAT it is broken
 */
export async function openDataset(path: string, options: OpenOptions = {}): Promise<OpenedDataset> {
  const { only = null, without = null, share = null, ...rest } = options;
  const filter = await identityFilter({ only, without });
  const opening: DatasetOptions = { ...rest, ...(filter && { isWanted: filter.isWanted }) };
  const whole = isSetList(path)
    ? await openMergedDataset(path, opening, openSingle)
    : await openSingle(path, opening);
  const dataset = share === null ? whole : shareOfImages(whole, share);
  return filter === null ? dataset : { ...dataset, warnings: [...dataset.warnings, ...filter.check(path)] };
}

async function openSingle(path: string, options: DatasetOptions): Promise<SingleDataset> {
  const status = await stat(path).catch((error: unknown) => {
    if (isSystemError(error) && error.code === "ENOENT" && isShardPattern(path)) return null;
    throw fileError(path, "open the data set", error);
  });
  if (status === null) return openTarDataset(path, expandShardPattern(path), options);
  if (!status.isDirectory()) return openFile(path, options);
  const entries = await readdir(path, { withFileTypes: true }).catch((error: unknown) => {
    throw fileError(path, "list the folder", error);
  });
  const names = entries.map(({ name }) => name);
  const mark = names.find((name) => name.endsWith(UNFINISHED));
  if (mark !== undefined) {
    throw new TopofrError(
      "E_DATA",
      `${path}: is not complete (${mark} is in it): the command that was writing it is still running, or was stopped; ` +
        "run that again with --overwrite",
    );
  }
  const records = names.filter((name) => /\.rec$/i.test(name));
  if (records.includes("train.rec")) return openRecordDataset(join(path, "train.rec"), options);
  if (records.length === 1) return openRecordDataset(join(path, records[0]!), options);
  if (records.length > 1)
    throw wrong(path, `holds several RecordIO files (${records.join(", ")}); name one of them`);
  const shards = await shardsInFolder(path);
  if (shards.length > 0) {
    const inside = entries.find((entry) => entry.isDirectory() && !entry.name.startsWith("."));
    if (inside === undefined) return openTarDataset(path, shards, options);
    throw wrong(
      path,
      `holds tar files (${basename(shards[0]!)}) and folders (${inside.name}); name the tar files, as name-{000..009}.tar or one by one, or move them away`,
    );
  }
  const lonely = names.find((name) => /\.idx$/i.test(name) || name === "property");
  if (lonely !== undefined)
    throw wrong(path, `holds ${lonely}, but no .rec file, which has the images; copy that as well`);
  return openImageFolder(path, options);
}

function openFile(path: string, options: DatasetOptions): Promise<SingleDataset> {
  const name = basename(path);
  const ending = extname(name).toLowerCase();
  if (ending === ".rec") return openRecordDataset(path, options);
  if (ending === ".tar") return openTarDataset(path, [path], options);
  if (isSetList(path))
    throw wrong(path, "is a list of data sets, which cannot be in another list; name its sets there");
  if (ending === ".idx")
    throw wrong(path, `is an index, without images; give ${name.slice(0, -4)}.rec beside it`);
  if (name === "property") throw wrong(path, "only states a size; give the .rec beside it, or the folder");
  if (ending === ".lst")
    throw wrong(
      path,
      "is a list of images, not the images; give the .rec made from it, or the folder of images",
    );
  if (ending === ".bin") {
    throw wrong(
      path,
      `is a benchmark of pairs; "topofr evaluate" reads it, "topofr data pairs ${name} <folder>" unpacks it`,
    );
  }
  if (/\.(zip|7z|rar|tgz|gz|bz2|xz|zst|txz)$/.test(ending)) throw wrong(path, `is compressed: ${UNPACK}`);
  throw wrong(path, `is a file that is no data set; ${FORMS}`);
}

function wrong(path: string, what: string): TopofrError {
  return new TopofrError("E_DATA", `${path}: ${what}`);
}
