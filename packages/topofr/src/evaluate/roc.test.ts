import fc from "fast-check";
import { expect, test } from "vitest";
import {
  areaUnderCurve,
  dropCollinear,
  equalErrorRate,
  rocCurve,
  tarAtFar,
  tarsAtNearestFars,
  thinCurve,
} from "./roc.js";

const curveOf = (scores: number[], same: number[]) =>
  rocCurve(Float64Array.from(scores), Uint8Array.from(same));

/** Scores from a small set, so that ties are common, with at least one pair of each kind. */
const scoredPairs = fc
  .tuple(
    fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 1, maxLength: 40 }),
    fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 1, maxLength: 40 }),
  )
  .map(([own, other]) => ({
    own,
    other,
    scores: [...own, ...other],
    same: [...own.map(() => 1), ...other.map(() => 0)],
  }));

test("separable scores have AUC 1, EER 0 and TAR 1 at every FAR", () => {
  const curve = curveOf([3, 4, 5, 0, 1, 2], [1, 1, 1, 0, 0, 0]);
  expect(areaUnderCurve(curve)).toBe(1);
  expect(equalErrorRate(curve)).toBe(0);
  expect(tarAtFar(curve, 1e-6)).toEqual({ far: 1e-6, farReached: 0, tar: 1, threshold: 3 });
});

test("reversed scores have AUC 0 and EER 1; constant scores have one half of both", () => {
  const reversed = curveOf([0, 1, 2, 3], [1, 1, 0, 0]);
  expect(areaUnderCurve(reversed)).toBe(0);
  expect(equalErrorRate(reversed)).toBe(1);
  const constant = curveOf([7, 7, 7, 7], [1, 0, 1, 0]);
  expect(constant.thresholds.length).toBe(2);
  expect(areaUnderCurve(constant)).toBe(0.5);
  expect(equalErrorRate(constant)).toBe(0.5);
  expect(tarAtFar(constant, 0.4)).toMatchObject({
    tar: 0,
    farReached: 0,
    threshold: Number.POSITIVE_INFINITY,
  });
});

test("the area is the Mann-Whitney statistic, ties counted one half", () => {
  fc.assert(
    fc.property(scoredPairs, ({ own, other, scores, same }) => {
      let wins = 0;
      for (const a of own) for (const b of other) wins += a > b ? 1 : a === b ? 0.5 : 0;
      expect(areaUnderCurve(curveOf(scores, same))).toBeCloseTo(wins / (own.length * other.length), 12);
    }),
    { seed: 5, numRuns: 200 },
  );
});

test("each point counts the pairs at or above its threshold", () => {
  fc.assert(
    fc.property(scoredPairs, ({ own, other, scores, same }) => {
      const curve = curveOf(scores, same);
      curve.thresholds.forEach((threshold, k) => {
        expect(curve.trueAccepts[k]).toBe(own.filter((score) => score >= threshold).length);
        expect(curve.falseAccepts[k]).toBe(other.filter((score) => score >= threshold).length);
      });
      expect(curve.thresholds.length).toBe(new Set(scores).size + 1);
    }),
    { seed: 6, numRuns: 100 },
  );
});

test("rates do not change with the order of the pairs or a rising function of the scores", () => {
  fc.assert(
    fc.property(scoredPairs, fc.integer({ min: 0, max: 100 }), ({ scores, same }, shift) => {
      const order = scores.map((_, k) => (k + shift) % scores.length);
      const plain = curveOf(scores, same);
      const other = curveOf(
        order.map((k) => Math.exp(scores[k]! / 3)),
        order.map((k) => same[k]!),
      );
      expect(other.trueAccepts).toEqual(plain.trueAccepts);
      expect(other.falseAccepts).toEqual(plain.falseAccepts);
      expect(equalErrorRate(other)).toBe(equalErrorRate(plain));
    }),
    { seed: 7, numRuns: 100 },
  );
});

test("swapping the sign and the flags turns false accepts into false rejects, and keeps AUC and EER", () => {
  fc.assert(
    fc.property(scoredPairs, ({ scores, same }) => {
      const plain = curveOf(scores, same);
      const swapped = curveOf(
        scores.map((score) => -score),
        same.map((flag) => 1 - flag),
      );
      expect(areaUnderCurve(swapped)).toBeCloseTo(areaUnderCurve(plain), 12);
      expect(equalErrorRate(swapped)).toBeCloseTo(equalErrorRate(plain), 12);
    }),
    { seed: 8, numRuns: 100 },
  );
});

test("TAR at FAR never exceeds its target, and the nearest rule may", () => {
  // Impostors at 9, 5 and 1; FAR points 0, 1/3, 2/3, 1.
  const curve = curveOf([10, 8, 6, 4, 9, 5, 1], [1, 1, 1, 1, 0, 0, 0]);
  expect(tarAtFar(curve, 0.3)).toMatchObject({ farReached: 0, tar: 0.25, threshold: 10 });
  expect(tarsAtNearestFars(curve, [0.3])[0]).toMatchObject({ farReached: 1 / 3, tar: 0.75, threshold: 6 });
  expect(tarAtFar(curve, 1 / 3)).toMatchObject({ farReached: 1 / 3, tar: 0.75 });
  // Half way between two points, the more lenient one counts.
  expect(tarsAtNearestFars(curveOf([3, 1, 2, 0], [1, 1, 0, 0]), [0.25])[0]).toMatchObject({
    farReached: 0.5,
    tar: 1,
  });
});

test("the nearest rule skips points inside a run of impostors, as the reference does", () => {
  // FAR 0, 0.2, 0.4, 0.6, 0.8 at TAR 0.5, then TAR 1: only the run's first step and its end remain.
  const curve = curveOf([9, 8, 7, 6, 5, 4, 3, 2], [1, 0, 0, 0, 0, 1, 0, 1].map(Number));
  const corners = dropCollinear(curve);
  expect([...corners.falseAccepts].map(Number)).toEqual([0, 0, 4, 4, 5, 5]);
  expect(tarsAtNearestFars(curve, [0.5])[0]!.farReached).toBe(0.8);
});

test("dropping collinear points changes neither area nor error rate", () => {
  fc.assert(
    fc.property(scoredPairs, ({ scores, same }) => {
      const curve = curveOf(scores, same);
      const corners = dropCollinear(curve);
      expect(areaUnderCurve(corners)).toBeCloseTo(areaUnderCurve(curve), 12);
      expect(equalErrorRate(corners)).toBeCloseTo(equalErrorRate(curve), 12);
    }),
    { seed: 9, numRuns: 100 },
  );
});

test("a thinned curve keeps both ends, rises, and stays small", () => {
  const scores = Array.from({ length: 20_000 }, (_, k) => Math.sin(k * 12.9898) * 43758.5453);
  const values = scores.map((score) => score - Math.floor(score));
  const curve = curveOf(
    values.map((value, k) => value + (k % 2) / 2),
    values.map((_, k) => k % 2),
  );
  const thinned = thinCurve(curve, 100);
  expect(thinned[0]).toEqual({ far: 0, tar: 0 });
  expect(thinned.at(-1)).toEqual({ far: 1, tar: 1 });
  expect(thinned.length).toBeLessThan(210);
  thinned.forEach((point, k) => {
    expect(point.far).toBeGreaterThanOrEqual(thinned[k - 1]?.far ?? 0);
    expect(point.tar).toBeGreaterThanOrEqual(thinned[k - 1]?.tar ?? 0);
  });
});

test("scores of one kind, NaN and uneven lengths are refused", () => {
  expect(() => curveOf([1, 2], [1, 1])).toThrow("2 same and 0 different pairs");
  expect(() => curveOf([1, 2], [0, 0])).toThrow("0 same and 2 different pairs");
  expect(() => curveOf([], [])).toThrow("0 same and 0 different pairs");
  expect(() => curveOf([1, Number.NaN], [1, 0])).toThrow("pair 1: score is NaN");
  expect(() => curveOf([1], [1, 0])).toThrow("1 scores for 2");
});
