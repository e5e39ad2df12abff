// Structure damage: omega = (1 + h)^lambda (1 - p_gt) from its parts, its range, and where gradients flow.
import { liveTensors, scope, type Tensor, tensor } from "@topofr/torch";
import { describe, expect, test } from "vitest";
import { RandomStream } from "../random/stream.js";
import { type Damage, predictionEntropy, structureDamage, trueClassProbability } from "./damage.js";
import {
  classLabels,
  differencesAt,
  float64,
  gradientAt,
  numbers,
  relativeError,
  settledLiveTensors,
} from "./method.test.support.js";
import { objectiveOptions } from "./objectiveComposition.js";
import type { DamageOptions } from "./objectiveOptions.js";

const { damage: PAPER_DAMAGE, mixture: MIXTURE } = objectiveOptions({ preset: "paper" });
const PAPER = PAPER_DAMAGE!;
const OFFICIAL = objectiveOptions({ preset: "official" }).damage!;

const damageOf = (logits: Tensor, labels: readonly number[], options: DamageOptions): Damage =>
  structureDamage(logits, classLabels(labels), options, MIXTURE, new RandomStream(3, "signs"));

/** Logits whose softmax is the given probabilities. */
const logitsOf = (probabilities: readonly (readonly number[])[]): Tensor =>
  float64(probabilities.map((row) => row.map(Math.log)));

test("entropy: log K of K equal chances, 0 of certainty, and what lies between", () => {
  const logits = float64([
    [2, 2, 2, 2],
    [900, 0, 0, 0],
    [Math.log(0.5), Math.log(0.25), Math.log(0.125), Math.log(0.125)],
  ]);
  const expected = [Math.log(4), 0, 1.75 * Math.log(2)];
  expect(relativeError(numbers(predictionEntropy(logits, 0)), expected)).toBeLessThan(1e-12);
});

test("entropy with the reference's epsilon is -sum p log(p + epsilon)", () => {
  const p = [0.7, 0.3];
  const expected = -p.reduce((sum, value) => sum + value * Math.log(value + 1e-5), 0);
  expect(numbers(predictionEntropy(logitsOf([p]), 1e-5))[0]).toBeCloseTo(expected, 12);
});

test("the probability of the true class is read from its column", () => {
  const probabilities = [
    [0.2, 0.8],
    [0.6, 0.4],
  ];
  expect(
    relativeError(numbers(trueClassProbability(logitsOf(probabilities), classLabels([1, 0]))), [0.8, 0.6]),
  ).toBeLessThan(1e-12);
});

describe("omega", () => {
  const probabilities = [
    [0.9, 0.05, 0.05],
    [0.4, 0.3, 0.3],
    [0.1, 0.8, 0.1],
    [0.98, 0.01, 0.01],
    [0.02, 0.02, 0.96],
    [0.3, 0.35, 0.35],
  ];
  const labels = [0, 1, 1, 2, 2, 0];
  const trueProbability = labels.map((label, i) => probabilities[i]![label]!);

  test("focal alone is 1 - p_gt", () => {
    const { omega, hard, mixture } = damageOf(logitsOf(probabilities), labels, { ...PAPER, mixture: false });
    expect(
      relativeError(
        numbers(omega),
        trueProbability.map((p) => 1 - p),
      ),
    ).toBeLessThan(1e-6);
    expect([hard, mixture]).toEqual([null, null]);
  });

  test.each([1, 2.5])("the mixture alone is (1 + h)^%d, from 1 to 2^%d", (lambda) => {
    const options = { ...PAPER, focal: false, lambda };
    const { omega, hard, mixture } = damageOf(logitsOf(probabilities), labels, options);
    expect([...hard!]).toEqual([...mixture!.easy].map((easy) => 1 - easy));
    expect(
      relativeError(
        numbers(omega),
        [...hard!].map((h) => (1 + h) ** lambda),
      ),
    ).toBeLessThan(1e-6);
    expect(numbers(omega).every((value) => value >= 1 && value <= 2 ** lambda)).toBe(true);
  });

  test("both together are the product (equation 8)", () => {
    const { omega, hard } = damageOf(logitsOf(probabilities), labels, PAPER);
    const product = [...hard!].map((h, i) => (1 + h) * (1 - trueProbability[i]!));
    expect(relativeError(numbers(omega), product)).toBeLessThan(1e-6);
  });

  test("truncated, p_gt counts only where it rounds to exactly 1 (D6)", () => {
    const logits = tensor([
      [5, 0],
      [200, 0],
      [0, 200],
    ]);
    const { omega } = damageOf(logits, [0, 0, 0], { ...OFFICIAL, mixture: false });
    expect(numbers(omega)).toEqual([1, 0, 1]);
  });

  test("is 0 for a perfect prediction and at most 2^lambda, in float32 with logits of any size", () => {
    const logits = tensor([
      [64, -64, -64],
      [-64, 64, -64],
      [64, 64, 64],
      [-64, -64, 64],
    ]);
    const { omega } = damageOf(logits, [0, 0, 1, 2], PAPER);
    const values = numbers(omega);
    expect(values[0]).toBe(0);
    expect(values.every((value) => value >= 0 && value <= 2)).toBe(true);
  });
});

describe("gradients", () => {
  const logits = [
    [1, 0.2, -0.5],
    [0.3, 0.1, 0.7],
    [-1, 2, 0.4],
  ];
  const omegaSum = (options: DamageOptions) => (x: Tensor) =>
    damageOf(x, [0, 2, 1], options)
      .omega.mul(float64([1, 2, 3]))
      .sum();

  test("not detached, omega's is that of differences through 1 - p_gt (D7)", () => {
    const sum = omegaSum({ ...PAPER, mixture: false });
    expect(relativeError(gradientAt(logits, sum), differencesAt(logits, sum))).toBeLessThan(1e-7);
  });

  test("detached, none flows; h is constant in any case", () => {
    for (const options of [
      { ...PAPER, detach: true },
      { ...PAPER, focal: false },
    ]) {
      scope(() => {
        const x = float64(logits, { requiresGrad: true });
        expect(omegaSum(options)(x).requiresGrad).toBe(false);
      });
    }
  });
});

test("no tensor is left behind but omega", async () => {
  const logits = logitsOf([
    [0.5, 0.5],
    [0.9, 0.1],
  ]);
  const before = await settledLiveTensors();
  const { omega } = scope(() => damageOf(logits, [0, 1], PAPER));
  expect(liveTensors()).toBe(before + 1);
  omega.dispose();
});
