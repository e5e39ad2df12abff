import { farNote } from "@topofr/recognizer";
import fc from "fast-check";
import { expect, test } from "vitest";
import { verificationTable } from "./report.js";
import { type IndexedPairs, verifyPairs } from "./verification.js";

/** Images 2k and 2k + 1 form pair k. */
function consecutivePairs(same: number[], folds = 10): IndexedPairs {
  return {
    images: same.flatMap((_, k) => [`${k}a.jpg`, `${k}b.jpg`]),
    first: Uint32Array.from(same, (_, k) => 2 * k),
    second: Uint32Array.from(same, (_, k) => 2 * k + 1),
    same: Uint8Array.from(same),
    folds,
  };
}

/** Embeddings on a circle: pair k opens `angles[k]`, so its squared distance is 2 - 2·cos(angle). */
function onCircle(angles: number[]): Float32Array {
  return Float32Array.from(
    angles.flatMap((angle, k) => [Math.cos(k), Math.sin(k), Math.cos(k + angle), Math.sin(k + angle)]),
  );
}

const flags = Array.from({ length: 200 }, (_, k) => k % 2);

test("separable pairs: accuracy 1, AUC 1, EER 0, TAR 1", () => {
  const report = verifyPairs(
    onCircle(flags.map((flag) => (flag === 1 ? 0.3 : 1.5))),
    consecutivePairs(flags),
  );
  expect(report).toMatchObject({ accuracy: 1, accuracyStd: 0, auc: 1, eer: 0, dimension: 2, images: 400 });
  expect(report).toMatchObject({ pairs: 200, samePairs: 100 });
  expect(report.tarAtFar.map(({ tar }) => tar)).toEqual([1, 1, 1, 1]);
  expect(report.tarAtFar[3]!.threshold).toBeCloseTo(2 - 2 * Math.cos(0.3), 6);
  expect(report.roc.at(-1)).toEqual({ far: 1, tar: 1 });
  const { same, different, binWidth } = report.distances;
  expect(same[Math.floor((2 - 2 * Math.cos(0.3)) / binWidth)]).toBe(100);
  expect(different[Math.floor((2 - 2 * Math.cos(1.5)) / binWidth)]).toBe(100);
});

test("the length of an embedding does not matter", () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0.1, max: 50, noNaN: true }), { minLength: 400, maxLength: 400 }),
      (lengths) => {
        const plain = onCircle(flags.map((_, k) => (k * 0.7) % 3));
        const scaled = plain.map((value, i) => value * Math.fround(lengths[Math.floor(i / 2)]!));
        const pairs = consecutivePairs(flags);
        const expected = verifyPairs(plain, pairs);
        expect(
          verifyPairs(
            plain.map((value) => value / 2),
            pairs,
          ),
        ).toEqual(expected);
        expect(verifyPairs(scaled, pairs).auc).toBeCloseTo(expected.auc, 3);
      },
    ),
    { seed: 3, numRuns: 5 },
  );
});

test("opposite embeddings fall into the last bin of the histogram", () => {
  const report = verifyPairs(
    onCircle(flags.map((flag) => (flag === 1 ? 0 : Math.PI))),
    consecutivePairs(flags),
  );
  expect(report.distances.same[0]).toBe(100);
  expect(report.distances.different.at(-1)).toBe(100);
});

test("a FAR that the different pairs cannot measure carries a note", () => {
  expect(farNote(0.1, 100)).toBeNull();
  expect(farNote(1e-3, 3000)).toBe(
    "FAR 0.001 of 3000 different pairs: 3 false accepts expected, 10 needed for a steady number",
  );
  const report = verifyPairs(onCircle(flags.map((_, k) => (k * 0.7) % 3)), consecutivePairs(flags));
  expect(report.tarAtFar.map(({ note }) => note === null)).toEqual([true, false, false, false]);
});

test("one kind of pair, wrong sizes and NaN are refused", () => {
  const embeddings = onCircle(flags.map(() => 1));
  expect(() => verifyPairs(embeddings, consecutivePairs(flags.map(() => 1)))).toThrow(
    "200 same and 0 different",
  );
  expect(() => verifyPairs(embeddings.subarray(1), consecutivePairs(flags))).toThrow(
    "799 embedding numbers for 400",
  );
  expect(() => verifyPairs(new Float32Array(0), consecutivePairs([]))).toThrow(
    "0 embedding numbers for 0 images",
  );
  expect(() => verifyPairs(embeddings.with(7, Number.NaN), consecutivePairs(flags))).toThrow("row 3 of 400");
});

test("the table has a row per report, marks noisy rates and explains them once", () => {
  const pairs = consecutivePairs(flags);
  const report = verifyPairs(onCircle(flags.map((flag) => (flag === 1 ? 0.3 : 1.5))), pairs);
  const table = verificationTable([
    { name: "before", report: { ...report, accuracy: 0.5125, eer: 0.49, auc: 0.52 } },
    { name: "after", report },
  ]).split("\n");
  expect(table).toEqual([
    "           accuracy %      AUC  EER %  TAR% @FAR 1e-1  TAR% @FAR 1e-2  TAR% @FAR 1e-3  TAR% @FAR 1e-4",
    "-".repeat(101),
    "before   51.25 ± 0.00  0.52000  49.00          100.00         100.00*         100.00*         100.00*",
    "after   100.00 ± 0.00  1.00000   0.00          100.00         100.00*         100.00*         100.00*",
    "200 pairs (100 same), 400 images, 10 folds",
    "* FAR 0.01 of 100 different pairs: 1 false accepts expected, 10 needed for a steady number",
    "* FAR 0.001 of 100 different pairs: 0.1 false accepts expected, 10 needed for a steady number",
    "* FAR 0.0001 of 100 different pairs: 0.01 false accepts expected, 10 needed for a steady number",
  ]);
});
