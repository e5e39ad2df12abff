// Embeddings and scores in NumPy files, so that a benchmark can be evaluated again without model and images:
//   .npz  embeddings [images, dimension] and, optionally, names: the images' names, one a line, as UTF-8 bytes (uint8)
//   .npz  scores [pairs] and same [pairs], and optionally folds: a number, 0 for the IJB protocol
//   .npy  embeddings (two dimensions) or scores (one) alone
import { extname } from "node:path";
import { type NpyArray, readNpy, readNpz, TopofrError, writeNpy, writeNpz } from "@topofr/formats";
import { type Benchmark, imageNames, type PairScores } from "./benchmark.js";
import type { Scores } from "./roc.js";

export interface SavedEmbeddings {
  kind: "embeddings";
  path: string;
  /** [rows, dimension] */
  rows: Float32Array;
  dimension: number;
  /** Name of each row; null: rows are in the benchmark's order. */
  names: string[] | null;
}

export interface SavedScores {
  kind: "scores";
  path: string;
  scores: Scores;
  /** Null in a .npy file: the benchmark says. */
  same: Uint8Array | null;
  folds: number | null;
}

/** How many names an error lists. */
const NAMES_SHOWN = 3;

export const SAVED_FILES: readonly string[] = [".npz", ".npy"];

export function isSavedPath(path: string): boolean {
  return SAVED_FILES.includes(extname(path).toLowerCase());
}

/**
 * Writes by the path's ending: .npz with the names, .npy without. Atomic.
 *
 * @param embeddings [names.length, dimension]
 */
export async function writeEmbeddings(
  path: string,
  embeddings: Float32Array,
  dimension: number,
  names: readonly string[],
): Promise<void> {
  const array = plainArray(embeddings, [names.length, dimension]);
  if (extname(path).toLowerCase() === ".npy") return writeNpy(path, array);
  const text = Buffer.from(names.join("\n"));
  await writeNpz(path, { embeddings: array, names: { dtype: "uint8", shape: [text.length], data: text } });
}

/** Writes by the path's ending: .npz with flags and folds, .npy with the scores alone. Atomic. */
export async function writeScores(path: string, { scores, same, folds }: PairScores): Promise<void> {
  const array = plainArray(scores, [scores.length]);
  if (extname(path).toLowerCase() === ".npy") return writeNpy(path, array);
  await writeNpz(path, {
    scores: array,
    same: { dtype: "uint8", shape: [same.length], data: same },
    folds: { dtype: "int32", shape: [], data: new Uint8Array(Int32Array.of(folds).buffer) },
  });
}

/** @throws E_FILE, E_FORMAT; E_DATA when the arrays are not what the header of this file says */
export async function readSaved(path: string): Promise<SavedEmbeddings | SavedScores> {
  if (extname(path).toLowerCase() === ".npy") {
    const array = await readNpy(path);
    return array.shape.length === 2
      ? { kind: "embeddings", path, ...matrixOf(array, path), names: null }
      : { kind: "scores", path, scores: scoresOf(array, path), same: null, folds: null };
  }
  const arrays = await readNpz(path);
  const [embeddings, scores] = [arrays.get("embeddings"), arrays.get("scores")];
  if (embeddings !== undefined) {
    const names = arrays.get("names");
    const matrix = matrixOf(embeddings, `${path}: embeddings`);
    const rows = matrix.rows.length / matrix.dimension;
    return {
      kind: "embeddings",
      path,
      ...matrix,
      names: names === undefined ? null : namesOf(names, rows, path),
    };
  }
  if (scores === undefined)
    throw new TopofrError(
      "E_DATA",
      `${path}: arrays ${[...arrays.keys()].join(", ") || "none"}; expected "embeddings" [images, dimension], or "scores" and "same" [pairs]`,
    );
  const values = scoresOf(scores, `${path}: scores`);
  return {
    kind: "scores",
    path,
    scores: values,
    same: flagsOf(arrays.get("same"), values.length, path),
    folds: foldsOf(arrays.get("folds"), path),
  };
}

/**
 * The rows of a benchmark's images, in its order: by name where the file has names (it may have more than the benchmark needs), else as
 * they are.
 *
 * @throws E_DATA when names are missing, or the number of rows is not that of the images
 */
export function embeddingsOf(saved: SavedEmbeddings, benchmark: Benchmark): Float32Array {
  const { path, rows, dimension, names } = saved;
  const count = rows.length / dimension;
  const wanted = benchmark.images.length;
  if (names === null) {
    if (count === wanted) return rows;
    throw new TopofrError(
      "E_DATA",
      `${path}: ${count} rows, but ${benchmark.name} has ${wanted} images; save them in the benchmark's order, or with "names"`,
    );
  }
  const rowOf = new Map(names.map((name, row) => [name, row]));
  const missing: string[] = [];
  const result = new Float32Array(wanted * dimension);
  imageNames(benchmark).forEach((name, image) => {
    const row = rowOf.get(name);
    if (row === undefined) missing.push(name);
    else result.set(rows.subarray(row * dimension, (row + 1) * dimension), image * dimension);
  });
  if (missing.length === 0) return result;
  const more = missing.length > NAMES_SHOWN ? ", …" : "";
  throw new TopofrError(
    "E_DATA",
    `${path}: no row for ${missing.length} of the ${wanted} images of ${benchmark.name} ` +
      `(${missing.slice(0, NAMES_SHOWN).join(", ")}${more}); its first row is "${names[0]}"`,
  );
}

/**
 * The scores with their flags, from the file and the benchmark; without a benchmark (null), from the file alone.
 *
 * @throws E_DATA when the numbers of pairs or the flags differ, or nothing says what the pairs are
 */
export function pairScoresOf(saved: SavedScores, benchmark: Benchmark | null): PairScores {
  const { path, scores } = saved;
  if (benchmark === null) {
    if (saved.same === null)
      throw new TopofrError(
        "E_DATA",
        `${path}: scores without flags; name the benchmark with --data, or save an .npz with "scores" and "same"`,
      );
    return { scores, same: saved.same, folds: saved.folds ?? 10 };
  }
  const { name, pairs } = benchmark;
  if (pairs === null)
    throw new TopofrError(
      "E_DATA",
      `${path}: ${name} compares all pairs of a group and has no list of pairs; save embeddings instead`,
    );
  if (pairs.same.length !== scores.length)
    throw new TopofrError(
      "E_DATA",
      `${path}: ${scores.length} scores, but ${name} has ${pairs.same.length} pairs`,
    );
  const wrong = saved.same?.findIndex((flag, k) => flag !== pairs.same[k]) ?? -1;
  if (wrong >= 0)
    throw new TopofrError(
      "E_DATA",
      `${path}: pair ${wrong} is called ${saved.same![wrong] === 1 ? "same" : "different"}, but not in ${name}; ` +
        "the scores are of other pairs",
    );
  return { scores, ...pairs };
}

function plainArray(values: Float32Array | Float64Array, shape: number[]): NpyArray {
  return {
    dtype: values instanceof Float32Array ? "float32" : "float64",
    shape,
    data: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
  };
}

function floatsOf({ dtype, data, shape }: NpyArray, place: string): Float32Array | Float64Array {
  // Copied where the bytes do not start at a multiple of the item's size.
  const aligned = data.byteOffset % 8 === 0 ? data : new Uint8Array(data);
  if (dtype === "float32") return new Float32Array(aligned.buffer, aligned.byteOffset, data.length / 4);
  if (dtype === "float64") return new Float64Array(aligned.buffer, aligned.byteOffset, data.length / 8);
  throw new TopofrError("E_DATA", `${place}: ${dtype} [${shape.join(", ")}]; expected float32 or float64`);
}

function matrixOf(array: NpyArray, place: string): { rows: Float32Array; dimension: number } {
  const { shape } = array;
  if (shape.length !== 2 || shape.includes(0))
    throw new TopofrError("E_DATA", `${place}: shape [${shape.join(", ")}]; expected [images, dimension]`);
  const values = floatsOf(array, place);
  return { rows: values instanceof Float32Array ? values : Float32Array.from(values), dimension: shape[1]! };
}

function scoresOf(array: NpyArray, place: string): Scores {
  const { shape } = array;
  if (shape.length !== 1 || shape[0] === 0)
    throw new TopofrError("E_DATA", `${place}: shape [${shape.join(", ")}]; expected [pairs]`);
  return floatsOf(array, place);
}

function flagsOf(array: NpyArray | undefined, pairs: number, path: string): Uint8Array {
  const found = array === undefined ? "is missing" : `is ${array.dtype} [${array.shape.join(", ")}]`;
  const isByte = array?.dtype === "uint8" || array?.dtype === "bool";
  if (!array || !isByte || array.shape.length !== 1 || array.shape[0] !== pairs)
    throw new TopofrError(
      "E_DATA",
      `${path}: "same" ${found}; expected bool or uint8 [${pairs}], one a score`,
    );
  const wrong = array.data.findIndex((flag) => flag > 1);
  if (wrong >= 0)
    throw new TopofrError(
      "E_DATA",
      `${path}: "same" of pair ${wrong} is ${array.data[wrong]}; expected 0 or 1`,
    );
  return array.data;
}

function foldsOf(array: NpyArray | undefined, path: string): number | null {
  if (array === undefined) return null;
  const { dtype, data } = array;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const folds =
    data.length === 4 && dtype === "int32"
      ? view.getInt32(0, true)
      : data.length === 8 && dtype === "int64"
        ? Number(view.getBigInt64(0, true))
        : Number.NaN;
  if (Number.isInteger(folds) && folds >= 0 && folds !== 1) return folds;
  throw new TopofrError(
    "E_DATA",
    `${path}: "folds" is ${Number.isNaN(folds) ? `${dtype} [${array.shape.join(", ")}]` : folds}; expected one int32 or int64: 0 (IJB) or 2 and more`,
  );
}

function namesOf(array: NpyArray, rows: number, path: string): string[] {
  if (array.dtype !== "uint8")
    throw new TopofrError(
      "E_DATA",
      `${path}: "names" is ${array.dtype}; expected UTF-8 bytes (uint8), one name a line`,
    );
  const names = Buffer.from(array.data).toString("utf8").replace(/\n$/, "").split("\n");
  if (names.length !== rows)
    throw new TopofrError("E_DATA", `${path}: ${names.length} names for ${rows} rows of embeddings`);
  const seen = new Map<string, number>();
  names.forEach((name, row) => {
    const other = seen.get(name);
    if (other !== undefined)
      throw new TopofrError("E_DATA", `${path}: rows ${other} and ${row} are both named "${name}"`);
    seen.set(name, row);
  });
  return names;
}
