import fc from "fast-check";
import { expect, test } from "vitest";
import type { PersistenceDiagram } from "../diagram.js";
import { TopologyError } from "../error.js";
import { persistenceEntropy } from "./entropy.js";
import { persistenceImage } from "./image.js";
import { persistenceLandscape } from "./landscape.js";
import { normalDistribution } from "./normalDistribution.js";
import { persistenceStatistics } from "./statistics.js";

const SEED = 20_260_106;

const diagram = (...points: (readonly [number, number])[]): PersistenceDiagram => ({
  dimension: 1,
  births: Float64Array.from(points, ([birth]) => birth),
  deaths: Float64Array.from(points, ([, death]) => death),
});

test("entropy is log n of n equal bars, 0 of one, and lower when one bar dominates", () => {
  const equal = diagram([0, 1], [3, 4], [5, 6], [7, 8]);
  expect(persistenceEntropy(equal)).toBeCloseTo(Math.log(4), 12);
  expect(persistenceEntropy(equal, { normalized: true })).toBeCloseTo(1, 12);
  expect(persistenceEntropy(diagram([0, 1]))).toBe(0);
  expect(persistenceEntropy(diagram())).toBe(0);
  // shares 3/4 and 1/4; a bar of no length does not count
  const expected = -0.75 * Math.log(0.75) - 0.25 * Math.log(0.25);
  expect(persistenceEntropy(diagram([0, 3], [1, 2], [5, 5]))).toBeCloseTo(expected, 12);
});

test("essential classes are left out, or end where told", () => {
  const bars = diagram([0, 1], [0, Infinity]);
  expect(persistenceEntropy(bars)).toBe(0);
  expect(persistenceEntropy(bars, { essentialDeath: 1 })).toBeCloseTo(Math.log(2), 12);
  expect(persistenceStatistics(bars)).toMatchObject({
    finiteCount: 1,
    essentialCount: 1,
    totalPersistence: 1,
  });
  expect(persistenceStatistics(bars, { essentialDeath: 3 })).toMatchObject({
    finiteCount: 2,
    essentialCount: 0,
    totalPersistence: 4,
  });
});

test("landscapes are the ordered tents of the bars", () => {
  const bars = diagram([0, 4], [1, 3], [2, 6], [5, 5], [0, Infinity]);
  const scales = [0, 1, 2, 3, 4, 5, 6, 7];
  expect([...persistenceLandscape(bars, scales, { levels: 3 })]).toEqual([
    ...[0, 1, 2, 1, 2, 1, 0, 0], // max of the tents
    ...[0, 0, 1, 1, 0, 0, 0, 0],
    ...[0, 0, 0, 0, 0, 0, 0, 0],
  ]);
});

test("landscapes fall from level to level and change slowly from scale to scale", () => {
  const coordinate = fc.double({ min: 0, max: 10, noNaN: true });
  const points = fc.array(
    fc.tuple(coordinate, coordinate).map(([x, y]) => [Math.min(x, y), Math.max(x, y)] as const),
    { maxLength: 20 },
  );
  fc.assert(
    fc.property(points, (rows) => {
      const scales = Array.from({ length: 41 }, (_, k) => k / 4);
      const landscape = persistenceLandscape(diagram(...rows), scales, { levels: 4 });
      const wrong = landscape.findIndex(
        (height, k) =>
          height < 0 ||
          (k >= 41 && height > landscape[k - 41]!) ||
          (k % 41 > 0 && Math.abs(height - landscape[k - 1]!) > 0.25 + 1e-12),
      );
      expect(wrong).toBe(-1);
    }),
    { seed: SEED, numRuns: 100 },
  );
});

// SciPy 1.10: scipy.stats.norm.cdf
test.each([
  [-8, 6.22096057427174e-16],
  [-3, 0.0013498980316300933],
  [-1, 0.15865525393145705],
  [0, 0.5],
  [0.5, 0.6914624612740131],
  [2.9, 0.998134186699616],
  [3.1, 0.9990323967867817],
  [6, 0.9999999990134123],
])("the normal distribution function at %d", (z, expected) => {
  expect(normalDistribution(z) / expected).toBeCloseTo(1, 12);
});

test("an image holds each bar's weight where the bar is", () => {
  const options = {
    resolution: [20, 10],
    birthRange: [0, 4],
    persistenceRange: [0, 2],
    sigma: 0.05,
  } as const;
  const image = persistenceImage(diagram([1, 2.5], [3, 3.5]), options);
  const total = image.reduce((sum, value) => sum + value, 0);
  expect(total).toBeCloseTo(1.5 + 0.5, 6);
  // Pixels are 0.2 wide and high; both bars lie on the edge of two columns and in the middle of a row.
  expect(image[7 * 20 + 4]! + image[7 * 20 + 5]!).toBeGreaterThan(1.4);
  expect(image[2 * 20 + 14]! + image[2 * 20 + 15]!).toBeGreaterThan(0.47);
  const counted = persistenceImage(diagram([1, 2.5], [3, 3.5]), { ...options, weight: () => 1 });
  expect(counted.reduce((sum, value) => sum + value, 0)).toBeCloseTo(2, 6);
});

test("statistics of three bars", () => {
  const { births, lengths, midpoints, totalPersistence, finiteCount } = persistenceStatistics(
    diagram([0, 1], [1, 3], [2, 8]),
  );
  expect({ totalPersistence, finiteCount }).toEqual({ totalPersistence: 9, finiteCount: 3 });
  expect(births).toMatchObject({ mean: 1, min: 0, max: 2, median: 1, percentile10: 0.2, percentile75: 1.5 });
  expect(births.standardDeviation).toBeCloseTo(Math.sqrt(2 / 3), 12);
  expect(lengths).toMatchObject({ mean: 3, median: 2, percentile90: 5.2 });
  expect(midpoints).toMatchObject({ min: 0.5, max: 5 });
  expect(persistenceStatistics(diagram()).deaths.mean).toBeNaN();
});

test("points that are none, and options out of range, are refused", () => {
  const good = diagram([0, 1]);
  const image = { resolution: [2, 2], birthRange: [0, 1], persistenceRange: [0, 1], sigma: 1 } as const;
  const broken: [() => unknown, string][] = [
    [() => persistenceEntropy(diagram([2, 1])), "point 0 is (2, 1)"],
    [() => persistenceEntropy(good, { essentialDeath: Infinity }), "essentialDeath is Infinity"],
    [() => persistenceStatistics({ ...good, births: new Float64Array(2) }), "2 births and 1 deaths"],
    [() => persistenceLandscape(good, [0], { levels: 0 }), "levels is 0"],
    [() => persistenceLandscape(good, [NaN]), "scale 0 is NaN"],
    [() => persistenceImage(good, { ...image, sigma: 0 }), "sigma is 0"],
    [() => persistenceImage(good, { ...image, resolution: [0, 2] }), "width is 0"],
    [() => persistenceImage(good, { ...image, birthRange: [1, 1] }), "birthRange is [1,1]"],
  ];
  for (const [call, message] of broken) {
    expect(call).toThrow(message);
    expect(call).toThrow(TopologyError);
  }
});
