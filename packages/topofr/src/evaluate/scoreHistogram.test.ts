import fc from "fast-check";
import { expect, test } from "vitest";
import { rocCurve, tarAtFar } from "./roc.js";
import { BinCounts, ScoreHistogram } from "./scoreHistogram.js";

const histogram = new ScoreHistogram();

test("the curve of counted scores is the curve of the scores, where bins hold one value", () => {
  // From 1/2 on, float32 numbers are a bin apart; below, multiples of a bin's width.
  const score = fc
    .oneof(
      fc.integer({ min: -(2 ** 24), max: 2 ** 24 }),
      fc.integer({ min: 2 ** 24 - 20, max: 2 ** 24 }),
      fc.constant(0),
    )
    .map((n) => Math.fround(n * 2 ** -24));
  const scores = fc.array(score, { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(scores, scores, (own, other) => {
      histogram.clear();
      const ids = Int32Array.from([...own.map(() => 1), ...other.map(() => 0)]);
      histogram.add(Float32Array.from([...own, ...other]), 0, ids, 0, 1);
      const exact = rocCurve(
        Float64Array.from([...own, ...other]),
        Uint8Array.from([...own.map(() => 1), ...other.map(() => 0)]),
      );
      expect(histogram.curve()).toEqual(exact);
      expect(tarAtFar(histogram.curve()!, 0.1)).toEqual(tarAtFar(exact, 0.1));
    }),
    { seed: 16, numRuns: 50 },
  );
  histogram.clear();
  expect(histogram.curve()).toBeNull();
});

test("products of unit vectors round beyond -1 and 1 and still count", () => {
  const scores = Float32Array.of(-1 - 1e-6, 1 + 1e-6, -1, 1);
  histogram.add(scores, 0, Int32Array.of(0, 1, 0, 1), 0, 1);
  expect(histogram.curve()).toMatchObject({ genuines: 2, impostors: 2 });
  expect(histogram.curve()!.thresholds.length).toBe(5);
  histogram.clear();
});

test("counts are taken over with their bins, and the source is empty then", () => {
  const source = new ScoreHistogram();
  const ids = Int32Array.of(1, 0, 0);
  source.add(Float32Array.of(9, 0.5, 0.25, -0.75), 1, ids, 0, 1);
  histogram.add(Float32Array.of(0.5, 0.25, 0.25), 0, ids, 1, 1); // from column 1 on
  histogram.take(source);
  expect(source.curve()).toBeNull();
  expect(histogram.curve()).toMatchObject({
    thresholds: Float64Array.of(Number.POSITIVE_INFINITY, 0.5, 0.25, -0.75),
    trueAccepts: Uint32Array.of(0, 1, 1, 1),
    falseAccepts: Uint32Array.of(0, 0, 3, 4),
  });
  histogram.clear();
  expect(histogram.curve()).toBeNull();
});

test("counts beyond 2^32 do not overflow a bin", () => {
  const counts = new BinCounts();
  for (let k = 0; k < 3; k++) {
    counts.reserve(2 ** 31);
    counts.bins[5]! += 2 ** 31;
    counts.used[0] = 1;
    counts.added(2 ** 31);
  }
  expect(counts.total).toBe(3 * 2 ** 31);
  expect(counts.counts()[5]).toBe(3 * 2 ** 31);
  const sum = new BinCounts();
  sum.bins[5] = 1;
  sum.used[0] = 1;
  sum.added(1);
  sum.take(counts);
  expect([sum.total, sum.counts()[5]]).toEqual([3 * 2 ** 31 + 1, 3 * 2 ** 31 + 1]);
  expect([counts.total, counts.counts()[5]]).toEqual([0, 0]);
});
