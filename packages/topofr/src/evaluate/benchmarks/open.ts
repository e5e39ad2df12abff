// Which benchmark a path is. Opening each kind: the files beside this one. Those that need the engine are loaded when they are met,
// so that ONNX models are evaluated on pairs without it.
import { readdir, stat } from "node:fs/promises";
import { basename, dirname, extname, join, resolve } from "node:path";
import { fileError, TopofrError } from "@topofr/formats";
import type { Benchmark } from "../benchmark.js";
import { openFaceBin, openPairFolder, PAIR_LISTS } from "./pairs.js";

export interface OpenBenchmarkOptions {
  /** Pair list of an image folder. Default: pairs.txt, or pairs_label.txt, in it. */
  pairs?: string | null;
}

const MANIFESTS = [".csv", ".tsv"];
const IJB_META = /^ijb[bc]_face_tid_mid\.txt$/;
const EXPECTED =
  "expected a folder of images with pairs.txt (or --pairs), a .bin file, an IJB-B or IJB-C folder (meta/ and loose_crop/), or a " +
  "manifest of groups (.csv, .tsv)";

/**
 * Opens a benchmark and finds its images; none is decoded.
 *
 * @throws E_FILE when there is nothing or it cannot be read; E_DATA when it is no benchmark, or an image is missing or listed wrongly;
 *   E_FORMAT for a broken file; E_USAGE for a pair list of something that has its own
 */
export async function openBenchmark(path: string, options: OpenBenchmarkOptions = {}): Promise<Benchmark> {
  const { pairs = null } = options;
  const entry = await stat(path).catch((error) => {
    throw fileError(path, "open the benchmark", error);
  });
  const name = nameOf(path);
  const extension = extname(path).toLowerCase();
  if (entry.isDirectory()) {
    if (pairs !== null) return openPairFolder(name, path, pairs);
    if (await isIjb(path)) return (await import("./ijb.js")).openIjb(name, path);
    return openFolder(name, path);
  }
  if (pairs !== null)
    throw new TopofrError(
      "E_USAGE",
      `${path}: a pair list (${pairs}) belongs to a folder of images; this is a file`,
    );
  if (extension === ".bin") return openFaceBin(name, path);
  if (MANIFESTS.includes(extension)) return (await import("./groups.js")).openGroups(name, path);
  const hint = (PAIR_LISTS as readonly string[]).includes(basename(path))
    ? `; a pair list goes with its images: --data ${dirname(path)} --pairs ${path}`
    : "";
  throw new TopofrError("E_DATA", `${path}: not a benchmark; ${EXPECTED}${hint}`);
}

async function openFolder(name: string, path: string): Promise<Benchmark> {
  const entries = await readdir(path).catch((error) => {
    throw fileError(path, "list the folder", error);
  });
  const list = PAIR_LISTS.find((candidate) => entries.includes(candidate));
  if (list !== undefined) return openPairFolder(name, path, join(path, list));
  const files = entries.filter((entry) => extname(entry) === ".bin").sort();
  const hint =
    files.length === 0 ? "" : `; it has ${files.join(", ")}: name one, such as ${join(path, files[0]!)}`;
  throw new TopofrError("E_DATA", `${path}: not a benchmark; ${EXPECTED}${hint}`);
}

/** IJB's meta files in it, or in its IJBB or IJBC folder (readIjbMeta says so when both are there). */
async function isIjb(path: string): Promise<boolean> {
  for (const folder of [path, join(path, "IJBB"), join(path, "IJBC")]) {
    const names = await readdir(join(folder, "meta")).catch((): string[] => []);
    if (names.some((name) => IJB_META.test(name))) return true;
  }
  return false;
}

/** "lfw" of "../data/lfw/", "agedb_30" of "faces/agedb_30.bin"; also as a file's name. */
function nameOf(path: string): string {
  const last = basename(resolve(path));
  const plain = last.replace(/\.(bin|csv|tsv)$/i, "").replace(/[^\w.-]/g, "_");
  return plain === "" ? "data" : plain;
}
