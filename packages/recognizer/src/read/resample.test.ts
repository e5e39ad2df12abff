// Resizing against what it must keep: constants, means, straight slopes, and Pillow's numbers.
import fc from "fast-check";
import { expect, test } from "vitest";
import { resample } from "./resample.js";

const grey = (width: number, height: number, value: (x: number, y: number) => number) => {
  const pixels = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++)
    pixels.fill(value(i % width, Math.floor(i / width)), 3 * i, 3 * i + 3);
  return { width, height, pixels };
};
const channel = (pixels: Uint8Array, which = 1) => [...pixels].filter((_, i) => i % 3 === which);

test("a constant stays one, at any size", () => {
  const side = fc.integer({ min: 1, max: 40 });
  fc.assert(
    fc.property(side, side, side, side, fc.integer({ min: 0, max: 255 }), (w, h, newW, newH, value) => {
      const { width, height, pixels } = resample(
        grey(w, h, () => value),
        newW,
        newH,
      );
      expect([width, height, pixels.length]).toEqual([newW, newH, newW * newH * 3]);
      expect(new Set(pixels)).toEqual(new Set([value]));
    }),
    { seed: 3, numRuns: 100 },
  );
});

test("an edge stays where it is, whatever the blocks that a large picture is averaged in", () => {
  for (const [width, to] of [
    [1000, 40],
    [1003, 100],
    [997, 12],
    [50, 40],
    [50, 170],
  ] as const) {
    for (const edge of [Math.round(width / 3), Math.round(width / 2)]) {
      const values = channel(
        resample(
          grey(width, 3, (x) => (x < edge ? 0 : 255)),
          to,
          1,
        ).pixels,
      );
      const bright = (values.reduce((sum, value) => sum + value, 0) / 255) * (width / to);
      expect(Math.abs(bright - (width - edge))).toBeLessThan((0.05 * width) / to); // 0.05 new pixels: rounding
    }
  }
});

test("the same size is the same picture", () => {
  const picture = grey(3, 2, (x, y) => 10 * x + y);
  expect(resample(picture, 3, 2).pixels).toBe(picture.pixels);
});

// Pillow 9.4: Image.fromarray(row).resize((n, 1), Image.BILINEAR), the same filter.
test("a row, smaller and larger, as Pillow has it", () => {
  const row = [0, 10, 200, 255, 30, 60, 90, 5];
  const picture = grey(8, 1, (x) => row[x]!);
  expect(channel(resample(picture, 4, 1).pixels)).toEqual(PILLOW.half);
  expect(channel(resample(picture, 3, 1).pixels)).toEqual(PILLOW.third);
  expect(channel(resample(picture, 16, 1).pixels)).toEqual(PILLOW.double);
});

test("channels and axes do not mix", () => {
  const pixels = new Uint8Array(4 * 4 * 3);
  for (let i = 0; i < 16; i++) pixels.set([60 * (i % 4), 60 * Math.floor(i / 4), 7], 3 * i);
  const small = resample({ width: 4, height: 4, pixels }, 2, 2).pixels;
  expect([small[0], small[3], small[6], small[9]]).toEqual([small[0], small[3], small[0], small[3]]);
  expect(small[0]).toBeLessThan(small[3]!);
  expect([small[1], small[7]]).toEqual([small[0], small[3]]);
  expect(channel(small, 2)).toEqual([7, 7, 7, 7]);
});

const PILLOW = {
  half: [33, 176, 77, 49],
  third: [71, 134, 54],
  double: [0, 3, 8, 58, 153, 214, 241, 199, 86, 38, 53, 68, 83, 69, 26, 5],
};
