import fc from "fast-check";
import { expect, test } from "vitest";
import { finiteDeaths, type PersistenceDiagram, ripsDegree0 } from "./diagram.js";
import { pairwiseDistances } from "./distances.js";
import { bettiCurve } from "./summaries/bettiCurve.js";

const SEED = 20_260_103;

const diagram = (...deaths: number[]): PersistenceDiagram => ({
  dimension: 0,
  births: new Float64Array(deaths.length),
  deaths: Float64Array.from(deaths),
});

test("points on a line die at their gaps, and one component lives for ever", () => {
  const { dimension, births, deaths, edges } = ripsDegree0(
    pairwiseDistances(Float64Array.of(7, 0, 1, 3), 4, 1),
    4,
  );
  expect(dimension).toBe(0);
  expect([...births]).toEqual([0, 0, 0, 0]);
  expect([...deaths]).toEqual([1, 2, 4, Infinity]);
  expect([...edges!.u].map((u, k) => [u, edges!.v[k]])).toEqual([
    [1, 2],
    [2, 3],
    [0, 3],
  ]);
});

test("no points have an empty diagram, one point has only its essential class", () => {
  expect([...ripsDegree0(new Float64Array(0), 0).deaths]).toEqual([]);
  expect([...ripsDegree0(Float64Array.of(0), 1).deaths]).toEqual([Infinity]);
});

test("finite deaths leave the essential class out", () => {
  expect([...finiteDeaths(diagram(1, 2, Infinity))]).toEqual([1, 2]);
});

test("deaths are unchanged by an isometry of the plane", () => {
  const coordinate = fc.double({ min: -10, max: 10, noNaN: true });
  const cloud = fc.array(fc.tuple(coordinate, coordinate), { minLength: 1, maxLength: 12 });
  const angle = fc.double({ min: 0, max: 2 * Math.PI, noNaN: true });
  fc.assert(
    fc.property(cloud, angle, coordinate, (points, turn, shift) => {
      const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
      const moved = points.map(([x, y]) => [shift - (cos * x - sin * y), shift + sin * x + cos * y]);
      const deathsOf = (rows: number[][]) =>
        ripsDegree0(pairwiseDistances(Float64Array.from(rows.flat()), rows.length, 2), rows.length).deaths;
      const before = deathsOf(points);
      deathsOf(moved).forEach((death, k) => {
        if (death < Infinity) expect(death).toBeCloseTo(before[k]!, 9);
        else expect(before[k]).toBe(Infinity);
      });
    }),
    { seed: SEED, numRuns: 200 },
  );
});

test("the Betti curve counts the components alive at each scale", () => {
  const curve = bettiCurve(diagram(1, 2, 2, 4, Infinity), [-1, 0, 0.5, 1, 2, 3.9, 4, Infinity]);
  expect([...curve]).toEqual([0, 5, 5, 4, 2, 2, 1, 0]);
});

test("the Betti curve of an empty diagram is zero, and NaN is refused", () => {
  expect([...bettiCurve(diagram(), [0, 1])]).toEqual([0, 0]);
  expect(() => bettiCurve(diagram(1, Number.NaN), [0])).toThrow("NaN");
  expect(() => bettiCurve(diagram(1), [Number.NaN])).toThrow("scale 0 is NaN");
});
