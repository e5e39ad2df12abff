// Mining methods against their formulas, one number at a time, and against differences.
import { scope, type Tensor } from "@topofr/torch";
import { describe, expect, test } from "vitest";
import {
  classLabels,
  differencesAt,
  float64,
  gradientAt,
  numbers,
  relativeError,
} from "../method.test.support.js";
import { createMining, type Mining } from "./mining.js";
import { MINING_DEFAULTS, type MiningOptions } from "./miningOptions.js";

const SCALE = 10;
const LABELS = [1, 0, 2, 1];
// Cosines with the margin already in the true class's column.
const TARGETED = [
  [0.3, 0.25, -0.2],
  [0.7, 0.1, 0.65],
  [0.1, 0.2, -0.3],
  [-0.5, 0.9, 0.95],
];
const miningOf = (options: MiningOptions): Mining => createMining(options, SCALE);
const logsumexp = (row: readonly number[]) => Math.log(row.reduce((sum, value) => sum + Math.exp(value), 0));
const lossesOf = (logits: Tensor) => logits.crossEntropyLoss(classLabels(LABELS), { reduction: 0 });
const probabilities = (rows: readonly number[][]) =>
  rows.map((row) => row.map((value) => Math.exp(SCALE * value - logsumexp(row.map((c) => SCALE * c)))));

describe("mv-softmax", () => {
  test.each([
    [true, (c: number) => 1.12 * c + 0.12],
    [false, (c: number) => c + 0.12],
  ])("adaptive %s: classes above the true one are emphasised, the others stay", (adaptive, emphasise) => {
    const { logits } = miningOf({ ...MINING_DEFAULTS["mv-softmax"], adaptive });
    const given = scope(() => numbers(logits!(float64(TARGETED).mul(SCALE), classLabels(LABELS))));
    const wanted = TARGETED.flatMap((row, i) =>
      row.map((c) => SCALE * (c > row[LABELS[i]!]! ? emphasise(c) : c)),
    );
    expect(relativeError(given, wanted)).toBeLessThan(1e-12);
    expect(given.filter((value, k) => Math.abs(value - SCALE * TARGETED.flat()[k]!) > 1e-9)).toHaveLength(4);
  });

  test("t = 1 changes nothing, and gradients are those of differences", () => {
    const labels = classLabels(LABELS);
    const plain = miningOf({ kind: "mv-softmax", adaptive: true, t: 1 }).logits!;
    expect(scope(() => numbers(plain(float64(TARGETED), labels)))).toEqual(TARGETED.flat());
    const sum = (x: Tensor) =>
      lossesOf(miningOf(MINING_DEFAULTS["mv-softmax"]).logits!(x.mul(SCALE), labels)).sum();
    expect(relativeError(gradientAt(TARGETED, sum), differencesAt(TARGETED, sum, 1e-6))).toBeLessThan(1e-7);
  });
});

/** The batch's loss as a function of the cosines. */
const batchLoss = (options: MiningOptions) => (cosine: Tensor) => {
  const logits = cosine.mul(SCALE);
  return miningOf(options).reduce!(lossesOf(logits), {
    logits,
    plainLogits: () => logits,
    labels: classLabels(LABELS),
  });
};
const lossValue = (options: MiningOptions) => scope(() => batchLoss(options)(float64(TARGETED)).item());
const LOSSES = probabilities(TARGETED).map((row, i) => -Math.log(row[LABELS[i]!]!));

describe("atk", () => {
  test.each([
    [0.5, 2],
    [0.01, 1],
    [0.7, 3],
    [1, 4],
  ])("share %d of 4 samples is the mean of the %d largest losses", (share, k) => {
    // min over lambda of lambda + (1/k) sum max(l - lambda, 0): the minimum lies at one of the losses.
    const at = (lambda: number) =>
      lambda + LOSSES.reduce((sum, loss) => sum + Math.max(loss - lambda, 0), 0) / k;
    expect(lossValue({ kind: "atk", share })).toBeCloseTo(Math.min(...LOSSES.map(at)), 10);
  });

  test("the samples beyond get no gradient", () => {
    const gradient = gradientAt(TARGETED, batchLoss(MINING_DEFAULTS.atk));
    const moved = LABELS.map((_, i) => gradient.slice(3 * i, 3 * i + 3).some((value) => value !== 0));
    const median = LOSSES.toSorted((a, b) => a - b)[1]!;
    expect(moved).toEqual(LOSSES.map((loss) => loss > median));
  });
});

describe("focal", () => {
  test.each([
    [2, null],
    [0.5, 0.25],
    [1, null],
  ])("gamma %d, alpha %d: mean of alpha (1 - p)^gamma times the loss", (gamma, alpha) => {
    const wanted =
      LOSSES.reduce((sum, loss) => sum + (1 - Math.exp(-loss)) ** gamma * loss * (alpha ?? 1), 0) /
      LOSSES.length;
    expect(lossValue({ kind: "focal", gamma, alpha })).toBeCloseTo(wanted, 10);
  });

  test("a perfect prediction has loss 0 and a finite gradient, for gamma below 1 too", () => {
    scope(() => {
      const logits = float64([[500, 0, 0]], { requiresGrad: true });
      const labels = classLabels([0]);
      const loss = miningOf({ kind: "focal", gamma: 0.5, alpha: null }).reduce!(
        logits.crossEntropyLoss(labels, { reduction: 0 }),
        { logits, plainLogits: () => logits, labels },
      );
      loss.backward();
      expect(loss.item()).toBe(0);
      expect(numbers(logits.grad!).every(Number.isFinite)).toBe(true);
    });
  });
});

describe("ehsm", () => {
  test("weights are 1 + exp(-gamma (log K - E)): 2 for a prediction that knows nothing", () => {
    const information = probabilities(TARGETED).map((row) =>
      row.reduce((sum, p) => sum + p * Math.log(3 * p), 0),
    );
    const wanted =
      LOSSES.reduce((sum, loss, i) => sum + loss * (1 + Math.exp(-1.5 * information[i]!)), 0) / LOSSES.length;
    expect(lossValue({ kind: "ehsm", gamma: 1.5 })).toBeCloseTo(wanted, 10);
    const blank = scope(() => {
      const logits = float64([[7, 7, 7]]);
      const labels = classLabels([1]);
      const losses = logits.crossEntropyLoss(labels, { reduction: 0 });
      return miningOf(MINING_DEFAULTS.ehsm).reduce!(losses, {
        logits,
        plainLogits: () => logits,
        labels,
      }).item();
    });
    expect(blank).toBeCloseTo(2 * Math.log(3), 10);
  });

  test("the weight is a constant to the gradient", () => {
    const information = probabilities(TARGETED).map((row) =>
      row.reduce((sum, p) => sum + p * Math.log(3 * p), 0),
    );
    const weights = float64(information.map((value) => 1 + Math.exp(-value)));
    const frozen = (x: Tensor) => lossesOf(x.mul(SCALE)).mul(weights).mean();
    const gradient = gradientAt(TARGETED, batchLoss(MINING_DEFAULTS.ehsm));
    expect(relativeError(gradient, differencesAt(TARGETED, frozen))).toBeLessThan(1e-7);
  });
});

test.each([MINING_DEFAULTS.atk, MINING_DEFAULTS.focal, { kind: "focal", gamma: 0.5, alpha: 0.25 } as const])(
  "$kind has the gradient of differences",
  (options) => {
    const loss = batchLoss(options);
    expect(relativeError(gradientAt(TARGETED, loss), differencesAt(TARGETED, loss, 1e-6))).toBeLessThan(1e-7);
  },
);
