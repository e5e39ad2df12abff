import fc from "fast-check";
import { expect, test } from "vitest";
import { RandomStream } from "../random/stream.js";
import { areaUnderCurve, equalErrorRate, rocCurve, tarAtFar } from "./roc.js";
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
      histogram.reset(own.length + other.length, 1e-3);
      const ids = Int32Array.from([...own.map(() => 1), ...other.map(() => 0)]);
      histogram.add(Float32Array.from([...own, ...other]), 0, ids, 0, 1);
      histogram.raiseFloor();
      const exact = rocCurve(
        Float64Array.from([...own, ...other]),
        Uint8Array.from([...own.map(() => 1), ...other.map(() => 0)]),
      );
      expect(histogram.curve()).toEqual(exact);
    }),
    { seed: 16, numRuns: 50 },
  );
  histogram.reset(0, 1);
  expect(histogram.curve()).toBeNull();
});

test("leaving out what cannot matter changes no rate up to the largest FAR, and others by rounding", () => {
  const stream = new RandomStream(3, "histogram");
  const rounds = 30;
  const each = 2000;
  const scores = Float32Array.from({ length: rounds * each }, (_, k) =>
    k % 10 === 0 ? 0.5 + 0.15 * stream.normal() : 0.12 * stream.normal(),
  ).map((value) => Math.round(Math.max(-1, Math.min(1, value)) * 2 ** 24) / 2 ** 24);
  const ids = Int32Array.from({ length: each }, (_, c) => Number(c % 10 === 0));
  histogram.reset(2 ** 22 + 1, 0.01 * (scores.length / 2 ** 22)); // as if there were more pairs
  for (let k = 0; k < rounds; k++) {
    histogram.add(scores, k * each, ids, 0, 1);
    histogram.raiseFloor();
  }
  const curve = histogram.curve()!;
  const exact = rocCurve(
    scores,
    Uint8Array.from(scores, (_, k) => Number(k % 10 === 0)),
  );
  expect(curve.thresholds.length).toBeLessThan(exact.thresholds.length / 4);
  for (const far of [1e-5, 1e-4, 1e-3, 5e-3, 1e-2])
    expect(tarAtFar(curve, far)).toEqual(tarAtFar(exact, far));
  expect(areaUnderCurve(curve)).toBeCloseTo(areaUnderCurve(exact), 6);
  expect(equalErrorRate(curve)).toBeCloseTo(equalErrorRate(exact), 4);
});

test("only columns from the first wanted one on count, and rounding beyond -1 and 1 has a bin", () => {
  const scores = Float32Array.of(9, 0.5, -1 - 1e-6, 1 + 1e-6, -1, 1);
  histogram.reset(4, 1);
  histogram.add(scores, 1, Int32Array.of(1, 0, 1, 0, 1), 1, 1);
  expect(histogram.curve()).toMatchObject({ genuines: 2, impostors: 2 });
  expect(histogram.curve()!.thresholds.length).toBe(5);
});

test("counts beyond 2^32 do not overflow", () => {
  const counts = new BinCounts();
  for (let k = 0; k < 3; k++) {
    counts.reserve(2 ** 31);
    counts.bins[5]! += 2 ** 31;
    counts.pages[0]! += 2 ** 31;
    counts.added(2 ** 31);
  }
  expect([counts.total, counts.inBin(5), counts.inPage(0)]).toEqual(Array(3).fill(3 * 2 ** 31));
  counts.clear();
  expect([counts.total, counts.inBin(5), counts.inPage(0)]).toEqual([0, 0, 0]);
});
