// verification_N.json: 10-fold accuracy of N pairs, from 2N interleaved embeddings.

import { z } from "zod";
import { normalizeRows, pairDistances } from "../../evaluate/embeddings.js";
import { foldedAccuracy } from "../../evaluate/folds.js";
import { type IndexedPairs, verifyPairs } from "../../evaluate/verification.js";
import { expectArrayClose, expectNear, parseCase, recordedArray } from "../compare.js";

const schema = z.strictObject({
  embeddings: recordedArray,
  issame: z.array(z.union([z.literal(0), z.literal(1), z.boolean()])),
  accuracy_folds: recordedArray,
  accuracy: z.number(),
  accuracy_std: z.number(),
  tpr: recordedArray,
  fpr: recordedArray,
});

/** Accuracies are ratios of counts: equal counts agree to the last digits of float64. */
const SAME_COUNTS = 1e-12;
/** Arrays are recorded with nine digits. */
const RECORDED_DIGITS = 1e-8;

export function check(value: unknown, name: string): void {
  const recorded = parseCase(schema, value, name);
  const [rows, dimension] = recorded.embeddings.shape;
  const count = recorded.issame.length;
  if (rows !== 2 * count || dimension === undefined) {
    throw new Error(`${name}: ${rows} embeddings for ${count} pairs; expected two rows per pair`);
  }
  const pairs: IndexedPairs = {
    images: { length: rows },
    first: Uint32Array.from({ length: count }, (_, k) => 2 * k),
    second: Uint32Array.from({ length: count }, (_, k) => 2 * k + 1),
    same: Uint8Array.from(recorded.issame, Number),
    folds: recorded.accuracy_folds.data.length,
  };
  const embeddings = Float32Array.from(recorded.embeddings.data);
  const report = verifyPairs(embeddings, pairs);
  report.perFold.forEach((fold, k) => {
    // Compared as counts of right decisions, which the recorded digits determine.
    const right = Math.round(recorded.accuracy_folds.data[k]! * fold.pairs);
    expectNear(`right decisions in fold ${k + 1}`, Math.round(fold.accuracy * fold.pairs), right, 0);
    expectNear(`accuracy of fold ${k + 1}`, fold.accuracy, recorded.accuracy_folds.data[k]!, RECORDED_DIGITS);
  });
  expectNear("accuracy", report.accuracy, recorded.accuracy, SAME_COUNTS);
  expectNear("deviation of the accuracy", report.accuracyStd, recorded.accuracy_std, SAME_COUNTS);

  const distances = pairDistances(normalizeRows(embeddings, dimension), dimension, pairs.first, pairs.second);
  const { truePositiveRate, falsePositiveRate } = foldedAccuracy(distances, pairs.same, {
    folds: pairs.folds,
  });
  expectArrayClose("true positive rate", truePositiveRate, recorded.tpr.data, RECORDED_DIGITS);
  expectArrayClose("false positive rate", falsePositiveRate, recorded.fpr.data, RECORDED_DIGITS);
}
