import { expect, test } from "vitest";
import { minimumSpanningTreeOfPoints, type PointTreeOptions, type TreeEdges } from "./topologyTree.js";

/** Numbers in [0, 1), the same in every run. */
function sequence(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return state / 0x80000000;
  };
}

type Metric = NonNullable<PointTreeOptions["metric"]>;

/** Distances in float64, each summed in the order of the coordinates. */
function distancesOf(
  points: Float32Array,
  n: number,
  dimension: number,
  metric: Metric,
): (i: number, j: number) => number {
  const rows = Array.from({ length: n }, (_, i) =>
    Array.from(points.subarray(i * dimension, (i + 1) * dimension)),
  );
  const directions = rows.map((row) => {
    const largest = Math.max(...row.map(Math.abs));
    const norm = Math.sqrt(row.reduce((sum, x) => sum + (x / largest) ** 2, 0));
    return row.map((x) => x / largest / norm);
  });
  return (i, j) => {
    const [a, b] = metric === "cosine" ? [directions[i]!, directions[j]!] : [rows[i]!, rows[j]!];
    let sum = 0;
    for (let k = 0; k < dimension; k++) {
      const difference = a[k]! - b[k]!;
      sum += metric === "manhattan" ? Math.abs(difference) : difference * difference;
    }
    if (metric === "manhattan") return sum;
    return metric === "cosine" ? Math.min(2, Math.sqrt(sum) ** 2 / 2) : Math.sqrt(sum);
  };
}

/** Kruskal on all edges in the order (weight, u, v). */
function kruskal(distance: (i: number, j: number) => number, n: number): [number, number, number][] {
  const edges: [number, number, number][] = [];
  for (let u = 0; u < n; u++) for (let v = u + 1; v < n; v++) edges.push([u, v, distance(u, v)]);
  edges.sort((a, b) => a[2] - b[2] || a[0] - b[0] || a[1] - b[1]);
  const parent = Array.from({ length: n }, (_, v) => v);
  const root = (v: number): number => {
    while (parent[v] !== v) v = parent[v]!;
    return v;
  };
  return edges.filter(([u, v]) => {
    const [a, b] = [root(u), root(v)];
    parent[a] = b;
    return a !== b;
  });
}

const listOf = ({ u, v, weight }: TreeEdges) => Array.from(weight, (w, k) => [u[k]!, v[k]!, w]);

const CLOUDS: Record<string, (next: () => number, i: number) => number> = {
  "random points": (next) => next(),
  "a grid, with ties": (next) => Math.floor(next() * 5),
  "points in few places, far from the origin": (next) => 100 + Math.floor(next() * 2) / 1000,
  "clusters and an outlier": (next, i) => (i === 3 ? 1e6 : (i % 7) * 10 + next() / 1000),
  "numbers near the limits of float32": (next, i) => (next() - 0.5) * (i % 2 === 0 ? 3e38 : 1e-38),
  "tiny numbers": (next) => Math.floor(next() * 100) * 1e-43,
};

for (const [name, coordinate] of Object.entries(CLOUDS)) {
  test(`the tree is Kruskal's, to the last bit: ${name}`, async () => {
    for (const [n, dimension] of [
      [2, 3],
      [65, 1],
      [260, 3],
      [200, 40],
    ] as const) {
      const next = sequence(n);
      const points = Float32Array.from({ length: n * dimension }, (_, k) =>
        coordinate(next, Math.floor(k / dimension)),
      );
      for (const metric of ["euclidean", "manhattan", "cosine"] as const) {
        if (metric === "cosine")
          for (let i = 0; i < n; i++) points[i * dimension] = (points[i * dimension] || 1) as number;
        const tree = await minimumSpanningTreeOfPoints(points, n, dimension, { metric, threads: 2 });
        expect(listOf(tree)).toEqual(kruskal(distancesOf(points, n, dimension, metric), n));
      }
    }
  });
}

test("many tiles and threads give one tree", async () => {
  // Wide rows make the blocks small: 450 points are three of them.
  const [n, dimension] = [450, 60_000];
  const next = sequence(2);
  const points = new Float32Array(n * dimension);
  for (let i = 0; i < n; i++)
    for (let k = 0; k < 40; k++) points[i * dimension + k * 1500] = Math.floor(next() * 8);
  const narrow = Float32Array.from(
    { length: n * 40 },
    (_, k) => points[Math.floor(k / 40) * dimension + (k % 40) * 1500]!,
  );
  const expected = kruskal(distancesOf(narrow, n, 40, "euclidean"), n);
  const progress: number[] = [];
  const options = {
    threads: 3,
    onProgress: (done: number, total: number) => void progress.push(done / total),
  };
  expect(listOf(await minimumSpanningTreeOfPoints(points, n, dimension, options))).toEqual(expected);
  expect(progress).toEqual([...progress].sort((a, b) => a - b));
});

test("none and one point have no edges, and points without coordinates coincide", async () => {
  expect(listOf(await minimumSpanningTreeOfPoints(new Float32Array(0), 0, 5))).toEqual([]);
  expect(listOf(await minimumSpanningTreeOfPoints(new Float32Array(5), 1, 5))).toEqual([]);
  expect(listOf(await minimumSpanningTreeOfPoints(new Float32Array(0), 3, 0))).toEqual([
    [0, 1, 0],
    [0, 2, 0],
  ]);
});

test("bad points are refused, and the message names the row", async () => {
  const points = new Float32Array(6).fill(1);
  const refused = async (
    values: Float32Array,
    n: number,
    dimension: number,
    options: PointTreeOptions,
    message: RegExp,
  ) => {
    const error = await minimumSpanningTreeOfPoints(values, n, dimension, options).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: "E_USAGE", message: expect.stringMatching(message) });
  };
  await refused(points, 4, 2, {}, /6 values given, 4 x 2 expected/);
  await refused(points, -3, -2, {}, /count is -3/);
  await refused(
    points.map((x, k) => (k === 3 ? Number.NaN : x)),
    3,
    2,
    {},
    /row 1, column 1 is nan/,
  );
  await refused(
    points.map((x, k) => (k === 4 ? Infinity : x)),
    3,
    2,
    {},
    /row 2, column 0 is inf/,
  );
  await refused(
    points.map((x, k) => (k < 2 ? 0 : x)),
    3,
    2,
    { metric: "cosine" },
    /row 0 is zero/,
  );
  await refused(points, 3, 2, { metric: "chebyshev" as "cosine" }, /metric is "chebyshev"/);
  await refused(Float64Array.from(points) as unknown as Float32Array, 3, 2, {}, /must be a Float32Array/);
});

test("a bound on memory is kept", async () => {
  const points = new Float32Array(3000 * 64).fill(1);
  const work = minimumSpanningTreeOfPoints(points, 3000, 64, { memoryLimit: 2 ** 20 });
  await expect(work).rejects.toMatchObject({
    code: "E_DATA",
    message: expect.stringContaining("may use 1 MiB"),
  });
});

test("a signal ends the work", async () => {
  const reason = new Error("enough");
  const stop = new AbortController();
  const work = minimumSpanningTreeOfPoints(new Float32Array(30_000 * 64).map(sequence(1)), 30_000, 64, {
    signal: stop.signal,
  });
  setTimeout(() => stop.abort(reason), 20);
  await expect(work).rejects.toBe(reason);
});
