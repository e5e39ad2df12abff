// Margins against their formulas, on angles from 0 to pi, and against differences.
import { noGrad, scope, type Tensor, tensor } from "@topofr/torch";
import { describe, expect, test } from "vitest";
import {
  classLabels,
  differencesAt,
  float64,
  gradientAt,
  numbers,
  relativeError,
} from "../method.test.support.js";
import { createMargin, type Margin } from "./margin.js";
import { MARGIN_DEFAULTS, type MarginOptions } from "./marginOptions.js";

const { arcface: ARCFACE, cosface: COSFACE, combined: COMBINED } = MARGIN_DEFAULTS;
const M = ARCFACE.margin;
const NORMS = float64([[20]]); // for margins that do not look at them

const marginOf = (options: MarginOptions): Margin => createMargin(options, { classes: 3, seed: 1 });

/** The logit of the true class, at each angle (radians). */
function targetLogits(options: MarginOptions, angles: readonly number[]): number[] {
  return scope(() => {
    const cosine = float64(angles.map((angle) => [Math.cos(angle), 0.1]));
    const logits = marginOf(options).logits(cosine, classLabels(angles.map(() => 0)), NORMS);
    return numbers(logits.select(1, 0));
  });
}

const ANGLES = Array.from({ length: 61 }, (_, i) => (Math.PI * i) / 60);
const below = ANGLES.filter((angle) => angle > 1e-3 && angle + M < Math.PI - 1e-9);
const beyond = ANGLES.filter((angle) => angle + M > Math.PI + 1e-9);

describe("arcface", () => {
  test("adds m to the angle of the true class", () => {
    const expected = below.map((angle) => 64 * Math.cos(angle + M));
    expect(relativeError(targetLogits(ARCFACE, below), expected)).toBeLessThan(1e-9);
  });

  test("falls back to cos(theta) - m sin(pi - m) where the angle would pass pi", () => {
    const expected = beyond.map((angle) => 64 * (Math.cos(angle) - M * Math.sin(Math.PI - M)));
    expect(relativeError(targetLogits(ARCFACE, beyond), expected)).toBeLessThan(1e-12);
  });

  test.each([0.1, 0.5, 1])("with margin %d the logit falls with the angle, all the way to pi", (margin) => {
    const logits = targetLogits({ ...ARCFACE, margin }, ANGLES);
    expect(logits.every((logit, i) => i === 0 || logit < logits[i - 1]!)).toBe(true);
  });

  test("at an angle of exactly 0 or pi, value and gradient are finite in float32", () => {
    scope(() => {
      const cosine = tensor([
        [1, 0],
        [-1, 0],
      ]);
      cosine.requiresGrad = true;
      const logits = marginOf(ARCFACE).logits(cosine, classLabels([0, 0]), NORMS);
      logits.sum().backward();
      expect([...numbers(logits), ...numbers(cosine.grad!)].every(Number.isFinite)).toBe(true);
    });
  });
});

test("cosface takes m from the cosine of the true class", () => {
  const expected = ANGLES.map((angle) => 64 * (Math.cos(angle) - 0.4));
  expect(relativeError(targetLogits(COSFACE, ANGLES), expected)).toBeLessThan(1e-12);
});

describe("combined", () => {
  test("is cos(m1 theta + m2) - m3", () => {
    const options: MarginOptions = { ...COMBINED, m1: 1.2, m2: 0.3, m3: 0.1 };
    const expected = ANGLES.map((angle) => 64 * (Math.cos(1.2 * angle + 0.3) - 0.1));
    expect(relativeError(targetLogits(options, ANGLES), expected)).toBeLessThan(1e-7);
  });

  test("its default is ArcFace, its (1, 0, m) CosFace", () => {
    expect(relativeError(targetLogits(COMBINED, below), targetLogits(ARCFACE, below))).toBeLessThan(1e-7);
    const asCosface: MarginOptions = { ...COMBINED, m2: 0, m3: 0.4 };
    expect(relativeError(targetLogits(asCosface, ANGLES), targetLogits(COSFACE, ANGLES))).toBeLessThan(1e-7);
  });

  test("the gradient passes straight through to the cosine", () => {
    const gradient = gradientAt([[0.3, 0.2]], (x) =>
      marginOf(COMBINED)
        .logits(x, classLabels([0]), NORMS)
        .sum(),
    );
    expect(gradient).toEqual([64, 64]);
  });
});

describe("every margin", () => {
  const cosines = [
    [0.6, -0.2, 0.1],
    [-0.95, 0.3, 0.4],
    [0.2, 0.7, -0.5],
  ];
  const labels = [0, 0, 1];
  const all = [ARCFACE, COSFACE, COMBINED] as const;

  test.each(all)("$kind only scales the other classes", (options) => {
    const logits = scope(() =>
      numbers(marginOf(options).logits(float64(cosines), classLabels(labels), NORMS)),
    );
    const others = cosines.flatMap((row, i) =>
      row.flatMap((value, j) => (j === labels[i] ? [] : [64 * value])),
    );
    const given = logits.filter((_, k) => k % 3 !== labels[Math.floor(k / 3)]);
    expect(relativeError(given, others)).toBeLessThan(1e-12);
  });

  test.each([ARCFACE, COSFACE])("$kind has the gradient of differences, fallback included", (options) => {
    const weights = float64([
      [1, 2, 3],
      [-1, 0.5, 2],
      [2, 1, -1],
    ]);
    const sum = (x: Tensor) => marginOf(options).logits(x, classLabels(labels), NORMS).mul(weights).sum();
    expect(relativeError(gradientAt(cosines, sum), differencesAt(cosines, sum, 1e-6))).toBeLessThan(1e-7);
  });

  test.each(all)("$kind with a filter sets confusing other classes to 0, never the true one", (options) => {
    const filtered = marginOf({ ...options, interClassFilter: 0.35 });
    const open = marginOf(options);
    scope(() => {
      const confusing = [
        [0.9, 0.5, -0.2],
        [0.36, 0.9, 0.35],
      ];
      const [with0, without] = [filtered, open].map((margin) =>
        numbers(margin.logits(float64(confusing), classLabels([0, 1]), NORMS)),
      );
      expect(with0).toEqual(without!.map((logit, k) => ([1, 3].includes(k) ? 0 : logit)));
    });
    const gradient = gradientAt([[0.9, 0.5, -0.2]], (x) => filtered.logits(x, classLabels([0]), NORMS).sum());
    expect(gradient[1]).toBe(0);
  });

  test.each(all)("$kind leaves the cosines as they were", (options) => {
    const cosine = float64(cosines);
    noGrad(() =>
      scope(
        () => void marginOf({ ...options, interClassFilter: 0.2 }).logits(cosine, classLabels(labels), NORMS),
      ),
    );
    expect(numbers(cosine)).toEqual(cosines.flat());
  });
});
