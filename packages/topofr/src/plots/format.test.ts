import { expect, test } from "vitest";
import { logTicks, roundTicks } from "./axes.js";
import { count, percent, powerOfTen, shortNumber } from "./format.js";

test("short numbers have at most four significant digits, grouped thousands, no needless zeros", () => {
  const cases: [number, string][] = [
    [0, "0"],
    [0.1 + 0.2, "0.3"],
    [-0.034567, "-0.03457"],
    [1234.5, "1,235"],
    [12500, "12,500"],
    [1234567, "1,234,567"],
    [1.23e-7, "1.2e-7"],
    [2e9, "2e9"],
    [NaN, "NaN"],
    [-Infinity, "-∞"],
  ];
  for (const [value, text] of cases) expect(shortNumber(value)).toBe(text);
});

test("powers of ten have superscripts, other numbers do not", () => {
  expect([1e-4, 0.1, 1, 10, 100, 0.02].map(powerOfTen)).toEqual(["10⁻⁴", "10⁻¹", "1", "10", "10²", "0.02"]);
});

test("percentages and counts", () => {
  expect([0.1234, 1, 0].map(percent)).toEqual(["12.3%", "100%", "0%"]);
  expect([count(1, "pair"), count(3000, "pair")]).toEqual(["1 pair", "3,000 pairs"]);
});

test("ticks are round numbers inside the interval", () => {
  expect(roundTicks(0, 0.31, 5)).toEqual([0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3]);
  expect(roundTicks(0, 5990, 5)).toEqual([0, 1000, 2000, 3000, 4000, 5000]);
  expect(roundTicks(2, 2, 5)).toEqual([2]);
  expect(logTicks([0.05, 20])).toEqual([0.1, 1, 10]);
  expect(logTicks([0.15, 0.9])).toEqual([0.2, 0.4, 0.6, 0.8]);
});
