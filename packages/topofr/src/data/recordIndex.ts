// Where the records of a RecordIO file are: from its .idx, or from a scan when that is missing or wrong. Labels: recordLabels.ts.
import { closeSync, openSync, readSync } from "node:fs";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import {
  fileError,
  isSystemError,
  RECORD_MAGIC,
  type RecordIndex,
  readRecordIndex,
  recordLengths,
  scanRecordIndex,
  TopofrError,
  writeFileAtomic,
} from "@topofr/formats";
import type { DatasetOptions } from "./datasetOptions.js";
import { fingerprintOf, isSettled, readListing, sectionOf, writeListing } from "./listingCache.js";

const PROBES = 256; // records whose beginning is looked at to see whether an index fits its file
const WRITE_LINES = 65536;

/** A RecordIO file and the places of its records. */
export interface RecordFile {
  path: string;
  size: number;
  modifiedMs: number;
  /** [records] in ascending order. */
  keys: Float64Array;
  /** [records] byte of each record's magic. */
  offsets: Float64Array;
  /** [records] bytes from each offset on that hold the whole record, and may hold more. */
  lengths: Float64Array;
  /** The keys come from a scan, not from the index. */
  scanned: boolean;
  warnings: string[];
}

export function indexPathOf(recPath: string): string {
  return `${recPath.replace(/\.rec$/i, "")}.idx`;
}

/**
 * The records that the .idx beside the file names. When there is none, or it does not fit the file, all of the file is scanned and
 * a warning says so.
 *
 * @throws E_FILE when the .rec is missing or unreadable; E_FORMAT when it had to be scanned and is broken
 */
export async function openRecordFile(path: string, options: DatasetOptions): Promise<RecordFile> {
  const status = await statFile(path);
  const indexPath = indexPathOf(path);
  let problem: string;
  try {
    const index = await readRecordIndex(indexPath);
    const lengths = recordLengths(index, status.size, indexPath);
    const found = indexProblem(path, index);
    if (found === null) return { path, ...status, ...index, lengths, scanned: false, warnings: [] };
    problem = `${indexPath}: ${found}`;
  } catch (error) {
    if (!(error instanceof TopofrError)) throw error;
    const absent = isSystemError(error.cause) && error.cause.code === "ENOENT";
    if (error.code === "E_FILE" && !absent) throw error;
    problem = absent ? `${indexPath} is missing` : error.message;
  }
  return scanRecordFile(path, problem, options);
}

/** The records found by reading all of the file. `problem` says why, for the warning. */
export async function scanRecordFile(
  path: string,
  problem: string,
  options: DatasetOptions,
): Promise<RecordFile> {
  const status = await statFile(path);
  const { cache = true, onProgress } = options;
  const fingerprint = fingerprintOf([status.size, status.modifiedMs]);
  const key = { kind: "record-index", path, fingerprint };
  const kept = cache ? await readListing(key) : null;
  const warnings = [
    `${problem}; its records were found by reading the whole file ("topofr data info --write-index" writes the index)`,
  ];
  if (kept?.sections.length === 2) {
    const [keys, offsets] = kept.sections.map((bytes) => new Float64Array(bytes.buffer)) as [
      Float64Array,
      Float64Array,
    ];
    return {
      path,
      ...status,
      keys,
      offsets,
      lengths: recordLengths({ keys, offsets }, status.size, path),
      scanned: true,
      warnings,
    };
  }
  const doing = `${problem}; scanning ${basename(path)}`;
  const index = await scanRecordIndex(path, {
    onProgress: (done: number, total: number) => onProgress?.(doing, done, total),
  });
  if (cache && isSettled(status.modifiedMs)) {
    const sections = [sectionOf(index.keys), sectionOf(index.offsets)];
    const warning = await writeListing(key, { note: null, sections });
    if (warning !== null) warnings.push(warning);
  }
  return {
    path,
    ...status,
    ...index,
    lengths: recordLengths(index, status.size, path),
    scanned: true,
    warnings,
  };
}

/** Writes the .idx beside the file: `key<TAB>offset` lines in ascending order of key. Returns its path. */
export async function writeRecordIndex({ path, keys, offsets }: RecordFile): Promise<string> {
  function* lines(): Generator<Uint8Array> {
    for (let first = 0; first < keys.length; first += WRITE_LINES) {
      let text = "";
      for (let i = first; i < Math.min(keys.length, first + WRITE_LINES); i++)
        text += `${keys[i]}\t${offsets[i]}\n`;
      yield Buffer.from(text);
    }
  }
  const indexPath = indexPathOf(path);
  await writeFileAtomic(indexPath, lines());
  return indexPath;
}

/** The record with that key; -1 when there is none. */
export function findRecord({ keys }: RecordFile, key: number): number {
  const place = placeOf(keys, key);
  return keys[place] === key ? place : -1;
}

/** The last place whose value is at most `value`; -1 when all are above. */
export function placeOf(ascending: Float64Array, value: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ascending[middle]! <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Why an index cannot belong to its file, or null. Looks at the beginnings of some of the records. */
function indexProblem(path: string, { keys, offsets }: RecordIndex): string | null {
  const descriptor = openFile(path);
  try {
    const start = new DataView(new ArrayBuffer(4));
    const step = Math.max(1, (keys.length - 1) / PROBES);
    for (let probe = 0; probe < keys.length; probe += step) {
      const record = Math.round(probe);
      readSync(descriptor, start, 0, 4, offsets[record]!);
      const found = start.getUint32(0, true);
      if (found === RECORD_MAGIC) continue;
      return (
        `key ${keys[record]} is said to be at byte ${offsets[record]}, where there is 0x${found.toString(16)} ` +
        `instead of the magic number 0x${RECORD_MAGIC.toString(16)}`
      );
    }
    return null;
  } catch (error) {
    throw fileError(path, "read the file", error);
  } finally {
    closeSync(descriptor);
  }
}

async function statFile(path: string): Promise<{ size: number; modifiedMs: number }> {
  try {
    const { size, mtimeMs } = await stat(path);
    return { size, modifiedMs: mtimeMs };
  } catch (error) {
    throw fileError(path, "open the file", error);
  }
}

function openFile(path: string): number {
  try {
    return openSync(path, "r");
  } catch (error) {
    throw fileError(path, "open the file", error);
  }
}
