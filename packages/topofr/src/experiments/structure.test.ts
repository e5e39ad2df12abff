import { expect, test } from "vitest";
import { unitSphereDiagram } from "./structure.js";

test("deaths are distances of the normalised points: lengths do not matter", () => {
  // Directions at 0, 60 and 90 degrees: chords 2 sin(30°) = 1 and 2 sin(15°).
  const points = Float32Array.from([2, 0, 0.5, Math.sqrt(0.75), 0, 9]);
  const { dimension, births, deaths } = unitSphereDiagram(points, 2, false);
  expect(dimension).toBe(0);
  expect([...births]).toEqual([0, 0, 0]);
  const finite = [...deaths].filter(Number.isFinite);
  expect(finite).toHaveLength(2);
  expect(finite[0]).toBeCloseTo(2 * Math.sin(Math.PI / 12), 6);
  expect(finite[1]).toBeCloseTo(1, 6);
});

test("centred, two points are opposite, and the input is left as it was", () => {
  const points = Float32Array.from([10, 1, 10, 3]);
  const { deaths } = unitSphereDiagram(points, 2, true);
  expect([...deaths].filter(Number.isFinite)).toEqual([2]);
  expect([...points]).toEqual([10, 1, 10, 3]);
});
