import fc from "fast-check";
import { expect, test } from "vitest";
import { distanceBetween, distancesFromGram, pairwiseDistances } from "./distances.js";
import { TopologyError } from "./error.js";

const SEED = 20_260_102;

const points = fc
  .record({ count: fc.integer({ min: 0, max: 8 }), dimension: fc.integer({ min: 0, max: 5 }) })
  .chain(({ count, dimension }) =>
    fc
      .array(fc.double({ min: -100, max: 100, noNaN: true }), {
        minLength: count * dimension,
        maxLength: count * dimension,
      })
      .map((values) => ({ count, dimension, values: Float64Array.from(values) })),
  );

test("distances of a 3-4-5 triangle", () => {
  const triangle = Float32Array.from([0, 0, 3, 0, 0, 4]);
  expect([...pairwiseDistances(triangle, 3, 2)]).toEqual([0, 3, 4, 3, 0, 5, 4, 5, 0]);
  expect(distanceBetween(triangle, 2, 1, 2)).toBe(5);
});

test("are symmetric, zero on the diagonal, and equal Math.hypot", () => {
  fc.assert(
    fc.property(points, ({ count, dimension, values }) => {
      const distances = pairwiseDistances(values, count, dimension);
      const row = (i: number) => values.subarray(i * dimension, (i + 1) * dimension);
      for (let i = 0; i < count; i++) {
        for (let j = 0; j < count; j++) {
          const expected = Math.hypot(...row(i).map((value, k) => value - row(j)[k]!));
          expect(distances[i * count + j]).toBeCloseTo(expected, 9);
          expect(distances[i * count + j]).toBe(distances[j * count + i]);
        }
        expect(distances[i * count + i]).toBe(0);
      }
    }),
    { seed: SEED, numRuns: 200 },
  );
});

test("the Gram form equals the direct form to the rounding of the norms", () => {
  fc.assert(
    fc.property(points, ({ count, dimension, values }) => {
      const gram = new Float64Array(count * count);
      for (let i = 0; i < count; i++) {
        for (let j = 0; j < count; j++) {
          for (let k = 0; k < dimension; k++) {
            gram[i * count + j]! += values[i * dimension + k]! * values[j * dimension + k]!;
          }
        }
      }
      const direct = pairwiseDistances(values, count, dimension);
      distancesFromGram(gram, count).forEach((distance, k) => {
        // squared norms are at most 5 * 100²; epsilon 2.2e-16 of them, times a few operations
        expect(Math.abs(distance ** 2 - direct[k]! ** 2)).toBeLessThan(1e-10);
      });
    }),
    { seed: SEED, numRuns: 200 },
  );
});

test("a Gram matrix whose rounding gives a negative square yields 0, not NaN", () => {
  expect([...distancesFromGram(Float64Array.of(1, 1 + 1e-15, 1 + 1e-15, 1), 2)]).toEqual([0, 0, 0, 0]);
});

test("refuse wrong lengths and coordinates that are not finite, naming them", () => {
  expect(() => pairwiseDistances(new Float64Array(5), 2, 3)).toThrow("5 values given, 2 x 3 = 6 expected");
  expect(() => pairwiseDistances(Float64Array.of(1, 2, 3, NaN), 2, 2)).toThrow("row 1, column 1 is NaN");
  expect(() => pairwiseDistances(new Float64Array(0), 1.5, 0)).toThrow("count is 1.5");
  expect(() => distancesFromGram(Float64Array.of(Infinity, 0, 0, 1), 2)).toThrow(TopologyError);
});
