import { expect, test } from "vitest";
import { verifyTemplates } from "./ijb.js";

test("separable scores: every rate is 1, and a FAR of few false accepts carries a note", () => {
  const scores = Float32Array.from({ length: 1000 }, (_, k) => (k < 100 ? 0.9 : 0.1) + k * 1e-5);
  const same = Uint8Array.from(scores, (_, k) => Number(k < 100));
  const report = verifyTemplates(scores, same);
  expect(report).toMatchObject({ auc: 1, eer: 0, genuines: 100, impostors: 900 });
  expect(report.tarAtFar.map(({ far, tar }) => [far, tar])).toEqual(
    [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1].map((far) => [far, 1]),
  );
  expect(report.tarAtFar.map(({ note }) => note === null)).toEqual([false, false, false, false, false, true]);
  expect(report.roc.at(-1)).toEqual({ far: 1, tar: 1 });
});

test("float32 and float64 scores of the same values give the same report", () => {
  const scores = Float32Array.from({ length: 500 }, (_, k) => Math.sin(k * 78.233) * (k % 3));
  const same = Uint8Array.from(scores, (_, k) => k % 2);
  expect(verifyTemplates(Float64Array.from(scores), same)).toEqual(verifyTemplates(scores, same));
});
