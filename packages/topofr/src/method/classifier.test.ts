import { manualSeed, ones, scope, tensor } from "@topofr/torch";
import { expect, test } from "vitest";
import { CosineClassifier, cosineLogits, normalizeRows } from "./classifier.js";
import { differencesAt, float64, gradientAt, numbers, relativeError } from "./method.test.support.js";

test("logits are the cosines of the angles between embeddings and centres, whatever their lengths", () => {
  const embedding = float64([
    [3, 0],
    [0, -0.01],
    [5, 5],
  ]);
  const centres = float64([
    [2, 0],
    [0, 7],
  ]);
  const expected = [1, 0, 0, -1, Math.SQRT1_2, Math.SQRT1_2];
  expect(relativeError(numbers(cosineLogits(embedding, centres)), expected)).toBeLessThan(1e-12);
});

test("rounding never takes a cosine beyond 1", () => {
  scope(() => {
    const rows = tensor(
      Float32Array.from({ length: 64 * 50 }, (_, i) => Math.sin(i) * 1e3),
      { shape: [50, 64] },
    );
    expect(numbers(cosineLogits(rows, rows)).every((value) => Math.abs(value) <= 1)).toBe(true);
  });
});

test("a row of zeros stays zeros, with a finite gradient", () => {
  expect(numbers(normalizeRows(float64([[0, 0]])))).toEqual([0, 0]);
  expect(gradientAt([[0, 0]], (x) => normalizeRows(x).sum()).every(Number.isFinite)).toBe(true);
});

test("the gradient is that of differences", () => {
  const centres = float64([
    [1, 2, -1],
    [0.5, -1, 2],
  ]);
  const at = [
    [0.3, -2, 1],
    [2, 1, 0.1],
  ];
  const weights = float64([
    [1, -2],
    [3, 0.5],
  ]);
  const sum = (x: ReturnType<typeof float64>) => cosineLogits(x, centres).mul(weights).sum();
  expect(relativeError(gradientAt(at, sum), differencesAt(at, sum))).toBeLessThan(1e-7);
});

test("a new classifier has one centre a class, drawn from N(0, 0.01) by the seed", () => {
  manualSeed(1);
  const classifier = new CosineClassifier(200, 32);
  manualSeed(1);
  const again = new CosineClassifier(200, 32);
  expect([...classifier.stateDict().keys()]).toEqual(["weight"]);
  expect(classifier.weight.shape).toEqual([200, 32]);
  const values = numbers(classifier.weight);
  expect(values).toEqual(numbers(again.weight));
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
  expect(Math.abs(deviation - 0.01)).toBeLessThan(0.0005);
  expect(classifier.forward(ones([4, 32])).shape).toEqual([4, 200]);
});
