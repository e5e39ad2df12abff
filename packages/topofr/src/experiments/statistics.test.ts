// Oracle: SciPy 1.17 (stats.ttest_rel, stats.t, special.betainc), recorded to all digits.
import { expect, test } from "vitest";
import { incompleteBeta, pairedTest, spreadOf, tQuantile, twoSidedP } from "./statistics.js";

test("mean, standard deviation over n - 1, and 95 % interval are SciPy's", () => {
  const spread = spreadOf([74.2, 73.1, 75.9, 74.4, 72.8]);
  expect(spread.n).toBe(5);
  expect(spread.mean).toBeCloseTo(74.08, 12);
  expect(spread.std).toBeCloseTo(1.2275992831539169, 12);
  expect(spread.interval![0]).toBeCloseTo(72.55573416588705, 10);
  expect(spread.interval![1]).toBeCloseTo(75.60426583411298, 10);
});

test("the paired t test is SciPy's ttest_rel", () => {
  const five = pairedTest([74.2, 73.1, 75.9, 74.4, 72.8], [71.1, 72.0, 72.4, 73.9, 70.2])!;
  expect(five.t).toBeCloseTo(3.7175133104361695, 10);
  expect(five.p).toBeCloseTo(0.02051898881972921, 12);
  expect(five.interval[0]).toBeCloseTo(0.5467922112366015, 10);
  expect(five.interval[1]).toBeCloseTo(3.773207788763397, 10);
  const three = pairedTest([0.8123, 0.8205, 0.8167], [0.8198, 0.8241, 0.8155])!;
  expect(three.t).toBeCloseTo(-1.3116322453033333, 10);
  expect(three.p).toBeCloseTo(0.3199850132786706, 12);
});

test("one seed has neither a deviation nor a test; equal differences have no t", () => {
  expect(spreadOf([0.5])).toEqual({ n: 1, mean: 0.5, std: null, interval: null });
  expect(pairedTest([0.5], [0.4])).toBeNull();
  expect(pairedTest([], [])).toBeNull();
  expect(pairedTest([0.3, 0.4, 0.5], [0.2, 0.3, 0.4])).toMatchObject({ n: 3, t: null, p: null });
});

test.each([
  [0.5, 1, 0.7048327646991335],
  [3, 2, 0.09546596626670913],
  [2.5, 9, 0.033861827682985735],
  [40, 4, 2.3340163226012678e-6],
  [0.001, 30, 0.9992087357664851],
])("p of t = %d with %d degrees", (t, degrees, p) => {
  expect(Math.abs(twoSidedP(t, degrees) / p - 1)).toBeLessThan(1e-11);
});

test.each([
  [0.95, 1, 12.706204736174694],
  [0.95, 2, 4.302652729749462],
  [0.99, 9, 3.249835541592126],
])("t quantile %d with %d degrees", (confidence, degrees, t) => {
  expect(tQuantile(confidence, degrees)).toBeCloseTo(t, 9);
});

test.each([
  [0.3, 0.5, 0.5, 0.36901011956554536],
  [0.9, 2, 0.5, 0.5414697392755851],
  [0.01, 15, 0.5, 1.4514644320395836e-31],
  [0.5, 3, 7, 0.91015625],
])("I_%d(%d, %d)", (x, a, b, value) => {
  expect(Math.abs(incompleteBeta(x, a, b) / value - 1)).toBeLessThan(1e-11);
});
