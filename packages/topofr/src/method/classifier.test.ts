import { manualSeed, ones, randn, scope, tensor, zeros } from "@topofr/torch";
import { expect, test } from "vitest";
import { CosineClassifier, cosineLogits, cosineLogitsBf16, normalizeRows } from "./classifier.js";
import {
  classLabels,
  differencesAt,
  float64,
  gradientAt,
  numbers,
  relativeError,
} from "./method.test.support.js";

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

test("with bfloat16 products a cosine is off by at most 2^-8 of its size, and the gradients point the same way", () => {
  manualSeed(4);
  scope(() => {
    const [embedding, centres] = [randn([16, 64]), randn([50, 64]).mul(0.01)];
    const labels = classLabels(Array.from({ length: 16 }, (_, i) => i));
    const [full, half] = [cosineLogits, cosineLogitsBf16].map((cosineOf) => {
      const [x, w] = [embedding, centres].map((value) => value.detach().clone());
      for (const value of [x!, w!]) value.requiresGrad = true;
      const cosine = cosineOf(x!, w!);
      cosine.mul(16).crossEntropyLoss(labels).backward();
      return { cosine: numbers(cosine), gradients: [numbers(x!.grad!), numbers(w!.grad!)] };
    });
    // The sum's rounding, and those of 64 products, which are of the size of 1 / 8 on the whole.
    for (const [i, value] of half!.cosine.entries())
      expect(Math.abs(value - full!.cosine[i]!)).toBeLessThan(2 ** -8 * Math.abs(value) + 2e-3);
    for (const which of [0, 1]) {
      const [a, b] = [half!.gradients[which]!, full!.gradients[which]!];
      const dot = (p: number[], q: number[]) => p.reduce((sum, value, i) => sum + value * q[i]!, 0);
      expect(dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))).toBeGreaterThan(0.9999);
    }
  });
  const classifier = new CosineClassifier(3, 4, { precision: "bf16" });
  scope(() => {
    const embedding = randn([2, 4]);
    const selection = classifier.select(BigInt64Array.of(0n, 1n));
    expect(numbers(classifier.cosines(embedding, selection))).toEqual(
      numbers(cosineLogitsBf16(embedding, classifier.weight)),
    );
    expect(numbers(classifier.forward(embedding))).toEqual(
      numbers(cosineLogits(embedding, classifier.weight)),
    );
  });
  classifier.dispose();
});

test("a row of zeros among the centres has cosine 0 with bfloat16 products too", () => {
  scope(() => expect(numbers(cosineLogitsBf16(ones([1, 2]), zeros([1, 2])))).toEqual([0]));
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
