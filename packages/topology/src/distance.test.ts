import fc from "fast-check";
import { expect, test } from "vitest";
import type { PersistenceDiagram } from "./diagram.js";
import { bottleneckDistance, type DiagramDistance, wassersteinDistance } from "./distance.js";

const SEED = 20_260_104;

const diagram = (deaths: readonly number[]): PersistenceDiagram => ({
  dimension: 0,
  births: new Float64Array(deaths.length),
  deaths: Float64Array.from(deaths),
});

/**
 * The definition itself: every way to match some points of `a` one to one with points of `b`, all others going to
 * the diagonal; ground metric L-infinity between (0, d) and (0, d'), d / 2 to the diagonal. Returns the smallest
 * value of `combine` over the costs.
 */
function bruteForce(
  a: readonly number[],
  b: readonly number[],
  combine: (costs: number[]) => number,
): number {
  if (a.length === 0) return combine(b.map((death) => death / 2));
  const [head, ...tail] = a as [number, ...number[]];
  const withCost = (cost: number) => (costs: number[]) => combine([cost, ...costs]);
  let best = bruteForce(tail, b, withCost(head / 2));
  b.forEach((death, k) => {
    best = Math.min(best, bruteForce(tail, b.toSpliced(k, 1), withCost(Math.abs(head - death))));
  });
  return best;
}

// Few distinct values, so that ties and zeros are common; and arbitrary ones.
const death = fc.oneof(
  fc.integer({ min: 0, max: 6 }),
  fc.double({ min: 0, max: 10, noNaN: true, noDefaultInfinity: true }),
);
const fewDeaths = fc.array(death, { maxLength: 5 });

function expectValidMatching(
  a: readonly number[],
  b: readonly number[],
  { matching }: DiagramDistance,
): void {
  const used = (side: "a" | "b") =>
    matching
      .map((pair) => pair[side])
      .filter((k) => k !== null)
      .sort((i, j) => i - j);
  expect(used("a")).toEqual([...a.keys()]);
  expect(used("b")).toEqual([...b.keys()]);
  for (const { a: i, b: j, cost } of matching) {
    const [deathA, deathB] = [i === null ? null : a[i]!, j === null ? null : b[j]!];
    if (deathA !== null && deathB !== null) expect(cost).toBe(Math.abs(deathA - deathB));
    else expect(cost).toBe((deathA ?? deathB)! / 2);
  }
}

test("bottleneck distance is the smallest largest cost over all matchings", () => {
  fc.assert(
    fc.property(fewDeaths, fewDeaths, (a, b) => {
      const result = bottleneckDistance(diagram(a), diagram(b));
      expect(result.distance).toBeCloseTo(
        bruteForce(a, b, (costs) => Math.max(0, ...costs)),
        12,
      );
      expectValidMatching(a, b, result);
      expect(Math.max(0, ...result.matching.map(({ cost }) => cost))).toBe(result.distance);
    }),
    { seed: SEED, numRuns: 300 },
  );
});

test.each([1, 2, 3.5])("Wasserstein distance W_%d is the smallest total cost over all matchings", (p) => {
  fc.assert(
    fc.property(fewDeaths, fewDeaths, (a, b) => {
      const total = (costs: number[]) => costs.reduce((sum, cost) => sum + cost ** p, 0) ** (1 / p);
      const result = wassersteinDistance(diagram(a), diagram(b), { p });
      expect(result.distance).toBeCloseTo(bruteForce(a, b, total), 9);
      expectValidMatching(a, b, result);
      expect(total(result.matching.map(({ cost }) => cost))).toBeCloseTo(result.distance, 9);
    }),
    { seed: SEED, numRuns: 200 },
  );
});

test("both are metrics on diagrams: zero on equals, symmetric, triangle inequality", () => {
  fc.assert(
    fc.property(fc.array(death, { maxLength: 12 }), fewDeaths, fewDeaths, (x, y, z) => {
      const [a, b, c] = [diagram(x), diagram(y), diagram(z)];
      for (const between of [bottleneckDistance, wassersteinDistance]) {
        expect(between(a, a).distance).toBe(0);
        expect(between(a, b).distance).toBeCloseTo(between(b, a).distance, 9);
        expect(between(a, c).distance).toBeLessThanOrEqual(
          between(a, b).distance + between(b, c).distance + 1e-9,
        );
      }
    }),
    { seed: SEED, numRuns: 200 },
  );
});

test("the difference of sorted deaths is not the Wasserstein distance", () => {
  // 10 and 4 to the diagonal costs 5 + 2; 10 to 0.2 and 4 to 0.1 would cost 13.7
  const result = wassersteinDistance(diagram([10, 4]), diagram([0.2, 0.1]));
  expect(result.distance).toBeCloseTo(5 + 2 + 0.1 + 0.05, 12);
  expect(result.matching.every(({ a, b }) => a === null || b === null)).toBe(true);
});

test("matchings name points by their place in the diagram, longest first", () => {
  const result = wassersteinDistance(diagram([1, Infinity, 8]), diagram([9, 0.5, Infinity]));
  expect(result.matching).toEqual([
    { a: 1, b: 2, cost: 0 },
    { a: 2, b: 0, cost: 1 },
    { a: 0, b: 1, cost: 0.5 },
  ]);
  expect(result.distance).toBe(1.5);
});

test("essential classes match each other; unequal numbers are infinitely far apart", () => {
  for (const between of [bottleneckDistance, wassersteinDistance]) {
    expect(between(diagram([2, Infinity]), diagram([2, Infinity])).distance).toBe(0);
    expect(between(diagram([2, Infinity]), diagram([2])).distance).toBe(Infinity);
    expect(between(diagram([]), diagram([])).distance).toBe(0);
  }
});

test("what is no diagram, or no option, is refused", () => {
  const good = diagram([1]);
  const other = (birth: number, death: number): PersistenceDiagram => ({
    dimension: 0,
    births: Float64Array.of(birth),
    deaths: Float64Array.of(death),
  });
  for (const between of [bottleneckDistance, wassersteinDistance]) {
    expect(() => between(good, { ...good, dimension: 1 })).toThrow("second diagram is of degree 1");
    expect(() => between(other(2, 1), good)).toThrow("first diagram's point 0 is (2, 1)");
    expect(() => between(diagram([Number.NaN]), good)).toThrow("(0, NaN)");
    expect(() => between(good, other(-Infinity, 1))).toThrow("(-Infinity, 1)");
    expect(() => between({ ...good, births: new Float64Array(0) }, good)).toThrow("0 births and 1 deaths");
    expect(() => between(good, good, { relativeError: -0.1 })).toThrow("relativeError is -0.1");
  }
  expect(() => wassersteinDistance(good, good, { p: 0.5 })).toThrow("p is 0.5");
  expect(() => wassersteinDistance(good, good, { p: Infinity })).toThrow("bottleneckDistance");
});
