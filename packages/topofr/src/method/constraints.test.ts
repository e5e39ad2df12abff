// The gradient split: the loss keeps its value, and its gradient is the sum of the two parts.
import { scope, type Tensor } from "@topofr/torch";
import { expect, test } from "vitest";
import { constrainedCosine } from "./constraints.js";
import { createMargin } from "./margins/margin.js";
import { MARGIN_DEFAULTS } from "./margins/marginOptions.js";
import {
  classLabels,
  differencesAt,
  float64,
  gradientAt,
  numbers,
  relativeError,
} from "./method.test.support.js";
import type { ObjectiveOptions } from "./objectiveOptions.js";

const LABELS = [0, 2, 1];
const COSINES = [
  [0.6, 0.2, -0.1],
  [0.3, -0.4, 0.5],
  [0.1, 0.7, 0.65],
];
const lossOf = (constraints: ObjectiveOptions["constraints"]) => (cosine: Tensor) => {
  const labels = classLabels(LABELS);
  const margin = createMargin(MARGIN_DEFAULTS.arcface, { classes: 3, seed: 0 });
  const logits = margin.logits(
    constrainedCosine(cosine, labels, constraints),
    labels,
    float64([[1], [1], [1]]),
  );
  return logits.crossEntropyLoss(labels);
};

test("the value is ArcFace's, whichever constraint acts", () => {
  const [both, intra, inter] = (["both", "intra-class", "inter-class"] as const).map((constraints) =>
    scope(() => lossOf(constraints)(float64(COSINES)).item()),
  );
  expect([intra, inter]).toEqual([both, both]);
});

test("intra-class moves only the true class's cosine, inter-class only the others'; together they are ArcFace", () => {
  const whole = differencesAt(COSINES, lossOf("both"), 1e-6);
  const isTrue = (k: number) => k % 3 === LABELS[Math.floor(k / 3)];
  const intra = gradientAt(COSINES, lossOf("intra-class"));
  const inter = gradientAt(COSINES, lossOf("inter-class"));
  expect(
    relativeError(
      intra,
      whole.map((value, k) => (isTrue(k) ? value : 0)),
    ),
  ).toBeLessThan(1e-7);
  expect(
    relativeError(
      inter,
      whole.map((value, k) => (isTrue(k) ? 0 : value)),
    ),
  ).toBeLessThan(1e-7);
  expect(
    relativeError(
      intra.map((value, k) => value + inter[k]!),
      whole,
    ),
  ).toBeLessThan(1e-7);
});

test("the cosines themselves stay as they were", () => {
  const cosine = float64(COSINES);
  scope(() => {
    for (const constraints of ["both", "intra-class", "inter-class"] as const)
      expect(numbers(constrainedCosine(cosine, classLabels(LABELS), constraints))).toEqual(COSINES.flat());
  });
  expect(numbers(cosine)).toEqual(COSINES.flat());
});
