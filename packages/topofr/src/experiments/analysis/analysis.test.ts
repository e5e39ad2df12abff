// The parts of the analyses against what is known: pairwise distances, persistence itself, areas. The commands: cli/analyze.test.ts.
import { persistence } from "@topofr/topology";
import { expect, test } from "vitest";
import { RandomStream } from "../../random/stream.js";
import { circle } from "./analysis.test.support.js";
import { diagramsOf } from "./diagrams.js";
import { drawBatches } from "./discrepancy.js";
import { mixtureDensities } from "./entropy.js";
import { gramDistances } from "./gramDistances.js";
import { assertFits } from "./imagePoints.js";
import { pointsAsSet } from "./pointSet.js";
import { PORTABLE_ENGINE } from "./topologyEngine.js";
import { treeDiagram, treeLengths } from "./treeLengths.js";

test("what does not fit in memory is said before work starts, with what would", () => {
  expect(() => assertFits(100_000, 150_528, "the pixels", 10e9)).toThrow(
    /need 15 GB, of which 6\.0 GB are free: 39859 would fit; give --count 39859/,
  );
});

test("batches repeat no image, and use all of a set before any comes again", () => {
  const batches = drawBatches({ name: "set", path: "set", count: 10 }, 5, 4, 1);
  expect(batches).toHaveLength(4);
  for (const pair of [batches.slice(0, 2), batches.slice(2)])
    expect(pair.flatMap((batch) => [...batch]).sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test("the densities of a mixture have area 1 together", () => {
  const fit = { mixing: 0.7, variance: 0.5, uniformDensity: 0.25, iterations: 1, standardised: true };
  const { gaussian, uniform } = mixtureDensities({ ...fit, mean: 0.3, deviation: 1.7 });
  let area = 0;
  for (let x = 0.005; x < 12; x += 0.01) area += 0.01 * (gaussian(x) + uniform(x));
  expect(area).toBeCloseTo(1, 2);
});

test("distances by products are those pair by pair, near-duplicates included", () => {
  const stream = new RandomStream(3, "wide points");
  const [count, dimension] = [600, 96]; // more than one tile
  const points = Float32Array.from({ length: count * dimension }, () => 100 + stream.normal());
  points.copyWithin(dimension, 0, dimension);
  points[dimension]! += 1e-3;
  const found = gramDistances(points, count, dimension);
  const direct = pointsAsSet({ name: "points", space: "" }, points, dimension, "euclidean").distance;
  for (let i = 0; i < count; i += 7)
    for (let j = 0; j < count; j += 5)
      expect(Math.abs(found[i * count + j]! - direct(i, j))).toBeLessThan(2e-4);
  expect(found[1]).toBe(Math.fround(direct(0, 1)));
});

test("the tree without a matrix has the deaths of persistence, thresholds included", () => {
  const points = circle(40, 5);
  const { distance } = pointsAsSet({ name: "points", space: "" }, points, 2, "euclidean");
  for (const threshold of [Infinity, 0.15]) {
    const [expected] = persistence({ points, dimension: 2 }, { maxDimension: 0, threshold });
    const found = treeDiagram(
      treeLengths(40, distance, () => {}),
      threshold,
    );
    expect([...found.deaths]).toEqual([...expected!.deaths]);
  }
});

test("too many points for an exact answer become landmarks by themselves, and --exact insists", async () => {
  const points = pointsAsSet({ name: "points", space: "" }, circle(150), 2, "euclidean");
  const engine = { ...PORTABLE_ENGINE, exactPoints: [Infinity, 100, 50, 20] as const };
  const options = { maxDimension: 2 as const, engine, seed: 1, landmarks: 40 };
  expect(await diagramsOf(points, 150, options)).toMatchObject({ method: "landmarks", landmarks: 40 });
  expect(await diagramsOf(points, 60, { maxDimension: 1, engine, seed: 1 })).toMatchObject({
    method: "exact",
  });
  expect(
    await diagramsOf(points, 60, {
      maxDimension: 1,
      engine: { ...engine, exactPoints: [Infinity, 20, 10, 5] },
      exact: true,
      seed: 1,
    }),
  ).toMatchObject({ method: "exact" });
});
