// Thresholds against counting by hand, and out of reports.
import { TopofrError } from "@topofr/formats";
import fc from "fast-check";
import { expect, test } from "vitest";
import { thresholdOfReport } from "./reportThreshold.js";
import { similarity } from "./similarity.js";
import { calibrateThreshold } from "./threshold.js";

test("one false accept in ten", () => {
  const impostor = [0.5, 0.1, 0.2, 0.3, 0.05, 0, -0.1, 0.15, 0.25, 0.35];
  const genuine = [0.9, 0.8, 0.4, 0.3, 0.36];
  expect(calibrateThreshold({ impostor, genuine }, { far: 0.1 })).toEqual({
    threshold: 0.36,
    far: 0.1,
    farReached: 0.1,
    tar: 0.8,
    impostors: 10,
    genuines: 5,
    note: "FAR 0.1 of 10 different pairs: 1 false accepts expected, 10 needed for a steady number",
  });
  expect(calibrateThreshold({ impostor, genuine }, { far: 0 })).toMatchObject({ threshold: 0.8, tar: 0.4 });
  expect(calibrateThreshold({ impostor, genuine }, { far: 1 })).toMatchObject({ threshold: -0.1, tar: 1 });
});

test("it is the lowest of all scores that keeps the rate, ties included", () => {
  const scores = fc.array(
    fc.integer({ min: -10, max: 10 }).map((n) => n / 10),
    { minLength: 1, maxLength: 40 },
  );
  fc.assert(
    fc.property(scores, scores, fc.double({ min: 0, max: 1, noNaN: true }), (impostor, genuine, far) => {
      const rate = (list: number[], limit: number) => list.filter((s) => s >= limit).length / list.length;
      const allowed = [...impostor, ...genuine].filter((limit) => rate(impostor, limit) <= far);
      const calibrate = () => calibrateThreshold({ impostor, genuine }, { far });
      if (allowed.length === 0) {
        expect(calibrate).toThrow(/is of two people/);
        return;
      }
      const threshold = Math.min(...allowed);
      expect(calibrate()).toMatchObject({
        threshold,
        farReached: rate(impostor, threshold),
        tar: rate(genuine, threshold),
      });
    }),
    { seed: 7, numRuns: 300 },
  );
});

test.each([
  [{ impostor: [], genuine: [1] }, 0.1, "E_DATA", "needs both"],
  [{ impostor: [1], genuine: [] }, 0.1, "E_DATA", "needs both"],
  [{ impostor: [0, Number.NaN], genuine: [1] }, 0.1, "E_DATA", "impostor score 1 is NaN"],
  [{ impostor: [0.9], genuine: [0.5] }, 0.1, "E_DATA", "the most alike pair of 2 (0.9) is of two people"],
  [{ impostor: [0], genuine: [1] }, 1.5, "E_USAGE", "far 1.5"],
  [{ impostor: [0], genuine: [1] }, Number.NaN, "E_USAGE", "far NaN"],
])("%j at %d: %s", (scores, far, code, message) => {
  expect(() => calibrateThreshold(scores, { far })).toThrow(
    expect.objectContaining({ code, message: expect.stringContaining(message) as string }) as TopofrError,
  );
});

// Of the form that `topofr evaluate --json` prints; topofr's own tests read real ones.
const point = (far: number, threshold: number | null) => ({
  far,
  farReached: far / 2,
  tar: 0.9,
  threshold,
  note: null,
});
const pairs = {
  kind: "pairs",
  benchmark: "lfw",
  samePairs: 30,
  tarAtFar: [{ ...point(1e-2, 1.5), impostors: 40 }, point(1e-4, null)],
};
const ijb = {
  kind: "ijb",
  benchmark: "IJBC",
  genuines: 5,
  impostors: 6,
  tarAtFar: [{ ...point(1e-4, 0.3), note: "few" }],
};
const row = (name: string, threshold: number) => ({
  name,
  genuines: 1,
  impostors: 2,
  tarAtFar: [point(1e-3, threshold)],
});
const groups = {
  kind: "groups",
  benchmark: "faces",
  groups: [row("a", 0.2), row("b", 0.4), { name: "c", tarAtFar: null }],
};

test("a report's threshold, as a cosine", () => {
  expect(thresholdOfReport(pairs, { far: 1e-2 })).toEqual({
    ...{ threshold: 0.25, far: 1e-2, farReached: 5e-3, tar: 0.9 },
    ...{ impostors: 40, genuines: 30, note: null },
  });
  const choice = { far: 1e-4, benchmark: "IJBC" };
  expect(thresholdOfReport([pairs, ijb], choice)).toMatchObject({
    threshold: 0.3,
    impostors: 6,
    note: "few",
  });
  expect(thresholdOfReport(groups, { far: 1e-3, group: "b" })).toMatchObject({ threshold: 0.4, genuines: 1 });
});

test.each<[unknown, object, string, string]>([
  [pairs, { far: 1e-3 }, "E_USAGE", "no threshold for FAR 0.001; it has 0.01, 0.0001"],
  [pairs, { far: 1e-4 }, "E_DATA", "accepted no pair at all"],
  [
    [pairs, ijb],
    { far: 1e-2 },
    "E_USAGE",
    "the report has 2 evaluations (lfw, IJBC); name one as `benchmark`",
  ],
  [[pairs, ijb], { far: 1e-2, benchmark: "agedb" }, "E_USAGE", 'no benchmark "agedb"; it has lfw, IJBC'],
  [groups, { far: 1e-3 }, "E_USAGE", "(a, b); name one as `group`"],
  [groups, { far: 1e-3, group: "c" }, "E_USAGE", 'no group "c"; it has a, b'],
  [{}, { far: 1e-3 }, "E_FORMAT", "not what `topofr evaluate --json` prints"],
  [[], { far: 1e-3 }, "E_FORMAT", "not what"],
  [null, { far: 1e-3 }, "E_FORMAT", "not what"],
  ["text", { far: 1e-3 }, "E_FORMAT", "not what"],
  [{ kind: "pairs", tarAtFar: 5 }, { far: 1e-3 }, "E_FORMAT", "not what"],
  [{ kind: "pairs", tarAtFar: [{ far: 1e-3, threshold: "x" }] }, { far: 1e-3 }, "E_FORMAT", "not what"],
])("%j, %j: %s", (report, choice, code, message) => {
  expect(() => thresholdOfReport(report, choice as { far: number })).toThrow(
    expect.objectContaining({ code, message: expect.stringContaining(message) as string }) as TopofrError,
  );
});

test("similarity is the cosine, and only of embeddings that can be compared", () => {
  const a = Float32Array.of(3, 4, 0);
  expect(similarity(a, Float32Array.of(6, 8, 0))).toBe(1);
  expect(similarity(a, Float32Array.of(-3, -4, 0))).toBe(-1);
  expect(similarity(a, Float32Array.of(4, -3, 9))).toBeCloseTo(0, 12);
  expect(() => similarity(a, Float32Array.of(1, 2))).toThrow(TopofrError);
  for (const broken of [new Float32Array(3), Float32Array.of(1, Number.NaN, 0)])
    expect(() => similarity(a, broken)).toThrow("zero or not finite");
});
