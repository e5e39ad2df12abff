import fc from "fast-check";
import { expect, test } from "vitest";
import { TopologyError } from "./error.js";
import { type Edges, minimumSpanningTree } from "./minimumSpanningTree.js";

const SEED = 20_260_101;

const pairs = ({ u, v }: Edges): [number, number][] => [...u].map((first, k) => [first, v[k]!]);

/** The reference's algorithm, independently: Kruskal on the stably sorted row-major upper triangle. */
function kruskal(distances: ArrayLike<number>, n: number): { pairs: [number, number][]; weights: number[] } {
  const candidates: { u: number; v: number; weight: number }[] = [];
  for (let u = 0; u < n; u++) {
    for (let v = u + 1; v < n; v++) candidates.push({ u, v, weight: distances[u * n + v]! });
  }
  candidates.sort((a, b) => a.weight - b.weight); // Array.prototype.sort is stable
  const component = Array.from({ length: n }, (_, k) => k);
  const chosen = candidates.filter(({ u, v }) => {
    const [from, to] = [component[v]!, component[u]!];
    if (from === to) return false;
    for (let k = 0; k < n; k++) if (component[k] === from) component[k] = to;
    return true;
  });
  return { pairs: chosen.map(({ u, v }) => [u, v]), weights: chosen.map(({ weight }) => weight) };
}

/** A symmetric matrix with zero diagonal from its upper triangle. */
function symmetric(n: number, upper: readonly number[]): Float64Array {
  const matrix = new Float64Array(n * n);
  let next = 0;
  for (let i = 0; i < n; i++) {
    for (let j = i + 1; j < n; j++) {
      matrix[i * n + j] = upper[next]!;
      matrix[j * n + i] = upper[next++]!;
    }
  }
  return matrix;
}

const matrices = (entry: fc.Arbitrary<number>, largest: number) =>
  fc.integer({ min: 0, max: largest }).chain((n) => {
    const size = (n * (n - 1)) / 2;
    return fc.array(entry, { minLength: size, maxLength: size }).map((upper) => ({
      n,
      matrix: symmetric(n, upper),
    }));
  });

test("gives the reference's pairs and deaths on four points", () => {
  const matrix = Float32Array.from([0, 1, 4, 3, 1, 0, 2, 5, 4, 2, 0, 6, 3, 5, 6, 0]);
  const edges = minimumSpanningTree(matrix, 4);
  expect(pairs(edges)).toEqual([
    [0, 1],
    [1, 2],
    [0, 3],
  ]);
  expect([...edges.weight]).toEqual([1, 2, 3]);
});

test("lists the same edges in the same order as Kruskal after a stable sort, with many ties", () => {
  const oneOfFour = fc.integer({ min: 0, max: 3 });
  fc.assert(
    fc.property(matrices(oneOfFour, 14), fc.boolean(), ({ n, matrix }, trusted) => {
      const edges = minimumSpanningTree(matrix, n, { trusted });
      const reference = kruskal(matrix, n);
      expect(pairs(edges)).toEqual(reference.pairs);
      expect([...edges.weight]).toEqual(reference.weights);
    }),
    { seed: SEED, numRuns: 400 },
  );
});

test("equals Kruskal on a matrix of one value, on one large enough for several bands, and in float32", () => {
  const n = 150;
  const same = symmetric(n, new Array((n * (n - 1)) / 2).fill(7));
  const hashed = symmetric(
    n,
    Array.from({ length: (n * (n - 1)) / 2 }, (_, k) => (k * 7919) % 101),
  );
  for (const matrix of [same, hashed, Float32Array.from(hashed)]) {
    expect(pairs(minimumSpanningTree(matrix, n))).toEqual(kruskal(matrix, n).pairs);
  }
});

test("deaths do not depend on the order of the points", () => {
  fc.assert(
    fc.property(matrices(fc.integer({ min: 0, max: 20 }), 12), fc.infiniteStream(fc.nat()), (given, keys) => {
      const { n, matrix } = given;
      const order = Array.from({ length: n }, (_, k) => ({ k, key: keys.next().value })).sort(
        (a, b) => a.key - b.key,
      );
      const shuffled = new Float64Array(n * n);
      order.forEach(({ k: from }, i) => {
        order.forEach(({ k: to }, j) => {
          shuffled[i * n + j] = matrix[from * n + to]!;
        });
      });
      expect(minimumSpanningTree(shuffled, n).weight).toEqual(minimumSpanningTree(matrix, n).weight);
    }),
    { seed: SEED, numRuns: 200 },
  );
});

test("no points and one point have no edges", () => {
  for (const [matrix, n] of [
    [new Float64Array(0), 0],
    [Float64Array.of(5), 1],
  ] as const) {
    const edges = minimumSpanningTree(matrix, n);
    expect([edges.u.length, edges.v.length, edges.weight.length]).toEqual([0, 0, 0]);
  }
});

test("ignores the diagonal, and reads the upper triangle where halves differ by rounding", () => {
  const matrix = Float64Array.from([9, 1, 2, 1 + 1e-7, -9, 3, 2, 3, Number.NaN]);
  const edges = minimumSpanningTree(matrix, 3);
  expect([...edges.weight]).toEqual([1, 2]);
  expect(matrix[3]).toBe(1 + 1e-7); // the caller's matrix stays as it was
});

test("infinity means not joined, and is refused when it disconnects the points", () => {
  const detour = symmetric(3, [1, Infinity, 2]);
  expect([...minimumSpanningTree(detour, 3).weight]).toEqual([1, 2]);
  expect(() => minimumSpanningTree(symmetric(3, [1, Infinity, Infinity]), 3)).toThrow(
    /entry \(0, 2\) is Infinity/,
  );
});

test("refuses what is not a distance matrix, naming the entry", () => {
  const broken: [Float64Array, number, RegExp][] = [
    [symmetric(3, [1, Number.NaN, 2]), 3, /entry \(0, 2\) is NaN/],
    [symmetric(3, [1, 2, -0.5]), 3, /entry \(1, 2\) is -0.5/],
    [Float64Array.of(0, 1, 2, 0), 2, /not symmetric: entry \(0, 1\) is 1, entry \(1, 0\) is 2/],
    [Float64Array.of(0, 1, Number.NaN, 0), 2, /is NaN/],
    [new Float64Array(5), 2, /5 values given, 2 x 2 = 4 expected/],
    [new Float64Array(0), -1, /count is -1/],
  ];
  for (const [matrix, n, message] of broken) {
    expect(() => minimumSpanningTree(matrix, n)).toThrow(message);
    expect(() => minimumSpanningTree(matrix, n)).toThrow(TopologyError);
  }
});
