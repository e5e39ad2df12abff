import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { PersistenceDiagram } from "./diagram.js";
import { bottleneckDistance } from "./distance.js";
import { minimumSpanningTree } from "./minimumSpanningTree.js";
import { type PersistenceOptions, persistence } from "./persistence.js";
import { circle, clusteredCloud, matrix, sphere, uniformCloud } from "./rips/cases.test.support.js";
import { NO_VERTEX, type RipsCore } from "./rips/core.js";
import type { RipsInput } from "./rips/input.js";
import { portableRips } from "./rips/portable.js";
import { bettiCurve } from "./summaries/bettiCurve.js";

const SEED = 20_261_126;

const bars = ({ births, deaths }: PersistenceDiagram): number[][] =>
  Array.from(births, (birth, k) => [birth, deaths[k]!]);

const distance = (a: readonly number[], b: readonly number[]): number =>
  Math.sqrt(a.reduce((sum, x, k) => sum + (x - b[k]!) ** 2, 0));

/** Chords of the unit circle over `steps` of n equal arcs. */
const chord = (n: number, steps: number): number => Math.fround(2 * Math.sin((Math.PI * steps) / n));
const polygon = (n: number): number[][] => matrix(n, (i, j) => chord(n, Math.min(j - i, n - j + i)));

const coordinate = fc.integer({ min: -100, max: 100 }).map((value) => value / 8);
const clouds = (smallest: number, largest: number, dimension = 3) =>
  fc.array(fc.array(coordinate, { minLength: dimension, maxLength: dimension }), {
    minLength: smallest,
    maxLength: largest,
  });

describe("closed forms", () => {
  test.each([4, 5, 6, 7, 12, 20, 33, 60])(
    "the regular %d-gon has one cycle, from its side to a chord",
    (n) => {
      // It dies when steps are long enough to close a triangle about the centre: a third of the circle or more.
      const [, degree1] = persistence({ distances: polygon(n) });
      expect(bars(degree1!)).toEqual([[chord(n, 1), chord(n, Math.ceil(n / 3))]]);
    },
  );

  test("the cycle of a circle dies at about sqrt(3)", () => {
    const [, degree1] = persistence({ points: circle(300) });
    expect(degree1!.births.length).toBe(1);
    expect(degree1!.deaths[0]).toBeCloseTo(Math.sqrt(3), 3);
  });

  test("beyond a third of the circle come spheres (Adamaszek and Adams): S2 in a bunch, then S3", () => {
    // 12 points, 4 of 12 steps: a wedge of 12 - 2 · 4 - 1 two-spheres. 13 points, 5 of 13 steps: S3.
    const [, , degree2] = persistence({ distances: polygon(12) }, { maxDimension: 2 });
    expect(bars(degree2!)).toEqual(new Array(3).fill([chord(12, 4), chord(12, 5)]));
    const [, , , degree3] = persistence({ distances: polygon(13) }, { maxDimension: 3, modulus: 3 });
    expect(bars(degree3!)).toEqual([[chord(13, 5), chord(13, 6)]]);
  });

  test.each([1, 2, 3])("the cross-polytope's boundary is a sphere of dimension %d", (degree) => {
    const size = 2 * (degree + 1);
    const distances = matrix(size, (i, j) => (j - i === size / 2 ? 2 : Math.fround(Math.SQRT2)));
    const diagrams = persistence({ distances }, { maxDimension: 3 });
    expect(diagrams.slice(1).map(bars)).toEqual(
      [1, 2, 3].map((k) => (k === degree ? [[Math.fround(Math.SQRT2), 2]] : [])),
    );
  });

  test("points on a line have components only, which die at the gaps", () => {
    const [degree0, degree1] = persistence({ points: [[7], [0], [1], [3]] });
    expect(bars(degree0!)).toEqual([
      [0, 1],
      [0, 2],
      [0, 4],
      [0, Infinity],
    ]);
    expect(degree1!.births.length).toBe(0);
    expect([...degree0!.edges!.u].map((u, k) => [u, degree0!.edges!.v[k]])).toEqual([
      [1, 2],
      [2, 3],
      [0, 3],
    ]);
  });
});

describe("properties", () => {
  const options: PersistenceOptions = { maxDimension: 2, modulus: 3 };

  test("the order of the points does not matter", () => {
    fc.assert(
      fc.property(clouds(1, 14), fc.infiniteStream(fc.nat()), (points, keys) => {
        const shuffled = points
          .map((point) => ({ point, key: keys.next().value }))
          .sort((a, b) => a.key - b.key)
          .map(({ point }) => point);
        expect(persistence({ points: shuffled }, options).map(bars)).toEqual(
          persistence({ points }, options).map(bars),
        );
      }),
      { seed: SEED, numRuns: 60 },
    );
  });

  test("isometries leave bars alone, scaling scales them", () => {
    fc.assert(
      fc.property(clouds(1, 14), fc.array(coordinate, { minLength: 3, maxLength: 3 }), (points, shift) => {
        // Exact in floating point: a shift by eighths, mirrored and exchanged coordinates, a scale of a power of two.
        const moved = points.map(([x, y, z]) => [shift[0]! - y!, shift[1]! + x!, shift[2]! + z!]);
        const original = persistence({ points }, options).map(bars);
        expect(persistence({ points: moved }, options).map(bars)).toEqual(original);
        const scaled = points.map((point) => point.map((x) => 4 * x));
        expect(persistence({ points: scaled }, options).map(bars)).toEqual(
          original.map((ofDegree) => ofDegree.map((bar) => bar.map((x) => 4 * x))),
        );
      }),
      { seed: SEED, numRuns: 60 },
    );
  });

  test("rotations leave bars alone up to rounding", () => {
    const points = uniformCloud(40, 2, 5);
    const turned = points.map(([x, y]) => [0.6 * x! - 0.8 * y!, 0.8 * x! + 0.6 * y!]);
    const before = persistence({ points });
    persistence({ points: turned }).forEach((diagram, degree) => {
      expect(bottleneckDistance(diagram, before[degree]!).distance).toBeLessThan(1e-6);
    });
  });

  test("stability: diagrams move by no more than the distances do", () => {
    fc.assert(
      fc.property(clouds(2, 12), clouds(12, 12), (points, noise) => {
        const moved = points.map((row, i) => row.map((x, k) => x + noise[i]![k]! / 50));
        let largest = 0;
        for (const [i, a] of points.entries()) {
          for (const [j, b] of points.entries()) {
            largest = Math.max(largest, Math.abs(distance(a, b) - distance(moved[i]!, moved[j]!)));
          }
        }
        const before = persistence({ points }, options);
        persistence({ points: moved }, options).forEach((diagram, degree) => {
          expect(bottleneckDistance(diagram, before[degree]!).distance).toBeLessThanOrEqual(largest + 1e-5);
        });
      }),
      { seed: SEED, numRuns: 40 },
    );
  });

  test("at every scale the Betti numbers add up to the Euler characteristic", () => {
    // Degree 4 needs ten points: with nine, degrees 0 to 3 are all there are.
    fc.assert(
      fc.property(clouds(1, 9, 2), fc.double({ min: 0, max: 30, noNaN: true }), (points, scale) => {
        const closeTo = points.map((a) => points.map((b) => Math.fround(distance(a, b)) <= scale));
        let euler = 0;
        for (let subset = 1; subset < 1 << points.length; subset++) {
          const members = [...points.keys()].filter((k) => (subset >> k) & 1);
          const simplex = members.every((i) => members.every((j) => closeTo[i]![j]!));
          if (simplex) euler += members.length % 2 === 1 ? 1 : -1;
        }
        const betti = persistence({ points }, { maxDimension: 3 }).map((d) => bettiCurve(d, [scale])[0]!);
        expect(betti[0]! - betti[1]! + betti[2]! - betti[3]!).toBe(euler);
      }),
      { seed: SEED, numRuns: 100 },
    );
  });

  test("a threshold only cuts: later births go, later deaths become essential", () => {
    const points = sphere(40, 3, 6);
    const whole = persistence({ points }, { maxDimension: 2 });
    for (const threshold of [0.3, 0.8, 1.2]) {
      const cut = persistence({ points }, { maxDimension: 2, threshold });
      whole.forEach((diagram, degree) => {
        const expected = bars(diagram)
          .filter(([birth]) => birth! <= threshold)
          .map(([birth, death]) => [birth!, death! <= threshold ? death! : Infinity]);
        const sorted = (list: number[][]) => list.map(String).sort();
        expect(sorted(bars(cut[degree]!))).toEqual(sorted(expected));
      });
    }
  });
});

describe("what comes with the bars", () => {
  const points = clusteredCloud(40, 3, 3, 0.4, 7);
  const diagrams = persistence({ points }, { maxDimension: 2, cocycles: true });

  test("the longest edges of the simplices have the lengths of birth and death", () => {
    for (const { dimension, births, deaths, simplices } of diagrams) {
      const { birth, death, birthEdges, deathEdges } = simplices!;
      expect([birth.length, death.length]).toEqual([
        births.length * (dimension + 1),
        births.length * (dimension + 2),
      ]);
      births.forEach((born, k) => {
        for (const [edges, scale] of [
          [birthEdges, born],
          [deathEdges, deaths[k]!],
        ] as const) {
          const [u, v] = [edges[2 * k]!, edges[2 * k + 1]!];
          const absent = (edges === birthEdges && dimension === 0) || scale === Infinity;
          if (absent) expect([u, v]).toEqual([NO_VERTEX, NO_VERTEX]);
          else expect(Math.fround(distance(points[u]!, points[v]!))).toBe(scale);
        }
      });
    }
  });

  test("finite classes come by birth and death, essential ones last", () => {
    for (const diagram of diagrams) {
      const finite = bars(diagram).filter(([, death]) => death! < Infinity);
      expect(bars(diagram).slice(0, finite.length)).toEqual(finite);
      expect(finite).toEqual(finite.toSorted((a, b) => a[0]! - b[0]! || a[1]! - b[1]!));
    }
  });

  test("degree 0 has the minimum spanning tree's edges, in its order, whatever else is computed", () => {
    const distances = matrix(30, (i, j) => 1 + ((i * 7 + j * 11) % 5));
    const tree = minimumSpanningTree(Float64Array.from(distances.flat()), 30);
    for (const maxDimension of [0, 1]) {
      const { edges } = persistence({ distances }, { maxDimension })[0]!;
      expect(edges).toEqual(tree);
    }
  });

  test("a cocycle comes for each class", () => {
    for (const { dimension, births, cocycles } of diagrams) {
      expect(cocycles!.length).toBe(births.length);
      for (const { simplices, coefficients } of cocycles!) {
        expect(simplices.length).toBe(coefficients.length * (dimension + 1));
      }
    }
  });
});

describe("the same points in other forms", () => {
  const points = uniformCloud(24, 3, 8);
  const expected = persistence({ points }, { maxDimension: 2 });
  const lengths = matrix(24, (i, j) => distance(points[i]!, points[j]!));
  const pairs = points.flatMap((_, i) => points.slice(i + 1).map((_, k) => [i, i + 1 + k] as const));
  const list = {
    n: 24,
    u: Uint32Array.from(pairs, ([u]) => u),
    v: Uint32Array.from(pairs, ([, v]) => v),
    distance: Float64Array.from(pairs, ([u, v]) => lengths[u]![v]!),
  };

  test("flat points, rows and flat matrices, a list: equal diagrams", () => {
    for (const input of [
      { points: Float64Array.from(points.flat()), dimension: 3 },
      { distances: lengths },
      { distances: Float64Array.from(lengths.flat()) },
      list,
    ] satisfies RipsInput[]) {
      expect(persistence(input, { maxDimension: 2 })).toEqual(expected);
    }
  });

  test("a core without lists gets a triangle", () => {
    const dense: RipsCore = (problem) => portableRips(problem);
    expect(persistence(list, { maxDimension: 2, core: dense })).toEqual(expected);
  });

  test("a distance equal to the threshold is within it, although float32 rounds it up", () => {
    expect(Math.fround(0.1)).toBeGreaterThan(0.1);
    expect(bars(persistence({ points: [[0], [0.1]] }, { threshold: 0.1 })[0]!)).toEqual([
      [0, Math.fround(0.1)],
      [0, Infinity],
    ]);
  });
});

describe("edges of what is possible", () => {
  test("one point, or one many times, has one class and nothing else", () => {
    for (const points of [[[1, 2]], new Array(6).fill([1, 2])]) {
      expect(persistence({ points }, { maxDimension: 3 }).map(bars)).toEqual([[[0, Infinity]], [], [], []]);
    }
  });

  test("points without any joined pair are components for ever", () => {
    const none = { n: 3, u: new Uint32Array(0), v: new Uint32Array(0), distance: new Float64Array(0) };
    expect(bars(persistence(none, { maxDimension: 3 })[0]!)).toEqual(new Array(3).fill([0, Infinity]));
  });

  const list = (u: number[], v: number[], lengths: number[]) => ({
    n: 3,
    u: Uint32Array.from(u),
    v: Uint32Array.from(v),
    distance: Float64Array.from(lengths),
  });
  const refused: [RegExp, string, RipsInput, PersistenceOptions?][] = [
    [/no points given/, "E_DISTANCES", { points: [] }],
    [/no points given/, "E_DISTANCES", { distances: [] }],
    [/row 0, column 1 is NaN/, "E_DISTANCES", { points: [[1, Number.NaN]] }],
    [/row 1, column 0 is Infinity/, "E_DISTANCES", { points: [[1], [Infinity]] }],
    [/row 1 has 1 values, row 0 has 2/, "E_DISTANCES", { points: [[1, 2], [1]] }],
    [/5 values are no rows of dimension 2/, "E_DISTANCES", { points: new Float32Array(5), dimension: 2 }],
    [/dimension/, "E_DISTANCES", { points: new Float32Array(4) } as unknown as RipsInput],
    [/points 0 and 1 is 1e\+100, beyond float32/, "E_DISTANCES", { points: [[0], [1e100]] }],
    [/row 0 is zero/, "E_DISTANCES", { points: [[0], [1]], metric: "cosine" }],
    [/entry \(0, 1\) is NaN/, "E_DISTANCES", { distances: matrix(2, () => Number.NaN) }],
    [/entry \(0, 1\) is -1/, "E_DISTANCES", { distances: matrix(2, () => -1) }],
    [/entry \(0, 1\) is Infinity; .* list/, "E_DISTANCES", { distances: matrix(2, () => Infinity) }],
    [
      /not symmetric: entry \(0, 1\) is 1/,
      "E_DISTANCES",
      {
        distances: [
          [0, 1],
          [2, 0],
        ],
      },
    ],
    [
      /entry \(1, 1\) is 3; a point is at distance 0/,
      "E_DISTANCES",
      {
        distances: [
          [0, 1],
          [1, 3],
        ],
      },
    ],
    [
      /2 rows of 3 values given, a square/,
      "E_DISTANCES",
      {
        distances: [
          [0, 1, 2],
          [1, 0, 2],
        ],
      },
    ],
    [/5 values given, a square/, "E_DISTANCES", { distances: new Float64Array(5) }],
    [/entry 0 is the pair \(1, 1\); u < v < 3/, "E_DISTANCES", list([1], [1], [1])],
    [/entry 0 is the pair \(1, 3\)/, "E_DISTANCES", list([1], [3], [1])],
    [/the pair \(0, 1\), is NaN/, "E_DISTANCES", list([0], [1], [Number.NaN])],
    [/pair \(0, 1\) is there twice/, "E_DISTANCES", list([0, 0, 0], [1, 2, 1], [1, 2, 3])],
    [/2 u, 1 v and 1 distances/, "E_DISTANCES", list([0, 1], [1], [1])],
    [/maxDimension is 4/, "E_OPTION", { points: [[0]] }, { maxDimension: 4 }],
    [/modulus is 6; a prime/, "E_OPTION", { points: [[0]] }, { modulus: 6 }],
    [/modulus is 65537/, "E_OPTION", { points: [[0]] }, { modulus: 65_537 }],
    [/threshold is NaN/, "E_OPTION", { points: [[0]] }, { threshold: Number.NaN }],
    [/memoryLimit is 0/, "E_OPTION", { points: [[0]] }, { memoryLimit: 0 }],
    [
      /100000 points need .* 17515 points would fit/,
      "E_TOO_LARGE",
      { points: new Float32Array(100_000), dimension: 1 },
    ],
    [
      /a list of 0 distances of 1000000000000 points: 4.0e\+4 GB needed/,
      "E_TOO_LARGE",
      { ...list([], [], []), n: 1e12 },
    ],
    [
      /distances within the threshold among the first \d+ of 3000 points: .* 15714 distances would fit/,
      "E_TOO_LARGE",
      { points: new Float32Array(3_000), dimension: 1 },
      { threshold: 1, memoryLimit: 1e6 },
    ],
  ];
  test.each(refused)("refused: %s", (message, code, input, options) => {
    expect(() => persistence(input, options)).toThrow(expect.objectContaining({ code }));
    expect(() => persistence(input, options)).toThrow(message);
  });
});
