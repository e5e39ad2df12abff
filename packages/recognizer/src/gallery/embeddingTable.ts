// Embeddings with words about each, in files that other programs read:
//   .npz    "embeddings" [rows, dimension] float32; a member for each column: numbers as float64, text as UTF-8 bytes, a line a row
//           (the column "name" is the member "names", as topofr evaluate reads it)
//   .csv    a header; the columns, then e0, e1, …
//   .jsonl  an object a line: the columns, then "embedding": [ … ]
// Reading .csv: csv.ts.
import { extname } from "node:path";
import { type NpyArray, readNpz, TopofrError, writeFileAtomic, writeNpz } from "@topofr/formats";
import { csvLine, csvRows } from "./csv.js";
import { textLines } from "./textChunks.js";

export type CellValue = string | number;

export interface EmbeddingRow {
  /** One for each column. Text has no line breaks. */
  values: readonly CellValue[];
  /** [dimension] */
  embedding: Float32Array;
}

export interface EmbeddingRows {
  dimension: number;
  columns: readonly string[];
  rows: Iterable<EmbeddingRow>;
}

export interface EmbeddingTable extends EmbeddingRows {
  rows: EmbeddingRow[];
}

export const TABLE_FILES: readonly string[] = [".npz", ".csv", ".jsonl"];

const EMBEDDINGS = "embeddings";
const OWNER_ONLY = 0o600;
const MAX_DIMENSION = 65_536;
/** Significant digits that tell every float32 from its neighbours. */
const DIGITS = 9;

/** Atomic; readable by the file's owner alone. @throws E_USAGE for another ending; E_FILE */
export async function writeEmbeddingTable(path: string, table: EmbeddingRows): Promise<void> {
  const options = { mode: OWNER_ONLY };
  switch (tableEnding(path)) {
    case ".npz":
      return writeNpz(path, npzArrays(table), options);
    case ".csv":
      return writeFileAtomic(path, csvText(table), options);
    case ".jsonl":
      return writeFileAtomic(path, jsonLines(table), options);
  }
}

/** @throws E_FILE; E_FORMAT naming line or member; E_USAGE for another ending */
export async function readEmbeddingTable(path: string): Promise<EmbeddingTable> {
  switch (tableEnding(path)) {
    case ".npz":
      return tableOfArrays(path, await readNpz(path));
    case ".csv":
      return tableOfCsv(path);
    case ".jsonl":
      return tableOfJson(path);
  }
}

/** @throws E_USAGE when no table has this ending */
export function tableEnding(path: string): ".npz" | ".csv" | ".jsonl" {
  const ending = extname(path).toLowerCase();
  if (ending === ".npz" || ending === ".csv" || ending === ".jsonl") return ending;
  throw new TopofrError("E_USAGE", `${path}: expected a ${TABLE_FILES.join(", ")} file`);
}

function npzArrays({ dimension, columns, rows }: EmbeddingRows): Record<string, NpyArray> {
  const all = [...rows];
  const embeddings = new Float32Array(all.length * dimension);
  all.forEach(({ embedding }, row) => {
    embeddings.set(embedding, row * dimension);
  });
  const words = columns.map((column, k): [string, NpyArray] => {
    const values = all.map((row) => row.values[k]!);
    if (values.length > 0 && values.every((value) => typeof value === "number")) {
      const data = bytesOf(Float64Array.from(values));
      return [memberName(column), { dtype: "float64", shape: [values.length], data }];
    }
    const text = Buffer.from(values.join("\n"));
    return [memberName(column), { dtype: "uint8", shape: [text.length], data: text }];
  });
  const matrix: NpyArray = { dtype: "float32", shape: [all.length, dimension], data: bytesOf(embeddings) };
  return { [EMBEDDINGS]: matrix, ...Object.fromEntries(words) };
}

const memberName = (column: string): string => (column === "name" ? "names" : column);
const columnName = (member: string): string => (member === "names" ? "name" : member);
const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array | Float64Array) =>
  new Uint8Array(buffer, byteOffset, byteLength);

function tableOfArrays(path: string, arrays: Map<string, NpyArray>): EmbeddingTable {
  const fail = (message: string) => new TopofrError("E_FORMAT", `${path}: ${message}`);
  const matrix = arrays.get(EMBEDDINGS);
  if (matrix?.dtype !== "float32" || matrix.shape.length !== 2)
    throw fail(
      `expected "${EMBEDDINGS}", float32 [rows, dimension]; it has ${[...arrays.keys()].join(", ") || "nothing"}`,
    );
  const [count, dimension] = matrix.shape as [number, number];
  if (dimension < 1 || dimension > MAX_DIMENSION) throw fail(`embeddings of ${dimension} numbers`);
  const embeddings = new Float32Array(new Uint8Array(matrix.data).buffer);
  const others = [...arrays].filter(([member]) => member !== EMBEDDINGS);
  const columns = others.map(([member, array]): CellValue[] => {
    const values = cellsOf(array, count);
    if (values !== null) return values;
    const found = `${array.dtype} [${array.shape.join(", ")}]`;
    throw fail(`"${member}" is ${found}; expected ${count} lines of text, or ${count} float64`);
  });
  const rows = Array.from({ length: count }, (_, row) => ({
    values: columns.map((values) => values[row]!),
    embedding: embeddings.subarray(row * dimension, (row + 1) * dimension),
  }));
  return { dimension, columns: others.map(([member]) => columnName(member)), rows };
}

/** Null when the array is no column of `count` rows. */
function cellsOf({ dtype, shape, data }: NpyArray, count: number): CellValue[] | null {
  if (shape.length !== 1) return null;
  if (dtype === "float64")
    return shape[0] === count ? [...new Float64Array(new Uint8Array(data).buffer)] : null;
  if (dtype !== "uint8") return null;
  const lines = data.length === 0 && count === 0 ? [] : Buffer.from(data).toString("utf8").split("\n");
  return lines.length === count ? lines : null;
}

const shortest = (value: number): number => Number(value.toPrecision(DIGITS));

function* csvText({ dimension, columns, rows }: EmbeddingRows): Generator<Uint8Array> {
  const numbers = Array.from({ length: dimension }, (_, i) => `e${i}`);
  yield Buffer.from(csvLine([...columns, ...numbers]));
  for (const { values, embedding } of rows)
    yield Buffer.from(
      csvLine([...values.map(String), ...Array.from(embedding, (value) => String(shortest(value)))]),
    );
}

async function tableOfCsv(path: string): Promise<EmbeddingTable> {
  const rows: EmbeddingRow[] = [];
  let columns: string[] | null = null;
  let dimension = 0;
  for await (const { line, cells } of csvRows(path)) {
    const fail = (message: string) => new TopofrError("E_FORMAT", `${path}:${line}: ${message}`);
    if (columns === null) {
      const first = cells.findIndex(
        (cell, i) => cell === "e0" && cells.slice(i).every((one, k) => one === `e${k}`),
      );
      if (first < 0) throw fail("expected a header that ends in e0, e1, … for the numbers of the embedding");
      columns = cells.slice(0, first);
      dimension = cells.length - first;
      if (dimension > MAX_DIMENSION) throw fail(`embeddings of ${dimension} numbers`);
      continue;
    }
    if (cells.length !== columns.length + dimension)
      throw fail(`${cells.length} cells, the header has ${columns.length + dimension}`);
    const numbers = cells.slice(columns.length);
    const embedding = Float32Array.from(numbers, (text) => (text.trim() === "" ? Number.NaN : Number(text)));
    const wrong = embedding.findIndex((value) => !Number.isFinite(value));
    if (wrong >= 0) throw fail(`e${wrong} is "${numbers[wrong]!.slice(0, 30)}"; expected a number`);
    rows.push({ values: cells.slice(0, columns.length), embedding });
  }
  if (columns === null) throw new TopofrError("E_FORMAT", `${path}: the file is empty`);
  return { dimension, columns, rows };
}

function* jsonLines({ columns, rows }: EmbeddingRows): Generator<Uint8Array> {
  for (const { values, embedding } of rows) {
    const words = Object.fromEntries(columns.map((column, k) => [column, values[k]]));
    yield Buffer.from(`${JSON.stringify({ ...words, embedding: Array.from(embedding, shortest) })}\n`);
  }
}

async function tableOfJson(path: string): Promise<EmbeddingTable> {
  const rows: EmbeddingRow[] = [];
  let columns: string[] | null = null;
  let dimension = 0;
  for await (const { line, text } of textLines(path)) {
    const fail = (message: string) => new TopofrError("E_FORMAT", `${path}:${line}: ${message}`);
    const { embedding, ...words } = parseObject(text) ?? {};
    if (
      !Array.isArray(embedding) ||
      embedding.length === 0 ||
      !embedding.every((value) => Number.isFinite(value))
    )
      throw fail('expected an object with "embedding", a list of numbers');
    if (columns === null) {
      [columns, dimension] = [Object.keys(words), embedding.length];
      if (dimension > MAX_DIMENSION) throw fail(`an embedding of ${dimension} numbers`);
    }
    if (embedding.length !== dimension)
      throw fail(`an embedding of ${embedding.length} numbers, the first line's has ${dimension}`);
    const foreign = Object.keys(words).find((key) => !columns!.includes(key));
    if (foreign !== undefined) throw fail(`"${foreign.slice(0, 60)}" is not in the first line`);
    const values = columns.map((column): CellValue => {
      const value = words[column] ?? "";
      if (typeof value === "string" || typeof value === "number") return value;
      throw fail(`"${column}" is neither text nor a number`);
    });
    rows.push({ values, embedding: Float32Array.from(embedding) });
  }
  if (columns === null) throw new TopofrError("E_FORMAT", `${path}: the file is empty`);
  return { dimension, columns, rows };
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : null;
  } catch {
    return null;
  }
}
