import { expect, test } from "vitest";
import { flatRows, rowDistance } from "./points.js";

const POINTS = Float64Array.of(3, 4, -6, 8, 3, 4, 0, 2e200);

test("each metric is what its name says", () => {
  expect(rowDistance(POINTS, 4, 2)(0, 1)).toBeCloseTo(Math.hypot(9, 4), 14);
  expect(rowDistance(POINTS, 4, 2, "manhattan")(0, 1)).toBe(13);
  // cosine of the angle: (3 · -6 + 4 · 8) / (5 · 10)
  expect(rowDistance(POINTS, 4, 2, "cosine")(0, 1)).toBeCloseTo(1 - 14 / 50, 14);
});

test("cosine: equal rows are at 0, opposite ones at 2, and large coordinates do not overflow", () => {
  const distance = rowDistance(POINTS, 4, 2, "cosine");
  expect(distance(0, 2)).toBe(0);
  expect(distance(0, 3)).toBeCloseTo(1 - 4 / 5, 14);
  expect(rowDistance(Float64Array.of(1, 3, -1, -3), 2, 2, "cosine")(0, 1)).toBeCloseTo(2, 14);
});

test("rows without a direction, unknown metrics and ragged rows are refused", () => {
  expect(() => rowDistance(Float64Array.of(1, 0), 2, 1, "cosine")).toThrow("row 1 is zero");
  expect(() => rowDistance(POINTS, 4, 2, "chebyshev" as "cosine")).toThrow('metric is "chebyshev"');
  expect(() => flatRows([[1, 2], [3]], "points")).toThrow("row 1 has 1 values, row 0 has 2");
});
