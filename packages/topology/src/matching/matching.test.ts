// Distances of diagrams with any births. Closed forms of equal births: ../distance.test.ts.

import { execFileSync, spawnSync } from "node:child_process";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { PersistenceDiagram } from "../diagram.js";
import {
  bottleneckDistance,
  type DiagramDistance,
  distancesByDegree,
  wassersteinDistance,
} from "../distance.js";
import { diagramDistanceGradient } from "./gradient.js";

const SEED = 20_260_105;

type Point = readonly [birth: number, death: number];

const diagram = (points: readonly Point[]): PersistenceDiagram => ({
  dimension: 1,
  births: Float64Array.from(points, ([birth]) => birth),
  deaths: Float64Array.from(points, ([, death]) => death),
});

const groundCost = (p: Point | null, q: Point | null): number => {
  if (p !== null && q !== null)
    return Math.max(Math.abs(p[0] - q[0]), p[1] === q[1] ? 0 : Math.abs(p[1] - q[1]));
  const [birth, death] = (p ?? q)!;
  return (death - birth) / 2;
};

/** The definition: the best over every partial matching, `combine` over the costs. */
function bruteForce(a: readonly Point[], b: readonly Point[], combine: (costs: number[]) => number): number {
  const [head, ...tail] = a;
  if (head === undefined) return combine(b.map((point) => groundCost(null, point)));
  const withCost = (cost: number) => (costs: number[]) => combine([cost, ...costs]);
  let best = bruteForce(tail, b, withCost(groundCost(head, null)));
  b.forEach((point, k) => {
    best = Math.min(best, bruteForce(tail, b.toSpliced(k, 1), withCost(groundCost(head, point))));
  });
  return best;
}

const largest = (costs: readonly number[]) => Math.max(0, ...costs);
const norm = (p: number) => (costs: readonly number[]) =>
  costs.reduce((sum, cost) => sum + cost ** p, 0) ** (1 / p);

// Few distinct values, so that ties, duplicates and points on the diagonal are common; and arbitrary ones.
const value = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.double({ min: -5, max: 5, noNaN: true, noDefaultInfinity: true }),
);
const point = fc.tuple(value, value).map(([x, y]): Point => [Math.min(x, y), Math.max(x, y)]);
const fewPoints = fc.array(point, { maxLength: 5 });
const somePoints = fc.array(point, { maxLength: 25 });

/** Every point occurs once, costs are what they should be, and the matching costs what is reported. */
function expectValid(
  a: readonly Point[],
  b: readonly Point[],
  { matching, distance, lowerBound }: DiagramDistance,
  combine: (costs: readonly number[]) => number,
): void {
  for (const [side, points] of [["a", a] as const, ["b", b] as const]) {
    const used = matching.map((pair) => pair[side]).filter((k) => k !== null);
    expect(used.sort((i, j) => i - j)).toEqual([...points.keys()]);
  }
  for (const { a: i, b: j, cost } of matching) {
    expect(cost).toBe(groundCost(i === null ? null : a[i]!, j === null ? null : b[j]!));
  }
  expect(combine(matching.map(({ cost }) => cost))).toBeCloseTo(distance, 9);
  expect(lowerBound).toBeLessThanOrEqual(distance);
}

test("bottleneck distance is the smallest largest cost over all matchings", () => {
  fc.assert(
    fc.property(fewPoints, fewPoints, (a, b) => {
      const result = bottleneckDistance(diagram(a), diagram(b));
      expect(result.distance).toBeCloseTo(bruteForce(a, b, largest), 12);
      expect(result).toMatchObject({ exact: true, lowerBound: result.distance });
      expectValid(a, b, result, largest);
    }),
    { seed: SEED, numRuns: 100 },
  );
});

test.each([1, 2, 3.5, 20])("Wasserstein distance W_%d is the smallest total cost over all matchings", (p) => {
  fc.assert(
    fc.property(fewPoints, fewPoints, (a, b) => {
      const result = wassersteinDistance(diagram(a), diagram(b), { p });
      expect(result.distance).toBeCloseTo(bruteForce(a, b, norm(p)), 9);
      expect(result).toMatchObject({ exact: true, lowerBound: result.distance });
      expectValid(a, b, result, norm(p));
    }),
    { seed: SEED, numRuns: 80 },
  );
});

test("with a relative error, both stay within it and below it lies a true lower bound", () => {
  const relativeError = fc.constantFrom(0.001, 0.01, 0.2, 3);
  fc.assert(
    fc.property(somePoints, somePoints, relativeError, fc.constantFrom(1, 2, 5), (x, y, error, p) => {
      const [a, b] = [diagram(x), diagram(y)];
      const pairs = [
        [bottleneckDistance(a, b), bottleneckDistance(a, b, { relativeError: error }), largest],
        [wassersteinDistance(a, b, { p }), wassersteinDistance(a, b, { p, relativeError: error }), norm(p)],
      ] as const;
      for (const [exact, near, combine] of pairs) {
        expectValid(x, y, near, combine);
        expect(near.lowerBound).toBeLessThanOrEqual(exact.distance + 1e-12);
        expect(near.distance).toBeGreaterThanOrEqual(exact.distance - 1e-12);
        expect(near.distance).toBeLessThanOrEqual(exact.distance * (1 + error) + 1e-12);
      }
    }),
    { seed: SEED, numRuns: 80 },
  );
});

test("both are metrics, W_p falls with p and is no less than the bottleneck distance", () => {
  fc.assert(
    fc.property(somePoints, somePoints, somePoints, (x, y, z) => {
      const [a, b, c] = [diagram(x), diagram(y), diagram(z)];
      for (const between of [bottleneckDistance, wassersteinDistance]) {
        expect(between(a, diagram(x.toReversed())).distance).toBeLessThan(1e-12);
        expect(between(a, b).distance).toBeCloseTo(between(b, a).distance, 9);
        expect(between(a, c).distance).toBeLessThanOrEqual(
          between(a, b).distance + between(b, c).distance + 1e-9,
        );
      }
      const orders = [1, 2, 4, 10].map((p) => wassersteinDistance(a, b, { p }).distance);
      orders.push(bottleneckDistance(a, b).distance);
      orders.forEach((distance, k) => {
        if (k > 0) expect(distance).toBeLessThanOrEqual(orders[k - 1]! + 1e-9);
      });
    }),
    { seed: SEED, numRuns: 60 },
  );
});

test("moving every point by at most e moves the diagram by at most e, and n points by n e in W_1", () => {
  const shift = fc.double({ min: -0.1, max: 0.1, noNaN: true });
  const moved = fc.array(fc.tuple(point, shift, shift), { maxLength: 40 });
  fc.assert(
    fc.property(moved, (rows) => {
      const before = diagram(rows.map(([one]) => one));
      // Births and deaths move; a point never crosses the diagonal farther than it moves.
      const after = diagram(rows.map(([[x, y], dx, dy]): Point => [Math.min(x + dx, y + dy), y + dy]));
      expect(bottleneckDistance(before, after).distance).toBeLessThanOrEqual(0.2 + 1e-12);
      expect(wassersteinDistance(before, after).distance).toBeLessThanOrEqual(0.2 * rows.length + 1e-9);
    }),
    { seed: SEED, numRuns: 80 },
  );
});

test("equal births: the general solvers agree with the closed forms", () => {
  const bars = fc.array(
    fc.oneof(fc.integer({ min: 0, max: 9 }), fc.double({ min: 0, max: 9, noNaN: true })),
    {
      maxLength: 30,
    },
  );
  fc.assert(
    fc.property(bars, bars, (x, y) => {
      // One far, short bar keeps the closed forms out and matches the diagonal at a cost below all others.
      const closed = [x, y].map((deaths) => diagram(deaths.map((death): Point => [0, death])));
      const general = [x, y].map((deaths) =>
        diagram([...deaths.map((death): Point => [0, death]), [1e3, 1e3 + 2e-9]]),
      );
      expect(bottleneckDistance(general[0]!, general[1]!).distance).toBeCloseTo(
        bottleneckDistance(closed[0]!, closed[1]!).distance,
        8,
      );
      for (const p of [1, 2]) {
        expect(wassersteinDistance(general[0]!, general[1]!, { p }).distance).toBeCloseTo(
          wassersteinDistance(closed[0]!, closed[1]!, { p }).distance,
          7,
        );
      }
    }),
    { seed: SEED, numRuns: 80 },
  );
});

/** k * root and k^2 * root modulo 1: the same numbers in NumPy. */
function madeUp(count: number, square: number, kind: string): Point[] {
  const root = Math.sqrt(square);
  return Array.from({ length: count }, (_, index): Point => {
    const k = index + 1;
    const [x, y] = [(k * root) % 1, (k * k * root) % 1];
    if (kind === "grid") return [Math.floor(6 * x), Math.floor(6 * x) + 1 + Math.floor(4 * y)];
    return [x, x + (kind === "noise" ? y ** 6 : y)];
  });
}

// GUDHI 3.7.1 bottleneck_distance; SciPy linear_sum_assignment on the matrix with diagonal copies for W_1 and W_2.
test.each([
  ["uniform", 40, 37, 0.18930077487285502, 4.04836851609865, 0.7089828293770977],
  ["uniform", 300, 280, 0.09817510231857796, 14.201395423151666, 0.9359548182319538],
  ["noise", 40, 37, 0.27276763409541915, 1.9891076895267519, 0.4925186221758168],
  ["noise", 300, 280, 0.2065726235179316, 9.805220993218349, 1.0427813172635434],
  ["grid", 40, 37, 1.0, 18.5, 4.2130748865881795],
  ["grid", 300, 280, 1.0, 58.0, 7.245688373094719],
])("equal to GUDHI and SciPy: %s, %d and %d points", (kind, n, m, bottleneck, w1, w2) => {
  const [a, b] = [diagram(madeUp(n, 2, kind)), diagram(madeUp(m, 3, kind))];
  expect(bottleneckDistance(a, b).distance).toBeCloseTo(bottleneck, 12);
  for (const [p, expected] of [
    [1, w1],
    [2, w2],
  ] as const) {
    const result = wassersteinDistance(a, b, { p });
    expect(result.exact).toBe(true);
    expect(result.distance / expected).toBeCloseTo(1, 10);
  }
});

const PYTHON = ["python3", "/usr/bin/python3"].find(
  (name) => spawnSync(name, ["-c", "import gudhi, gudhi.hera"]).status === 0,
);

test.skipIf(PYTHON === undefined)(
  "equal to GUDHI's bottleneck and Hera's Wasserstein, run here (Debian python3-gudhi)",
  () => {
    const script = `
import sys, json, math, numpy, gudhi, gudhi.hera
a, b = (numpy.array(x) for x in json.load(sys.stdin))
print(json.dumps([gudhi.bottleneck_distance(a, b)] + [
  gudhi.hera.wasserstein_distance(a, b, order=p, internal_p=math.inf, delta=1e-9) for p in (1, 3)]))`;
    const [x, y] = [madeUp(150, 5, "noise"), madeUp(170, 7, "uniform")];
    const output = execFileSync(PYTHON!, ["-c", script], { input: JSON.stringify([x, y]), encoding: "utf8" });
    const [bottleneck, w1, w3] = JSON.parse(output) as [number, number, number];
    const [a, b] = [diagram(x), diagram(y)];
    expect(bottleneckDistance(a, b).distance).toBeCloseTo(bottleneck, 12);
    expect(wassersteinDistance(a, b).distance / w1).toBeCloseTo(1, 8);
    expect(wassersteinDistance(a, b, { p: 3 }).distance / w3).toBeCloseTo(1, 8);
  },
);

test("essential classes match by birth and never a finite point", () => {
  const a: Point[] = [
    [5, Infinity],
    [0, 4],
    [1, Infinity],
  ];
  const b: Point[] = [
    [2, Infinity],
    [4, Infinity],
    [0, 4],
  ];
  for (const [p, distance] of [
    [1, 2],
    [2, Math.SQRT2],
  ] as const) {
    const result = wassersteinDistance(diagram(a), diagram(b), { p });
    expect(result.distance).toBeCloseTo(distance, 12);
    expect(result.matching.slice(0, 2)).toEqual([
      { a: 2, b: 0, cost: 1 },
      { a: 0, b: 1, cost: 1 },
    ]);
  }
  expect(bottleneckDistance(diagram(a), diagram(b)).distance).toBe(1);
  const more = bottleneckDistance(diagram(a), diagram(b.slice(1)));
  expect(more).toMatchObject({ distance: Infinity, lowerBound: Infinity, exact: true });
  expect(more.matching).toContainEqual({ a: 0, b: null, cost: Infinity });
});

test("lists of diagrams are compared degree by degree", () => {
  const loops = diagram([[1, 3]]);
  const components = { ...diagram([[0, 2]]), dimension: 0 };
  expect(
    distancesByDegree([components, loops], [{ ...components, deaths: Float64Array.of(1.5) }]).map(
      ({ dimension, distance }) => [dimension, distance],
    ),
  ).toEqual([
    [0, 0.5],
    [1, 1],
  ]);
  const squares = (a: PersistenceDiagram, b: PersistenceDiagram) => wassersteinDistance(a, b, { p: 2 });
  expect(distancesByDegree([loops], [loops], squares)).toMatchObject([{ dimension: 1, distance: 0 }]);
  expect(() => distancesByDegree([loops, loops], [])).toThrow("two diagrams of degree 1");
});

test("gradients are the change of the distance when a coordinate moves", () => {
  const generic = fc.array(
    fc.tuple(fc.double({ min: 0, max: 4, noNaN: true }), fc.double({ min: 0.5, max: 3, noNaN: true })),
    { minLength: 1, maxLength: 6 },
  );
  const essential = fc.array(fc.double({ min: 0, max: 4, noNaN: true }), { minLength: 2, maxLength: 2 });
  const orders = [1, 2, 3, Infinity];
  const step = 1e-6;
  fc.assert(
    fc.property(generic, generic, essential, fc.constantFrom(...orders), (x, y, ends, p) => {
      const [a, b] = [x, y].map((rows, k) =>
        diagram([...rows.map(([birth, length]): Point => [birth, birth + length]), [ends[k]!, Infinity]]),
      ) as [PersistenceDiagram, PersistenceDiagram];
      const between = () => (p === Infinity ? bottleneckDistance(a, b) : wassersteinDistance(a, b, { p }));
      const gradient = diagramDistanceGradient(a, b, between(), { p });
      for (const [side, numbers] of [
        ["a", a],
        ["b", b],
      ] as const) {
        for (const kind of ["births", "deaths"] as const) {
          numbers[kind].forEach((at, k) => {
            if (at === Infinity) {
              expect(gradient[side][kind][k]).toBe(0);
              return;
            }
            numbers[kind][k] = at + step;
            const above = between().distance;
            numbers[kind][k] = at - step;
            const below = between().distance;
            numbers[kind][k] = at;
            const here = between().distance;
            // Where two matchings are equally good the one-sided slopes differ: the gradient is one of them.
            const slopes = [(above - here) / step, (here - below) / step];
            const nearest = slopes.map((slope) => Math.abs(slope - gradient[side][kind][k]!));
            expect(Math.min(...nearest)).toBeLessThan(1e-3);
          });
        }
      }
    }),
    { seed: SEED, numRuns: 100 },
  );
});

test("an infinite distance has no gradient; that of equal diagrams is zero", () => {
  const [a, b] = [diagram([[0, Infinity]]), diagram([[1, 2]])];
  expect(() => diagramDistanceGradient(a, b, wassersteinDistance(a, b), { p: 1 })).toThrow(
    "different numbers of",
  );
  const gradient = diagramDistanceGradient(b, b, wassersteinDistance(b, b, { p: 2 }), { p: 2 });
  expect([...gradient.a.births, ...gradient.b.deaths]).toEqual([0, 0]);
});

test("a thousand points at one place, and points far apart in scale, are no trouble", () => {
  const heap = Array.from({ length: 1000 }, (): Point => [1, 2]);
  const [a, b] = [diagram(heap), diagram([...heap.slice(0, 900), [1, 2.5], [0, 1e-9], [1e9, 1e9 + 1]])];
  expect(bottleneckDistance(a, b).distance).toBe(0.5);
  expect(wassersteinDistance(a, b).distance).toBeCloseTo(99 * 0.5 + 0.5 + 0.5 + 5e-10, 6);
});
