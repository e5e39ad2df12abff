import { TopofrError } from "@topofr/formats";
import { expect, test } from "vitest";
import {
  type NativeRipsPairs,
  type NativeRipsProblem,
  type NativeSparseRipsProblem,
  nativeRips,
  nativeRipsAsync,
} from "./topologyRips.js";
import { errorOf } from "./torch.test.helpers.js";

/** Numbers in [0, 1), the same in every run. */
function sequence(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return state / 0x80000000;
  };
}

function problemOf(
  distances: Float32Array,
  n: number,
  changes: Partial<NativeRipsProblem> = {},
): NativeRipsProblem {
  const options = {
    maxDimension: 1,
    threshold: Infinity,
    modulus: 2,
    representatives: true,
    cocycles: false,
  } as const;
  return { ...options, n, distances, ...changes };
}

function triangleOf(points: readonly (readonly number[])[]): Float32Array {
  const lengths: number[] = [];
  for (let i = 1; i < points.length; i++)
    for (let j = 0; j < i; j++) lengths.push(Math.hypot(...points[i]!.map((x, k) => x - points[j]![k]!)));
  return Float32Array.from(lengths);
}

function circle(n: number): number[][] {
  return Array.from({ length: n }, (_, k) => [
    Math.cos((2 * Math.PI * k) / n),
    Math.sin((2 * Math.PI * k) / n),
  ]);
}

function torus(n: number, seed: number): number[][] {
  const next = sequence(seed);
  return Array.from({ length: n }, () => {
    const [a, b] = [2 * Math.PI * next(), 2 * Math.PI * next()];
    return [(2 + Math.cos(b)) * Math.cos(a), (2 + Math.cos(b)) * Math.sin(a), Math.sin(b)];
  });
}

/** One line for each pair, sorted: what two results must share. */
function linesOf(pairs: NativeRipsPairs, withSimplices = true): string[] {
  const width = pairs.dimension + 1;
  return Array.from(pairs.births, (birth, k) => {
    const bar = `${birth} ${pairs.deaths[k]}`;
    if (!withSimplices) return bar;
    const simplices = [
      pairs.birthSimplices!.slice(k * width, (k + 1) * width),
      pairs.deathSimplices!.slice(k * (width + 1), (k + 1) * (width + 1)),
    ];
    return `${bar} ${simplices.join(" ")}`;
  }).sort();
}

/**
 * Persistent homology as it is defined: the boundary matrix over Z/p of all simplices, reduced by its columns in the
 * order of the filtration. No clearing, no shortcuts; for a dozen points.
 */
function byDefinition({ n, distances, maxDimension, threshold, modulus }: NativeRipsProblem): string[][] {
  const length = (i: number, j: number) =>
    distances[(Math.max(i, j) * (Math.max(i, j) - 1)) / 2 + Math.min(i, j)]!;
  const simplices: { vertices: number[]; diameter: number }[] = [];
  const extend = (vertices: number[], diameter: number) => {
    if (vertices.length > 0) simplices.push({ vertices, diameter });
    if (vertices.length === maxDimension + 2) return;
    for (let v = (vertices.at(-1) ?? -1) + 1; v < n; v++) {
      const grown = Math.max(diameter, ...vertices.map((u) => length(u, v)));
      if (grown <= threshold && grown < Infinity) extend([...vertices, v], grown);
    }
  };
  extend([], 0);
  simplices.sort((a, b) => a.diameter - b.diameter || a.vertices.length - b.vertices.length);
  const place = new Map(simplices.map(({ vertices }, k) => [vertices.join(), k]));
  const inverse = (a: number) =>
    Array.from({ length: modulus }, (_, b) => b).find((b) => (a * b) % modulus === 1)!;
  const reduced = new Map<number, Map<number, number>>(); // by its last row, scaled to 1 there
  const dead = new Set<number>();
  const bars: string[][] = Array.from({ length: maxDimension + 1 }, () => []);
  simplices.forEach(({ vertices, diameter }, k) => {
    const column = new Map<number, number>();
    if (vertices.length > 1)
      for (let i = 0; i < vertices.length; i++)
        column.set(
          place.get(vertices.filter((_, other) => other !== i).join())!,
          i % 2 === 0 ? 1 : modulus - 1,
        );
    while (column.size > 0) {
      const last = Math.max(...column.keys());
      const owner = reduced.get(last);
      if (owner === undefined) {
        const scale = inverse(column.get(last)!);
        reduced.set(last, new Map([...column].map(([row, value]) => [row, (value * scale) % modulus])));
        dead.add(last).add(k);
        const birth = simplices[last]!.diameter;
        if (birth < diameter) bars[vertices.length - 2]!.push(`${birth} ${diameter}`);
        return;
      }
      const factor = modulus - column.get(last)!;
      for (const [row, value] of owner) {
        const sum = ((column.get(row) ?? 0) + factor * value) % modulus;
        if (sum === 0) column.delete(row);
        else column.set(row, sum);
      }
    }
  });
  simplices.forEach(({ vertices, diameter }, k) => {
    if (!dead.has(k) && vertices.length <= maxDimension + 1)
      bars[vertices.length - 1]!.push(`${diameter} Infinity`);
  });
  return bars.map((ofDegree) => ofDegree.sort());
}

function sparseOf(problem: NativeRipsProblem): NativeSparseRipsProblem {
  const { distances, ...question } = problem;
  const edges: [number, number, number][] = [];
  for (let v = 1, k = 0; v < problem.n; v++)
    for (let u = 0; u < v; u++, k++) if (distances[k]! < Infinity) edges.push([u, v, distances[k]!]);
  edges.reverse(); // any order will do
  const [u, v] = [Int32Array.from(edges, (e) => e[0]), Int32Array.from(edges, (e) => e[1])];
  return { ...question, u, v, lengths: Float32Array.from(edges, (e) => e[2]) };
}

/** Small problems: random lengths, few different ones, absent pairs; all degrees and fields. */
function smallProblems(count: number, most: number): NativeRipsProblem[] {
  const next = sequence(5);
  return Array.from({ length: count }, (_, trial) => {
    const n = 1 + Math.floor(next() * most);
    const different = trial % 2 === 0 ? 1e6 : 1 + Math.floor(next() * 5);
    const distances = Float32Array.from({ length: (n * (n - 1)) / 2 }, () =>
      trial % 3 === 0 && next() < 0.2 ? Infinity : Math.floor(next() * different) / different,
    );
    const maxDimension = (trial % 4) as 0 | 1 | 2 | 3;
    return problemOf(distances, n, {
      maxDimension,
      modulus: [2, 3, 7][trial % 3]!,
      threshold: trial % 5 === 0 ? 0.6 : Infinity,
    });
  });
}

test("bars are those of the reduced boundary matrix", () => {
  for (const problem of smallProblems(60, 9))
    expect(nativeRips(problem).map((pairs) => linesOf(pairs, false))).toEqual(byDefinition(problem));
});

test("a list of edges gives the pairs of the matrix", () => {
  for (const problem of smallProblems(60, 20))
    expect(nativeRips.sparse(sparseOf(problem)).map((pairs) => linesOf(pairs))).toEqual(
      nativeRips(problem).map((pairs) => linesOf(pairs)),
    );
});

// The portable core is in a package that this one does not depend on; its own tests compare it with Ripser.
const topology = (await import(new URL("../../topology/dist/index.js", import.meta.url).href).catch(
  () => null,
)) as {
  portableRips?: (problem: NativeRipsProblem) => NativeRipsPairs[];
} | null;

test.skipIf(topology?.portableRips === undefined)(
  "pairs and their simplices are the portable core's (skipped when packages/topology is not built)",
  () => {
    const larger = problemOf(triangleOf(torus(90, 3)), 90, { maxDimension: 2, threshold: 3.5, modulus: 3 });
    const grid = problemOf(triangleOf(Array.from({ length: 64 }, (_, k) => [k % 8, k >> 3])), 64, {
      maxDimension: 2,
    });
    for (const problem of [...smallProblems(100, 25), larger, grid])
      expect(nativeRips(problem).map((pairs) => linesOf(pairs))).toEqual(
        topology!.portableRips!(problem).map((pairs) => linesOf(pairs)),
      );
  },
);

test("a regular polygon has one loop, born at its side", () => {
  for (const n of [5, 12, 60]) {
    const [, loops] = nativeRips(problemOf(triangleOf(circle(n)), n));
    expect(loops!.births).toHaveLength(1);
    expect(loops!.births[0]).toBeCloseTo(2 * Math.sin(Math.PI / n), 5);
    // Adamaszek and Adams, 2017: it dies when an inscribed triangle closes, of ceil(n / 3) sides a step.
    expect(loops!.deaths[0]).toBeCloseTo(2 * Math.sin((Math.PI * Math.ceil(n / 3)) / n), 5);
  }
});

test("the octahedron's corners bound a 2-sphere, those of its analogue a 3-sphere", () => {
  for (const dimension of [2, 3] as const) {
    const corners = Array.from({ length: 2 * (dimension + 1) }, (_, k) =>
      Array.from({ length: dimension + 1 }, (_, axis) => (axis === k >> 1 ? 1 - 2 * (k & 1) : 0)),
    );
    const pairs = nativeRips(problemOf(triangleOf(corners), corners.length, { maxDimension: dimension }));
    expect(pairs.slice(1, dimension).map((p) => p.births.length)).toEqual(Array(dimension - 1).fill(0));
    expect([pairs[dimension]!.births, pairs[dimension]!.deaths]).toEqual([
      Float32Array.of(Math.SQRT2),
      Float32Array.of(2),
    ]);
  }
});

test("the Klein bottle's torsion tells Z/2 from Z/3", () => {
  // A grid of 8 x 8 vertices on the square with sides identified; distances are steps in the identified graph.
  const side = 8;
  const at = (x: number, y: number): number => {
    const turns = Math.floor(x / side);
    const column = x - turns * side;
    const row = (((turns % 2 === 0 ? y : -y) % side) + side) % side;
    return column * side + row;
  };
  const edges = new Map<string, [number, number]>();
  for (let x = 0; x < side; x++)
    for (let y = 0; y < side; y++)
      for (const [dx, dy] of [
        [1, 0],
        [0, 1],
        [1, 1],
      ] as const) {
        // The diagonal must not turn with the row: take it as drawn on the square.
        const [a, b] = [at(x, y), at(x + dx, y + dy)];
        edges.set(`${Math.min(a, b)},${Math.max(a, b)}`, [Math.min(a, b), Math.max(a, b)]);
      }
  const list = [...edges.values()];
  const sparse = {
    n: side * side,
    u: Int32Array.from(list, (e) => e[0]),
    v: Int32Array.from(list, (e) => e[1]),
    lengths: new Float32Array(list.length).fill(1),
    maxDimension: 2,
    threshold: Infinity,
    representatives: false,
    cocycles: false,
  } as const;
  const betti = (modulus: number) =>
    nativeRips
      .sparse({ ...sparse, modulus })
      .map(({ deaths }) => deaths.filter((death) => death === Infinity).length);
  expect(betti(2)).toEqual([1, 2, 1]);
  expect(betti(3)).toEqual([1, 1, 0]);
});

test("the number of threads changes nothing", async () => {
  const problem = problemOf(triangleOf(torus(160, 8)), 160, { maxDimension: 2, threshold: 3 });
  const one = await nativeRipsAsync(problem, { threads: 1 });
  for (const threads of [2, 5])
    expect((await nativeRipsAsync(problem, { threads })).map((pairs) => linesOf(pairs))).toEqual(
      one.map((pairs) => linesOf(pairs)),
    );
});

test("cocycles are cocycles from birth to death", () => {
  const points = torus(40, 4);
  const n = points.length;
  const distances = triangleOf(points);
  const length = (i: number, j: number) =>
    distances[(Math.max(i, j) * (Math.max(i, j) - 1)) / 2 + Math.min(i, j)]!;
  for (const modulus of [2, 5]) {
    const [components, loops] = nativeRips(problemOf(distances, n, { modulus, cocycles: true }));
    expect(components!.cocycles).toHaveLength(n);
    expect(loops!.cocycles).toHaveLength(loops!.births.length);
    loops!.cocycles!.forEach(({ simplices, coefficients }, k) => {
      const value = new Map(
        Array.from(coefficients, (c, e) => [simplices.slice(2 * e, 2 * e + 2).join(), c]),
      );
      for (let a = 0; a < n; a++)
        for (let b = a + 1; b < n; b++)
          for (let c = b + 1; c < n; c++) {
            if (Math.max(length(a, b), length(a, c), length(b, c)) >= loops!.deaths[k]!) continue;
            const sum =
              (value.get(`${b},${c}`) ?? 0) - (value.get(`${a},${c}`) ?? 0) + (value.get(`${a},${b}`) ?? 0);
            expect((sum + modulus) % modulus).toBe(0);
          }
      const births = Array.from(coefficients, (_, e) => length(simplices[2 * e]!, simplices[2 * e + 1]!));
      expect(Math.min(...births)).toBe(loops!.births[k]);
    });
  }
});

test("no points, one point, points all in one place", () => {
  const empty = nativeRips(problemOf(new Float32Array(0), 0, { maxDimension: 2 }));
  expect(empty.map((pairs) => pairs.births.length)).toEqual([0, 0, 0]);
  expect(linesOf(nativeRips(problemOf(new Float32Array(0), 1))[0]!)).toEqual([
    "0 Infinity 0 4294967295,4294967295",
  ]);
  const same = nativeRips(problemOf(new Float32Array(45), 10, { maxDimension: 3 }));
  expect(same.map((pairs) => pairs.births.length)).toEqual([1, 0, 0, 0]);
});

test("what is no problem is refused, and says why", () => {
  const triangle = triangleOf(circle(4));
  const cases: [unknown, RegExp][] = [
    [null, /expected an object/],
    [{}, /n is undefined/],
    [problemOf(triangle, 5), /6 values given, 5 points have 10/],
    [problemOf(triangle, -1), /n is -1/],
    [problemOf(triangle, 3.5), /n is 3.5/],
    [problemOf(triangle, 4, { maxDimension: 4 as 3 }), /maxDimension is 4/],
    [problemOf(triangle, 4, { modulus: 4 }), /modulus is 4; a prime/],
    [problemOf(triangle, 4, { threshold: Number.NaN }), /threshold is NaN/],
    [problemOf(triangle, 4, { threshold: -1 }), /threshold is -1/],
    [
      problemOf(
        triangle.map((x, k) => (k === 4 ? Number.NaN : x)),
        4,
      ),
      /distance \(1, 3\) is nan/,
    ],
    [
      problemOf(
        triangle.map((x, k) => (k === 0 ? -x : x)),
        4,
      ),
      /distance \(0, 1\) is -/,
    ],
    [{ ...problemOf(triangle, 4), distances: Float64Array.from(triangle) }, /expected a Float32Array/],
    [{ ...sparseOf(problemOf(triangle, 4)), u: Int32Array.of(9, 0, 0, 0, 0, 0) }, /edge 0 joins 9 and/],
    [{ ...sparseOf(problemOf(triangle, 4)), u: Int32Array.of(0) }, /differ in length/],
    [
      {
        ...sparseOf(problemOf(triangle, 4)),
        u: Int32Array.of(0, 0),
        v: Int32Array.of(1, 1),
        lengths: Float32Array.of(1, 2),
      },
      /edge \(0, 1\) is listed twice/,
    ],
  ];
  for (const [problem, message] of cases) {
    const error = errorOf(() => nativeRips(problem as NativeRipsProblem));
    expect([error instanceof TopofrError, error.code]).toEqual([true, "E_USAGE"]);
    expect(error.message).toMatch(message);
  }
});

test("what does not fit is refused, and says what to do", async () => {
  const problem = problemOf(triangleOf(torus(300, 1)), 300, { maxDimension: 2 });
  await expect(nativeRipsAsync(problem, { memoryLimit: 500_000 })).rejects.toThrow(
    /may use 0 MiB.*raise memoryLimit/,
  );
  // C(n, 5) must stay below 2^63, and below 2^63 / p with coefficients.
  const many = { ...sparseOf(problemOf(Float32Array.of(1), 2)), n: 2_000_000, maxDimension: 3 as const };
  const error = errorOf(() => nativeRips.sparse(many));
  expect([error.code, error.message]).toEqual([
    "E_DATA",
    expect.stringContaining("too many simplices of 5 vertices"),
  ]);
});

test("progress is told, and a signal ends the work", async () => {
  const problem = problemOf(triangleOf(torus(700, 2)), 700, { maxDimension: 3 });
  const reason = new Error("enough");
  const stop = new AbortController();
  const seen: string[] = [];
  const work = nativeRipsAsync(problem, {
    signal: stop.signal,
    onProgress: ({ dimension, stage, done, total }) => {
      seen.push(`${dimension} ${stage}`);
      expect(done).toBeLessThanOrEqual(total);
      stop.abort(reason);
    },
  });
  await expect(work).rejects.toBe(reason);
  expect(seen).toHaveLength(1);
  await expect(nativeRipsAsync(problem, { signal: stop.signal })).rejects.toBe(reason);
  const failing = nativeRipsAsync(problem, {
    onProgress: () => {
      throw reason;
    },
  });
  await expect(failing).rejects.toBe(reason);
});
