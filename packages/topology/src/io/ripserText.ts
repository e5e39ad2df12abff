// Ripser's text formats: point cloud, lower and upper triangle, full matrix, sparse. Text in and out, no files.
// Source: `ripser --help` and ripser.cpp, version 1.2.1. Not here: Ripser's binary format (raw float32).

import { assertSquare } from "../distances.js";
import { TopologyError } from "../error.js";
import type { SparseDistances } from "../largeSets/sparseDistances.js";
import { formatError, numberLines, numberText } from "./numbers.js";

/** `[count, dimension]` row-major. */
export interface PointCloud {
  readonly count: number;
  readonly dimension: number;
  readonly points: Float64Array;
}

/** `[n, n]` row-major, symmetric, zero diagonal. */
export interface DistanceMatrix {
  readonly n: number;
  readonly distances: Float64Array;
}

/** Points of a matrix that is read; the matrix of so many takes 2 GiB. */
const MOST_POINTS = 16_384;

/**
 * `--format point-cloud`: one point a line.
 *
 * @throws TopologyError `E_FORMAT` for text that is not, naming the line.
 */
export function parsePointCloud(text: string, source = "point cloud"): PointCloud {
  const values: number[] = [];
  let [count, dimension] = [0, 0];
  for (const { line, values: point } of numberLines(text, source)) {
    if (count === 0) dimension = point.length;
    if (point.length !== dimension) {
      throw formatError(
        source,
        line,
        `${point.length} coordinates; ${dimension} expected, as in the first line`,
      );
    }
    for (const value of point) {
      if (!Number.isFinite(value))
        throw formatError(source, line, `coordinate ${value}; finite numbers expected`);
      values.push(value);
    }
    count++;
  }
  return { count, dimension, points: Float64Array.from(values) };
}

/** Inverse of {@link parsePointCloud}. */
export function formatPointCloud({ count, dimension, points }: PointCloud): string {
  return rowsText(count, (i) => points.subarray(i * dimension, (i + 1) * dimension), " ");
}

/**
 * `--format lower-distance`: the triangle below the diagonal, row after row: d(1,0), d(2,0), d(2,1), … Line breaks do
 * not matter.
 *
 * @throws TopologyError `E_FORMAT` for text that is not, naming the line.
 */
export function parseLowerDistances(text: string, source = "lower distances"): DistanceMatrix {
  const { n, values } = parseTriangle(text, source);
  const distances = new Float64Array(n * n);
  let next = 0;
  for (let i = 1; i < n; i++) for (let j = 0; j < i; j++) setBoth(distances, n, i, j, values[next++]!);
  return { n, distances };
}

/** Inverse of {@link parseLowerDistances}, a row a line. */
export function formatLowerDistances({ n, distances }: DistanceMatrix): string {
  assertSquare(distances, n, "distance matrix");
  return rowsText(Math.max(0, n - 1), (k) => distances.subarray((k + 1) * n, (k + 1) * n + k + 1), ",");
}

/** `--format upper-distance`: the triangle above the diagonal: d(0,1), d(0,2), …, d(1,2), … */
export function parseUpperDistances(text: string, source = "upper distances"): DistanceMatrix {
  const { n, values } = parseTriangle(text, source);
  const distances = new Float64Array(n * n);
  let next = 0;
  for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) setBoth(distances, n, i, j, values[next++]!);
  return { n, distances };
}

/** Inverse of {@link parseUpperDistances}, a row a line. */
export function formatUpperDistances({ n, distances }: DistanceMatrix): string {
  assertSquare(distances, n, "distance matrix");
  return rowsText(Math.max(0, n - 1), (i) => distances.subarray(i * n + i + 1, (i + 1) * n), ",");
}

/**
 * `--format distance`: the full matrix, a row a line. Ripser reads the part below the diagonal; so does this, and
 * it refuses a matrix whose other part differs by more than rounding, or whose diagonal is not 0.
 *
 * @throws TopologyError `E_FORMAT` for text that is not, naming the line.
 */
export function parseDistanceMatrix(text: string, source = "distance matrix"): DistanceMatrix {
  const rows: (readonly number[])[] = [];
  const lines: number[] = [];
  for (const { line, values } of numberLines(text, source)) {
    if (rows.length === 0) assertSize(values.length, source);
    const expected = rows[0]?.length ?? values.length;
    if (values.length !== expected || rows.length >= expected) {
      throw formatError(
        source,
        line,
        `row ${rows.length} of ${values.length} values; ${expected} rows of ${expected} values expected`,
      );
    }
    values.forEach((value, j) => {
      assertDistanceAt(value, source, line);
      const mirrored = rows[j]?.[rows.length];
      if (j === rows.length && value !== 0) {
        throw formatError(source, line, `the diagonal's entry (${j}, ${j}) is ${value}; 0 expected`);
      }
      if (
        mirrored !== undefined &&
        mirrored !== value &&
        !(Math.abs(mirrored - value) <= 1e-6 * (mirrored + value))
      ) {
        throw formatError(
          source,
          line,
          `entry (${rows.length}, ${j}) is ${value}, entry (${j}, ${rows.length}) is ${mirrored}; a symmetric matrix expected`,
        );
      }
    });
    rows.push(values);
    lines.push(line);
  }
  const n = rows.length;
  const expected = rows[0]?.length ?? 0;
  if (n !== expected)
    throw formatError(source, lines.at(-1)!, `the text ends after ${n} of ${expected} rows`);
  const distances = new Float64Array(n * n);
  for (let i = 1; i < n; i++) for (let j = 0; j < i; j++) setBoth(distances, n, i, j, rows[i]![j]!);
  return { n, distances };
}

/** Inverse of {@link parseDistanceMatrix}. */
export function formatDistanceMatrix({ n, distances }: DistanceMatrix): string {
  assertSquare(distances, n, "distance matrix");
  return rowsText(n, (i) => distances.subarray(i * n, (i + 1) * n), ",");
}

/**
 * `--format sparse`: lines `i j distance`, each pair once, in either order. n is one more than the largest index.
 *
 * @throws TopologyError `E_FORMAT` for text that is not, naming the line.
 */
export function parseSparseDistances(text: string, source = "sparse distances"): SparseDistances {
  const u: number[] = [];
  const v: number[] = [];
  const distance: number[] = [];
  const lineOf = new Map<number, number>();
  let n = 0;
  for (const { line, values } of numberLines(text, source)) {
    const [i, j, length] = values;
    if (i === undefined || j === undefined || length === undefined || values.length !== 3) {
      throw formatError(source, line, `${values.length} values; three expected: i j distance`);
    }
    for (const vertex of [i, j]) {
      if (!Number.isInteger(vertex) || vertex < 0 || vertex > MOST_VERTEX) {
        throw formatError(source, line, `vertex ${vertex}; a whole number of 0 to ${MOST_VERTEX} expected`);
      }
    }
    assertDistanceAt(length, source, line);
    if (i === j) {
      if (length === 0) continue; // the diagonal, which some writers list
      throw formatError(source, line, `vertex ${i} has the distance ${length} from itself; 0 expected`);
    }
    const [low, high] = [Math.min(i, j), Math.max(i, j)];
    const key = high * (MOST_VERTEX + 1) + low;
    const earlier = lineOf.get(key);
    if (earlier !== undefined)
      throw formatError(source, line, `pair (${i}, ${j}) is there already, in line ${earlier}`);
    lineOf.set(key, line);
    u.push(low);
    v.push(high);
    distance.push(length);
    n = Math.max(n, high + 1);
  }
  return { n, u: Uint32Array.from(u), v: Uint32Array.from(v), distance: Float64Array.from(distance) };
}

const MOST_VERTEX = (1 << 26) - 1; // two of them make a key of 52 bits

/** Inverse of {@link parseSparseDistances}, but for points without any edge above the last one with some. */
export function formatSparseDistances({ u, v, distance }: SparseDistances): string {
  return rowsText(u.length, (k) => [u[k]!, v[k]!, distance[k]!], " ");
}

function parseTriangle(text: string, source: string): { n: number; values: number[] } {
  const all: number[] = [];
  let last = 1;
  for (const { line, values } of numberLines(text, source)) {
    last = line;
    for (const value of values) {
      assertDistanceAt(value, source, line);
      all.push(value);
    }
    if (all.length > (MOST_POINTS * (MOST_POINTS - 1)) / 2) assertSize(MOST_POINTS + 1, source);
  }
  const n = Math.round((1 + Math.sqrt(1 + 8 * all.length)) / 2);
  // No values at all are a single point, as in Ripser.
  if ((n * (n - 1)) / 2 !== all.length) {
    throw formatError(
      source,
      last,
      `the text ends after ${all.length} distances; n (n - 1) / 2 for some n expected, such as ${(n * (n - 1)) / 2}`,
    );
  }
  return { n, values: all };
}

function assertSize(n: number, source: string): void {
  if (n <= MOST_POINTS) return;
  throw new TopologyError(
    "E_TOO_LARGE",
    `${source}: more than ${MOST_POINTS} points; a full matrix of these does not fit, give sparse distances`,
  );
}

function assertDistanceAt(value: number, source: string, line: number): void {
  if (!(value >= 0)) throw formatError(source, line, `distance ${value}; not negative and no NaN expected`);
}

function setBoth(distances: Float64Array, n: number, i: number, j: number, value: number): void {
  distances[i * n + j] = value;
  distances[j * n + i] = value;
}

function rowsText(
  count: number,
  row: (k: number) => ArrayLike<number> & Iterable<number>,
  separator: string,
): string {
  let text = "";
  for (let k = 0; k < count; k++) text += `${Array.from(row(k), numberText).join(separator)}\n`;
  return text;
}
