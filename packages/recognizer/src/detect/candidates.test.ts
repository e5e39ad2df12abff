// Overlaps of boxes, and which of them stay.
import { expect, test } from "vitest";
import type { Face } from "../types.js";
import { overlap, suppress } from "./candidates.js";

const face = (x: number, y: number, width: number, height: number, score: number): Face => ({
  box: { x, y, width, height },
  landmarks: new Float32Array(10),
  score,
});

test("intersection over union", () => {
  const { box } = face(0, 0, 4, 4, 1);
  expect(overlap(box, box)).toBe(1);
  expect(overlap(box, { x: 2, y: 0, width: 4, height: 4 })).toBeCloseTo(8 / 24);
  expect(overlap(box, { x: 4, y: 0, width: 4, height: 4 })).toBe(0);
  expect(overlap(box, { x: -10, y: 9, width: 4, height: 4 })).toBe(0);
});

test("the best of overlapping boxes stays, and what overlaps only a removed one stays too", () => {
  const [first, second, third] = [face(0, 0, 10, 10, 0.7), face(4, 0, 10, 10, 0.9), face(8, 0, 10, 10, 0.8)];
  // Neighbours overlap by 6/14, the outer two by 2/18.
  expect(suppress([first, second, third], 0.4)).toEqual([second]);
  expect(suppress([first, second, third], 0.5)).toEqual([second, third, first]);
  expect(suppress([first, { ...second, score: 0.1 }, third], 0.4)).toEqual([third, first]);
  expect(suppress([], 0.4)).toEqual([]);
});
