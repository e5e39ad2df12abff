import { TopofrError } from "@topofr/formats";
import { expect, test } from "vitest";
import { normalizeRows, pairDistances, rowCount, sumFlips } from "./embeddings.js";

test("rows are scaled to length 1 and zero rows stay zero", () => {
  expect([...normalizeRows(Float32Array.of(3, 4, 0, 0, -5, 0), 2)]).toEqual([
    Math.fround(0.6),
    Math.fround(0.8),
    0,
    0,
    -1,
    0,
  ]);
});

test("a row with NaN or infinity is refused by its number", () => {
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(() => normalizeRows(Float32Array.of(1, 2, 3, bad), 2)).toThrow("row 1 of 2 holds NaN or infinity");
  }
});

test("the flip test adds the two embeddings and leaves its arguments alone", () => {
  const plain = Float32Array.of(1, 2);
  expect([...sumFlips(plain, Float32Array.of(10, -2))]).toEqual([11, 0]);
  expect([...plain]).toEqual([1, 2]);
  expect(() => sumFlips(plain, Float32Array.of(1))).toThrow("2 numbers for the images, 1 for their mirror");
});

test("squared distances of unit vectors run from 0 to 4", () => {
  const unit = Float32Array.of(1, 0, 0, 1, -1, 0);
  const distances = pairDistances(unit, 2, Uint32Array.of(0, 0, 0), Uint32Array.of(0, 1, 2));
  expect([...distances]).toEqual([0, 2, 4]);
});

test("a pair outside the embeddings and a broken matrix are errors", () => {
  const unit = Float32Array.of(1, 0, 0, 1);
  expect(() => pairDistances(unit, 2, Uint32Array.of(0), Uint32Array.of(2))).toThrow(
    "pair 0: image 2 of 2 embeddings",
  );
  expect(() => rowCount(unit, 3)).toThrow(TopofrError);
  expect(() => rowCount(unit, 0)).toThrow("dimension 0");
});
