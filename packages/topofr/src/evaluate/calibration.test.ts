// A product's threshold comes out the same from an evaluation's JSON as from its scores, for each kind of benchmark.
import { calibrateThreshold, thresholdOfReport } from "@topofr/recognizer";
import { expect, test } from "vitest";
import { reportOnScores } from "./benchmark.js";
import { rocCurve, tarAtFar } from "./roc.js";

const PAIRS = 2000;
/** Cosines in float32, as embeddings give them; every second pair is of one person. */
const scores = Float32Array.from({ length: PAIRS }, (_, k) => {
  const noise = Math.sin(12.9898 * k) * 0.45;
  return k % 2 === 1 ? 0.5 + noise : noise;
});
const same = Uint8Array.from(scores, (_, k) => k % 2);
const of = (kind: number) => [...scores].filter((_, k) => same[k] === kind);

test("by scores it is the point of the ROC that the evaluation reads", () => {
  const curve = rocCurve(scores, same);
  for (const far of [0, 1e-3, 1e-2, 0.1, 0.5, 1]) {
    const { threshold, tar, farReached } = tarAtFar(curve, far);
    const calibrated = calibrateThreshold({ impostor: of(0), genuine: of(1) }, { far });
    expect(calibrated).toMatchObject({ threshold, tar, farReached });
  }
});

const printed = (folds: number) =>
  JSON.parse(JSON.stringify(reportOnScores({ scores, same, folds }))) as unknown;

test("by the printed report on pairs in folds, whose thresholds are distances", () => {
  const wanted = calibrateThreshold({ impostor: of(0), genuine: of(1) }, { far: 1e-2 });
  const found = thresholdOfReport(printed(10), { far: 1e-2 });
  expect(found.threshold).toBeCloseTo(wanted.threshold, 6);
  expect(found).toEqual({ ...wanted, threshold: found.threshold });
});

test("by the printed report of the IJB protocol, which reads the nearest FAR", () => {
  const { threshold, tar, farReached } = thresholdOfReport(printed(0), { far: 1e-2 });
  const share = (list: number[]) => list.filter((score) => score >= threshold).length / list.length;
  expect([tar, farReached]).toEqual([share(of(1)), share(of(0))]);
  expect(farReached).not.toBe(1e-2); // and says which one that is
});
