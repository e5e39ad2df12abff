import { expect, test } from "vitest";
import { describeThreshold, inWords, snap } from "./rates.js";

const rates = [
  { threshold: 0.4, far: 1e-4, tar: 0.9 },
  { threshold: 0.2, far: 1e-2, tar: 0.99 },
  { threshold: 0.3, far: 1e-3, tar: 0.98 },
];

test("shares in words", () => {
  expect([0, 1e-4, 0.0097, 0.0125, 0.1, 0.25, 1].map(inWords)).toEqual([
    ...["none", "1 in 10,000", "1 in 100", "1 in 80", "1 in 10", "25 %", "100 %"],
  ]);
});

test("a measured threshold has its rates, one between two has theirs as limits, one beyond has a limit", () => {
  expect(describeThreshold(0.3, rates)).toBe(
    "1 in 1,000 pairs of different people would be taken for the same person; and 98.0 % of the pairs of one person are recognised.",
  );
  expect(describeThreshold(0.35, rates)).toMatch(
    /^Between 1 in 10,000 and 1 in 1,000 pairs.*at least 90\.0 %/,
  );
  expect(describeThreshold(0.1, rates)).toMatch(/^More than 1 in 100 pairs.*more than 99\.0 %/);
  expect(describeThreshold(0.5, rates)).toMatch(/^At most 1 in 10,000 pairs.*at most 90\.0 %/);
  expect(describeThreshold(0.5, [])).toContain("not known");
});

test("the slider can hit a measured threshold", () => {
  expect(snap(0.304, rates, 0.01)).toBe(0.3);
  expect(snap(0.31, rates, 0.01)).toBe(0.31);
});
