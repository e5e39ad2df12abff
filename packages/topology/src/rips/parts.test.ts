import fc from "fast-check";
import { expect, test } from "vitest";
import { minimumSpanningTree } from "../minimumSpanningTree.js";
import type { RipsProblem } from "./core.js";
import { DenseGraph } from "./denseGraph.js";
import { CofacetBuffer } from "./edgeGraph.js";
import { PivotQueue } from "./pivotQueue.js";
import { PivotTable } from "./pivotTable.js";
import { Simplex } from "./simplex.js";
import { joiningEdges, sortedEdges } from "./sortedEdges.js";
import { SparseGraph } from "./sparseGraph.js";

const SEED = 20_261_125;

const problem = (distances: Float32Array, n: number, threshold = Infinity): RipsProblem => ({
  n,
  distances,
  threshold,
  maxDimension: 1,
  modulus: 2,
  representatives: false,
  cocycles: false,
});

const triangles = (entry: fc.Arbitrary<number>, smallest: number, largest: number) =>
  fc.integer({ min: smallest, max: largest }).chain((n) => {
    const size = (n * (n - 1)) / 2;
    return fc
      .array(entry, { minLength: size, maxLength: size })
      .map((lengths) => ({ n, distances: Float32Array.from(lengths) }));
  });

test("the queue gives back keys ascending, with their coefficients added up modulo p", () => {
  const entry = fc.record({
    key: fc.integer({ min: 0, max: 30 }),
    coefficient: fc.integer({ min: 1, max: 4 }),
  });
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 100 }), (entries) => {
      const queue = new PivotQueue(5);
      const sums = new Map<number, number>();
      for (const { key, coefficient } of entries) {
        queue.push(key, coefficient);
        sums.set(key, ((sums.get(key) ?? 0) + coefficient) % 5);
      }
      const expected = [...sums].filter(([, sum]) => sum !== 0).sort((a, b) => a[0] - b[0]);
      const found: [number, number][] = [];
      for (let key = queue.pop(); key >= 0; key = queue.pop()) found.push([key, queue.coefficient]);
      expect(found).toEqual(expected);
    }),
    { seed: SEED, numRuns: 200 },
  );
});

test("the queue grows, and is empty when cleared", () => {
  const queue = new PivotQueue(2);
  for (let key = 5_000; key > 0; key--) queue.push(key, 1);
  expect([queue.pop(), queue.pop()]).toEqual([1, 2]);
  queue.clear();
  expect(queue.pop()).toBe(-1);
});

test("the table finds every key up to 2^52, and only those", () => {
  const table = new PivotTable();
  const key = (k: number) => k * 900_719_925_471 + (k % 7);
  for (let k = 0; k < 5_000; k++) table.set(key(k), k);
  for (let k = 0; k < 5_000; k++) {
    expect(table.get(key(k))).toBe(k);
    expect(table.get(key(k) + 100)).toBe(-1);
  }
});

test("edges are sorted by length, then by their ends, whether they come as a triangle or as a list", () => {
  const entry = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.double({ min: 0, max: 1e30, noNaN: true }));
  fc.assert(
    fc.property(triangles(entry, 1, 12), fc.double({ min: 0, max: 4, noNaN: true }), (given, limit) => {
      const { n, distances } = given;
      const expected: [number, number, number][] = [];
      for (let a = 0; a < n; a++) {
        for (let b = a + 1; b < n; b++) expected.push([distances[(b * (b - 1)) / 2 + a]!, a, b]);
      }
      const list = expected.toReversed();
      expected.sort((x, y) => x[0] - y[0] || x[1] - y[1] || x[2] - y[2]);
      const within = expected.filter(([length]) => length <= limit);
      const { distances: _, ...question } = problem(distances, n, limit);
      const sparse = {
        ...question,
        u: Int32Array.from(list, ([, a]) => a),
        v: Int32Array.from(list, ([, , b]) => b),
        lengths: Float32Array.from(list, ([length]) => length),
      };
      for (const edges of [sortedEdges(problem(distances, n, limit)), sortedEdges(sparse)]) {
        expect([...edges.length].map((length, k) => [length, edges.a[k], edges.b[k]])).toEqual(within);
      }
    }),
    { seed: SEED, numRuns: 150 },
  );
});

test("the edges that join components are the minimum spanning tree's, up to the threshold", () => {
  fc.assert(
    fc.property(triangles(fc.integer({ min: 0, max: 4 }), 1, 12), ({ n, distances }) => {
      const square = new Float64Array(n * n);
      for (let i = 0, next = 0; i < n; i++) {
        for (let j = 0; j < i; j++, next++) square[i * n + j] = square[j * n + i] = distances[next]!;
      }
      const tree = minimumSpanningTree(square, n);
      const short = tree.weight.filter((weight) => weight <= 2).length;
      const edges = joiningEdges(problem(distances, n, 2));
      expect([...edges.a]).toEqual([...tree.u.subarray(0, short)]);
      expect([...edges.b]).toEqual([...tree.v.subarray(0, short)]);
      expect(edges.count).toBe(short);
    }),
    { seed: SEED, numRuns: 150 },
  );
});

test("a simplex read back from its cofacets' keys has one vertex more, at the place that the sign says", () => {
  const entry = fc.oneof(fc.integer({ min: 1, max: 5 }), fc.constant(Infinity));
  fc.assert(
    fc.property(triangles(entry, 2, 9), ({ n, distances }) => {
      const edges = sortedEdges(problem(distances, n));
      const [simplex, larger] = [new Simplex(edges), new Simplex(edges)];
      const [fromMatrix, fromLists] = [new CofacetBuffer(n), new CofacetBuffer(n)];
      const [dense, sparse] = [new DenseGraph(edges), new SparseGraph(edges)];
      let keys = Array.from({ length: edges.count }, (_, rank) => rank);
      for (let dimension = 1; dimension <= 3; dimension++) {
        const next = new Set<number>();
        for (const key of keys) {
          simplex.load(key, dimension);
          const count = dense.cofacets(simplex, -1, edges.count, fromMatrix);
          expect(sparse.cofacets(simplex, -1, edges.count, fromLists)).toBe(count);
          expect(fromLists.keys.subarray(0, count)).toEqual(fromMatrix.keys.subarray(0, count));
          expect(fromLists.odd.subarray(0, count)).toEqual(fromMatrix.odd.subarray(0, count));
          const vertices = [...simplex.vertices.subarray(0, simplex.size)];
          for (let k = 0; k < count; k++) {
            const cofacet = fromMatrix.keys[k]!;
            next.add(cofacet);
            larger.loadVertices(cofacet, dimension + 1);
            const found = [...larger.vertices.subarray(0, larger.size)];
            const added = found.findIndex((vertex) => !vertices.includes(vertex));
            expect(found.toSpliced(added, 1)).toEqual(vertices);
            expect(found).toEqual(found.toSorted((a, b) => a - b));
            expect(fromMatrix.odd[k]).toBe(added % 2);
            const ranks = found.flatMap((x, i) => found.slice(i + 1).map((y) => dense.rank(x, y)));
            expect(larger.rank).toBe(Math.max(...ranks));
          }
        }
        keys = [...next];
      }
    }),
    { seed: SEED, numRuns: 60 },
  );
});
