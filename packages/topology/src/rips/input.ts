// From what a caller has (points, a distance matrix, a list of distances) to what a core takes. Everything that can be
// wrong with the numbers is found here, before any work starts.

import { assertCount, type FloatArray, notADistance, symmetricDistances } from "../distances.js";
import { TopologyError } from "../error.js";
import type { SparseDistances } from "../largeSets/sparseDistances.js";
import { flatRows, type Metric, type RowDistance, rowDistance } from "../points.js";
import { grown } from "./growing.js";
import type { MemoryBudget } from "./memory.js";

/**
 * What `persistence` takes:
 *
 * - points: a row-major matrix with its `dimension`, or an array of rows. `metric` is Euclidean by default;
 * - a square distance matrix, row-major or an array of rows: symmetric up to rounding (the upper triangle counts), zero
 *   diagonal, finite. The triangle inequality is not asked for;
 * - a list of distances: pairs that it leaves out are never joined.
 */
export type RipsInput =
  | { readonly points: FloatArray; readonly dimension: number; readonly metric?: Metric }
  | { readonly points: readonly ArrayLike<number>[]; readonly metric?: Metric }
  | { readonly distances: FloatArray | readonly ArrayLike<number>[] }
  | SparseDistances;

/** Checked distances in float32, as a triangle or as a list (see RipsProblem, SparseRipsProblem). */
export type RipsDistances = TriangleDistances | ListedDistances;

export interface TriangleDistances {
  readonly n: number;
  readonly triangle: Float32Array;
}

export interface ListedDistances {
  readonly n: number;
  readonly u: Int32Array;
  readonly v: Int32Array;
  readonly lengths: Float32Array;
}

/**
 * @param threshold longer distances are not needed: Infinity, or a float32 value.
 * @throws TopologyError `E_DISTANCES`, `E_OPTION`, `E_TOO_LARGE`.
 */
export function ripsDistances(input: RipsInput, threshold: number, budget: MemoryBudget): RipsDistances {
  if ("u" in input) return checkedList(input, budget);
  if ("distances" in input) {
    const { matrix, n } = squareMatrix(input.distances);
    assertSomePoints(n);
    budget.assertTriangleFits(n);
    return { n, triangle: triangleOfMatrix(matrix, n) };
  }
  const { points, n, dimension } = pointMatrix(input);
  assertSomePoints(n);
  if (threshold === Infinity) budget.assertTriangleFits(n);
  const distance = rowDistance(points, n, dimension, input.metric);
  return threshold === Infinity
    ? { n, triangle: triangleOfPoints(distance, n) }
    : { n, ...listOfPoints(distance, n, threshold, budget) };
}

/** The smallest radius of a ball about a point that holds all points: beyond it the complex is a cone. */
export function enclosingRadius({ n, triangle }: TriangleDistances): number {
  const farthest = new Float32Array(n);
  for (let i = 1, next = 0; i < n; i++) {
    for (let j = 0; j < i; j++, next++) {
      const length = triangle[next]!;
      if (length > farthest[i]!) farthest[i] = length;
      if (length > farthest[j]!) farthest[j] = length;
    }
  }
  return farthest.reduce((least, radius) => Math.min(least, radius), Infinity);
}

/** The list as a triangle with infinities, for cores that take no lists. */
export function triangleOfList({ n, u, v, lengths }: ListedDistances): Float32Array {
  const triangle = new Float32Array((n * (n - 1)) / 2).fill(Infinity);
  for (let k = 0; k < u.length; k++) triangle[(v[k]! * (v[k]! - 1)) / 2 + u[k]!] = lengths[k]!;
  return triangle;
}

function pointMatrix(input: Extract<RipsInput, { points: unknown }>): {
  points: FloatArray;
  n: number;
  dimension: number;
} {
  const { points } = input;
  if (!("dimension" in input)) {
    if (points instanceof Float32Array || points instanceof Float64Array) {
      throw new TopologyError("E_DISTANCES", "points: a flat array needs its `dimension`");
    }
    return { points: flatRows(points, "points"), n: points.length, dimension: points[0]?.length ?? 0 };
  }
  const { dimension } = input;
  const n = input.points.length / dimension;
  if (!Number.isSafeInteger(dimension) || dimension < 1 || !Number.isInteger(n)) {
    throw new TopologyError(
      "E_DISTANCES",
      `points: ${input.points.length} values are no rows of dimension ${dimension}`,
    );
  }
  return { points: input.points, n, dimension };
}

function squareMatrix(given: FloatArray | readonly ArrayLike<number>[]): { matrix: FloatArray; n: number } {
  const flat = given instanceof Float32Array || given instanceof Float64Array;
  const matrix = flat ? given : flatRows(given, "distance matrix");
  const n = flat ? Math.sqrt(given.length) : given.length;
  if (matrix.length !== n * n || !Number.isInteger(n)) {
    const found = flat ? `${matrix.length} values` : `${n} rows of ${given[0]?.length} values`;
    throw new TopologyError("E_DISTANCES", `distance matrix: ${found} given, a square expected`);
  }
  return { matrix, n };
}

function assertSomePoints(n: number): void {
  if (n === 0) throw new TopologyError("E_DISTANCES", "no points given; at least one expected");
}

function triangleOfMatrix(given: FloatArray, n: number): Float32Array {
  const matrix = symmetricDistances(given, n);
  for (let i = 0; i < n; i++) {
    if (matrix[i * n + i] !== 0) {
      throw new TopologyError(
        "E_DISTANCES",
        `distance matrix: entry (${i}, ${i}) is ${matrix[i * n + i]}; a point is at distance 0 from itself`,
      );
    }
  }
  const triangle = new Float32Array((n * (n - 1)) / 2);
  for (let i = 1, next = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      const value = matrix[i * n + j]!;
      if (!(value >= 0)) throw notADistance(value, j, i);
      if (value === Infinity) {
        throw new TopologyError(
          "E_DISTANCES",
          `distance matrix: entry (${j}, ${i}) is Infinity; to leave a pair unjoined give a list of distances ` +
            "without it",
        );
      }
      triangle[next++] = single(value, j, i);
    }
  }
  return triangle;
}

function triangleOfPoints(distance: RowDistance, n: number): Float32Array {
  const triangle = new Float32Array((n * (n - 1)) / 2);
  for (let i = 1, next = 0; i < n; i++) {
    for (let j = 0; j < i; j++) triangle[next++] = single(distance(j, i), j, i);
  }
  return triangle;
}

function listOfPoints(
  distance: RowDistance,
  n: number,
  threshold: number,
  budget: MemoryBudget,
): Omit<ListedDistances, "n"> {
  let [u, v, lengths] = [new Int32Array(1024), new Int32Array(1024), new Float32Array(1024)];
  let count = 0;
  for (let i = 0; i < n; i++) {
    budget.assertListFits(n, count, `${count} distances within the threshold among the first ${i}`);
    for (let j = i + 1; j < n; j++) {
      const length = single(distance(i, j), i, j);
      if (length > threshold) continue;
      if (count === lengths.length) {
        u = grown(u, count + 1);
        v = grown(v, count + 1);
        lengths = grown(lengths, count + 1);
      }
      u[count] = i;
      v[count] = j;
      lengths[count++] = length;
    }
  }
  return { u: u.subarray(0, count), v: v.subarray(0, count), lengths: lengths.subarray(0, count) };
}

function checkedList({ n, u, v, distance }: SparseDistances, budget: MemoryBudget): ListedDistances {
  assertCount(n, "n");
  assertSomePoints(n);
  budget.assertListFits(n, u.length, `a list of ${u.length} distances`);
  const refuse = (message: string) => new TopologyError("E_DISTANCES", `list of distances: ${message}`);
  if (u.length !== v.length || u.length !== distance.length) {
    throw refuse(`${u.length} u, ${v.length} v and ${distance.length} distances; equal numbers expected`);
  }
  const lengths = new Float32Array(u.length);
  for (let k = 0; k < u.length; k++) {
    const [from, to, length] = [u[k]!, v[k]!, distance[k]!];
    if (!(from < to && to < n))
      throw refuse(`entry ${k} is the pair (${from}, ${to}); u < v < ${n} expected`);
    if (!(length >= 0 && length < Infinity)) {
      throw refuse(
        `entry ${k}, the pair (${from}, ${to}), is ${length}; distances must be finite and not negative`,
      );
    }
    lengths[k] = single(length, from, to);
  }
  const list = { n, u: Int32Array.from(u), v: Int32Array.from(v), lengths };
  const twice = repeatedPair(list);
  if (twice >= 0) throw refuse(`the pair (${u[twice]}, ${v[twice]}) is there twice (entry ${twice})`);
  return list;
}

/** An entry whose pair occurs before it, or -1. */
function repeatedPair({ n, u, v }: ListedDistances): number {
  const newest = new Int32Array(n).fill(-1); // for each u its last entry, and from there the one before
  const before = new Int32Array(u.length);
  for (let k = 0; k < u.length; k++) {
    before[k] = newest[u[k]!]!;
    newest[u[k]!] = k;
  }
  const seenBy = new Int32Array(n).fill(-1);
  for (let x = 0; x < n; x++) {
    for (let k = newest[x]!; k >= 0; k = before[k]!) {
      if (seenBy[v[k]!] === x) return k;
      seenBy[v[k]!] = x;
    }
  }
  return -1;
}

/** A distance in float32; + 0 turns -0 into 0. */
function single(distance: number, i: number, j: number): number {
  const rounded = Math.fround(distance) + 0;
  if (rounded < Infinity) return rounded;
  throw new TopologyError(
    "E_DISTANCES",
    `the distance of points ${i} and ${j} is ${distance}, beyond float32 (3.4e38); scale the data`,
  );
}
