// The point sets and matrices on which cores are compared with Ripser and GUDHI. All are made from a seed by exact
// arithmetic: where a sine or cosine is needed, coordinates are rounded to 1/4096, so that every machine has the same.

import { enclosingRadius, type RipsInput, ripsDistances, triangleOfList } from "./input.js";
import { MemoryBudget } from "./memory.js";

export interface RipsCase {
  readonly name: string;
  readonly input: RipsInput;
  readonly maxDimension: 0 | 1 | 2 | 3;
  readonly modulus?: number;
  readonly threshold?: number;
}

/** Uniform in [0, 1): Marsaglia's xorshift32. */
export function uniformNumbers(seed: number): () => number {
  let state = Math.imul(seed, 0x9e3779b1) | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** Nearly normal: the sum of twelve uniform numbers. */
function normalNumbers(seed: number): () => number {
  const uniform = uniformNumbers(seed);
  return () => {
    let sum = -6;
    for (let k = 0; k < 12; k++) sum += uniform();
    return sum;
  };
}

const grain = (value: number): number => Math.round(value * 4096) / 4096;
const cos = (turns: number): number => Math.cos(2 * Math.PI * turns);
const sin = (turns: number): number => Math.sin(2 * Math.PI * turns);
const times = <T>(count: number, make: (k: number) => T): T[] =>
  Array.from({ length: count }, (_, k) => make(k));

export const uniformCloud = (n: number, dimension: number, seed: number): number[][] => {
  const uniform = uniformNumbers(seed);
  return times(n, () => times(dimension, uniform));
};

/** Clusters with centres of unit spread and points of spread `width` about them. */
export function clusteredCloud(
  n: number,
  dimension: number,
  clusters: number,
  width: number,
  seed: number,
): number[][] {
  const normal = normalNumbers(seed);
  const centres = times(clusters, () => times(dimension, normal));
  return times(n, (k) => centres[k % clusters]!.map((coordinate) => coordinate + width * normal()));
}

const rounded = (points: number[][]): number[][] => points.map((row) => row.map(grain));

export const circle = (n: number, noise = 0, seed = 1): number[][] => {
  const normal = normalNumbers(seed);
  return rounded(times(n, (k) => [cos(k / n) + noise * normal(), sin(k / n) + noise * normal()]));
};

export const torusPoint = (u: number, v: number): number[] => [
  (2 + cos(v)) * cos(u),
  (2 + cos(v)) * sin(u),
  sin(v),
];

export const torus = (n: number, seed: number): number[][] =>
  rounded(uniformCloud(n, 2, seed).map(([u, v]) => torusPoint(u!, v!)));

/** Uniform on the sphere of `dimension` - 1 dimensions. */
export function sphere(n: number, dimension: number, seed: number): number[][] {
  const normal = normalNumbers(seed);
  return rounded(
    times(n, () => {
      const row = times(dimension, normal);
      const norm = Math.sqrt(row.reduce((sum, x) => sum + x * x, 0));
      return row.map((x) => x / norm);
    }),
  );
}

/** A grid on the Klein bottle in four dimensions. */
export const klein = (along: number, around: number): number[][] =>
  rounded(
    times(along * around, (k) => {
      const [u, v] = [Math.floor(k / around) / along, (k % around) / around];
      return [(2 + cos(v)) * cos(u), (2 + cos(v)) * sin(u), sin(v) * cos(u / 2), sin(v) * sin(u / 2)];
    }),
  );

/** All points of {0 .. side - 1}^dimension. */
const grid = (side: number, dimension: number): number[][] =>
  times(side ** dimension, (k) => times(dimension, (axis) => Math.floor(k / side ** axis) % side));

/** A symmetric matrix of `entry(i, j)`, i < j, with a zero diagonal. */
export function matrix(n: number, entry: (i: number, j: number) => number): number[][] {
  const rows = times(n, () => times(n, () => 0));
  for (let i = 0; i < n; i++) {
    for (let j = i + 1; j < n; j++) {
      rows[i]![j] = entry(i, j);
      rows[j]![i] = rows[i]![j]!;
    }
  }
  return rows;
}

/** The projective plane: the lines through evenly spread points (a golden spiral) of half a sphere. */
function projectivePlane(n: number): number[][] {
  const points = rounded(
    times(n, (k) => {
      const height = 1 - (k + 0.5) / n;
      const radius = Math.sqrt(1 - height * height);
      return [radius * cos(k * 0.381966), radius * sin(k * 0.381966), height];
    }),
  );
  const apart = (i: number, j: number, sign: number) =>
    Math.sqrt(points[i]!.reduce((sum, x, k) => sum + (x - sign * points[j]![k]!) ** 2, 0));
  return matrix(n, (i, j) => Math.min(apart(i, j, 1), apart(i, j, -1)));
}

const values = (n: number, seed: number, of: (uniform: number) => number): number[][] => {
  const uniform = uniformNumbers(seed);
  return matrix(n, () => of(uniform()));
};

function randomGraph(n: number, edges: number, seed: number): RipsInput {
  const uniform = uniformNumbers(seed);
  const chosen = new Map<number, number>();
  while (chosen.size < edges) {
    const [i, j] = [Math.floor(uniform() * n), Math.floor(uniform() * n)];
    if (i < j) chosen.set(i * n + j, Math.ceil(uniform() * 40) / 8);
  }
  const pairs = [...chosen.keys()];
  return {
    n,
    u: Uint32Array.from(pairs, (pair) => Math.floor(pair / n)),
    v: Uint32Array.from(pairs, (pair) => pair % n),
    distance: Float64Array.from(chosen.values()),
  };
}

const twice = (points: number[][]): number[][] => [...points, ...points];

export const CASES: readonly RipsCase[] = [
  { name: "random plane", input: { points: uniformCloud(60, 2, 1) }, maxDimension: 1 },
  { name: "random plane, degree 2", input: { points: uniformCloud(40, 2, 2) }, maxDimension: 2 },
  { name: "random space", input: { points: uniformCloud(40, 3, 3) }, maxDimension: 2 },
  { name: "random space, Z/3", input: { points: uniformCloud(36, 3, 4) }, maxDimension: 2, modulus: 3 },
  { name: "random in 5 dimensions", input: { points: uniformCloud(30, 5, 5) }, maxDimension: 2, modulus: 5 },
  { name: "random in 4 dimensions, degree 3", input: { points: uniformCloud(22, 4, 6) }, maxDimension: 3 },
  {
    name: "random in 6 dimensions, degree 3, Z/3",
    input: { points: uniformCloud(20, 6, 7) },
    maxDimension: 3,
    modulus: 3,
  },
  { name: "random, degree 0", input: { points: uniformCloud(90, 3, 8) }, maxDimension: 0 },
  {
    name: "random, Manhattan",
    input: { points: uniformCloud(40, 3, 9), metric: "manhattan" },
    maxDimension: 2,
  },
  { name: "clusters in the plane", input: { points: clusteredCloud(60, 2, 4, 0.2, 10) }, maxDimension: 1 },
  { name: "clusters in space", input: { points: clusteredCloud(40, 3, 5, 0.1, 11) }, maxDimension: 2 },
  {
    name: "clusters in 10 dimensions, Z/7",
    input: { points: clusteredCloud(30, 10, 3, 0.5, 12) },
    maxDimension: 2,
    modulus: 7,
  },
  { name: "grid 6 x 6", input: { points: grid(6, 2) }, maxDimension: 2 },
  { name: "grid 6 x 6, Manhattan", input: { points: grid(6, 2), metric: "manhattan" }, maxDimension: 2 },
  { name: "grid 3 x 3 x 3", input: { points: grid(3, 3) }, maxDimension: 2, modulus: 3 },
  { name: "cube of 4 dimensions", input: { points: grid(2, 4), metric: "manhattan" }, maxDimension: 3 },
  { name: "cube of 5 dimensions", input: { points: grid(2, 5), metric: "manhattan" }, maxDimension: 2 },
  { name: "cube of 4 dimensions, Z/3", input: { points: grid(2, 4) }, maxDimension: 3, modulus: 3 },
  {
    name: "matrix of three values",
    input: { distances: values(24, 13, (x) => 1 + Math.floor(3 * x)) },
    maxDimension: 2,
  },
  {
    name: "matrix of two values, Z/3",
    input: { distances: values(20, 14, (x) => (x < 0.5 ? 1 : 2)) },
    maxDimension: 3,
    modulus: 3,
  },
  { name: "matrix of one value", input: { distances: matrix(12, () => 1) }, maxDimension: 2 },
  { name: "matrix, not metric", input: { distances: values(26, 15, (x) => x) }, maxDimension: 2 },
  {
    name: "matrix with zeros",
    input: { distances: values(22, 16, (x) => Math.floor(4 * x) / 4) },
    maxDimension: 2,
  },
  { name: "duplicates in the plane", input: { points: twice(uniformCloud(25, 2, 17)) }, maxDimension: 2 },
  { name: "duplicates on a circle", input: { points: twice(circle(16)) }, maxDimension: 1, modulus: 3 },
  { name: "one point many times", input: { points: times(10, () => [3, 1]) }, maxDimension: 2 },
  { name: "three points", input: { points: [[0], [1], [3]] }, maxDimension: 1 },
  { name: "regular circle", input: { points: circle(40) }, maxDimension: 2 },
  { name: "noisy circle", input: { points: circle(50, 0.05, 18) }, maxDimension: 1 },
  {
    name: "two circles",
    input: { points: [...circle(24), ...circle(30).map(([x, y]) => [2.5 + x! / 2, y! / 2])] },
    maxDimension: 1,
  },
  { name: "torus", input: { points: torus(90, 19) }, maxDimension: 2, threshold: 2 },
  { name: "torus, Z/3", input: { points: torus(80, 20) }, maxDimension: 2, modulus: 3, threshold: 2 },
  {
    name: "torus, grid",
    input: { points: rounded(times(128, (k) => torusPoint(Math.floor(k / 8) / 16, (k % 8) / 8))) },
    maxDimension: 2,
    threshold: 1.6,
  },
  { name: "sphere", input: { points: sphere(50, 3, 21) }, maxDimension: 2 },
  { name: "sphere, Z/3", input: { points: sphere(45, 3, 22) }, maxDimension: 2, modulus: 3 },
  { name: "sphere of 3 dimensions", input: { points: sphere(26, 4, 23) }, maxDimension: 3 },
  { name: "Klein bottle, Z/2", input: { points: klein(18, 8) }, maxDimension: 2, threshold: 1.5 },
  { name: "Klein bottle, Z/3", input: { points: klein(18, 8) }, maxDimension: 2, modulus: 3, threshold: 1.5 },
  { name: "projective plane, Z/2", input: { distances: projectivePlane(40) }, maxDimension: 2 },
  {
    name: "projective plane, Z/3",
    input: { distances: projectivePlane(40) },
    maxDimension: 2,
    modulus: 3,
  },
  {
    name: "512 dimensions, clusters",
    input: { points: clusteredCloud(50, 512, 6, 0.6, 25) },
    maxDimension: 1,
  },
  {
    name: "512 dimensions, clusters, cosine",
    input: { points: clusteredCloud(40, 512, 5, 0.8, 26), metric: "cosine" },
    maxDimension: 2,
  },
  {
    name: "512 dimensions, unit sphere",
    input: { points: sphere(36, 512, 27) },
    maxDimension: 2,
    modulus: 3,
  },
  { name: "512 dimensions, no clusters", input: { points: uniformCloud(40, 512, 28) }, maxDimension: 2 },
  { name: "threshold", input: { points: uniformCloud(70, 2, 29) }, maxDimension: 2, threshold: 0.25 },
  {
    name: "threshold that leaves components",
    input: { points: uniformCloud(60, 3, 30) },
    maxDimension: 2,
    threshold: 0.2,
  },
  { name: "graph", input: randomGraph(40, 220, 31), maxDimension: 2 },
  { name: "graph, Z/3", input: randomGraph(30, 200, 32), maxDimension: 3, modulus: 3 },
  { name: "graph of cycles", input: randomGraph(60, 70, 33), maxDimension: 1 },
];

/** What an oracle takes: the triangle with infinities, and the threshold that `persistence` would use. */
export function oracleProblem({ input, maxDimension, threshold = Infinity }: RipsCase): {
  n: number;
  triangle: Float32Array;
  threshold: number;
} {
  const distances = ripsDistances(input, Math.fround(threshold), new MemoryBudget(2 ** 32, maxDimension));
  const { n } = distances;
  const triangle = "triangle" in distances ? distances.triangle : triangleOfList(distances);
  return { n, triangle, threshold: Math.min(threshold, enclosingRadius({ n, triangle })) };
}
