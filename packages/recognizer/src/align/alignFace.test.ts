import fc from "fast-check";
import { expect, test } from "vitest";
import { pattern } from "../read/pictures.test.support.js";
import { alignFace } from "./alignFace.js";
import { ARCFACE_TEMPLATE } from "./template.js";

const SIZE = 112;
const template = ARCFACE_TEMPLATE.flat();
const picture = pattern(SIZE, SIZE);
const shifted = (dx: number, dy: number) => template.map((value, i) => value + (i % 2 === 0 ? dx : dy));
const colour = (pixels: Uint8Array, x: number, y: number, width = SIZE) => [
  ...pixels.subarray((y * width + x) * 3, (y * width + x) * 3 + 3),
];

test("an aligned face stays as it is", () => {
  expect(alignFace(picture, SIZE, SIZE, template, SIZE)).toEqual(picture);
});

test("a whole-pixel shift moves pixels exactly, and outside of the picture is black", () => {
  const moved = alignFace(picture, SIZE, SIZE, shifted(3, -5), SIZE);
  expect(colour(moved, 10, 20)).toEqual(colour(picture, 13, 15));
  expect(colour(moved, 110, 50)).toEqual([0, 0, 0]);
  expect(colour(moved, 50, 3)).toEqual([0, 0, 0]);
});

test("half a pixel is the mean of two, rounded; a face twice as large is halved; upside down is turned", () => {
  const half = alignFace(picture, SIZE, SIZE, shifted(0.5, 0), SIZE);
  const [left, right] = [colour(picture, 40, 30)[1]!, colour(picture, 41, 30)[1]!];
  expect(colour(half, 40, 30)[1]).toBe(Math.floor((left + right + 1) / 2));

  const large = pattern(2 * SIZE, 2 * SIZE);
  const halved = alignFace(
    large,
    2 * SIZE,
    2 * SIZE,
    template.map((value) => 2 * value),
    SIZE,
  );
  expect(colour(halved, 40, 30)).toEqual(colour(large, 80, 60, 2 * SIZE));

  const turned = alignFace(
    picture,
    SIZE,
    SIZE,
    template.map((value) => 111 - value),
    SIZE,
  );
  expect(colour(turned, 40, 30)).toEqual(colour(picture, 71, 81));
});

test("another size scales the template", () => {
  const doubled = alignFace(picture, SIZE, SIZE, template, 2 * SIZE);
  expect(colour(doubled, 80, 60, 2 * SIZE)).toEqual(colour(picture, 40, 30));
});

test("any landmarks give an image or an error that says what is wrong with them", () => {
  for (const landmarks of [
    [],
    template.slice(2),
    [...template, 1, 1],
    template.map(() => Number.NaN),
    Array(10).fill(5),
  ])
    expect(() => alignFace(picture, SIZE, SIZE, landmarks, SIZE)).toThrow(/alignment/);
  const coordinate = fc.integer({ min: -10_000, max: 10_000 });
  fc.assert(
    fc.property(fc.array(coordinate, { minLength: 10, maxLength: 10 }), (landmarks) => {
      fc.pre(landmarks.some((value, i) => value !== landmarks[i % 2]));
      expect(alignFace(picture, SIZE, SIZE, landmarks, 16)).toHaveLength(16 * 16 * 3);
    }),
    { seed: 1, numRuns: 100 },
  );
});
