// The Gaussian-uniform mixture: golden values of the reference code, and what must hold for any entropies.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RandomStream } from "../random/stream.js";
import { relativeError } from "./method.test.support.js";
import { fitMixture, signedEntropies } from "./mixture.js";
import { objectiveOptions } from "./objectiveComposition.js";
import type { MixtureOptions } from "./objectiveOptions.js";

const PAPER = objectiveOptions({ preset: "paper" }).mixture;
const OFFICIAL = objectiveOptions({ preset: "official" }).mixture;

const fitOf = (entropies: readonly number[], options: MixtureOptions, seed = 1) =>
  fitMixture(signedEntropies(entropies, options.sign, new RandomStream(seed, "signs")), options);

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe("golden values of the reference code", () => {
  const DIGITS = 2e-6; // the values are given with six digits

  test("six sure predictions and two unsure ones", () => {
    const fit = fitOf([0.1, 0.2, 0.05, 0.3, 0.15, 0.25, 2, 3], OFFICIAL);
    expect(fit.mixing).toBe(0.5);
    expect(fit.variance).toBeCloseTo(0.025528, 5);
    expect(fit.uniformDensity).toBeCloseTo(0.168347, 5);
    const easy = [0.852908, 0.935443, 0.886514, 0.925087, 0.802409, 0.932301, 0, 0];
    expect(relativeError([...fit.easy], easy)).toBeLessThan(DIGITS);
  });

  test("evenly spread entropies", () => {
    const fit = fitOf(
      Array.from({ length: 16 }, (_, i) => 0.01 * (i + 1)),
      OFFICIAL,
    );
    expect(fit.mixing).toBe(0.5);
    expect(fit.variance).toBeCloseTo(0.795899, 5);
    expect(fit.uniformDensity).toBeCloseTo(0.19966, 5);
    const pairs = [0.687955, 0.673331, 0.646154, 0.605214, 0.549455, 0.47898, 0.396384, 0.307719];
    const easy = pairs.flatMap((value) => [value, value]);
    expect(relativeError([...fit.easy], easy)).toBeLessThan(DIGITS);
  });

  test("equal entropies", () => {
    const half = fitOf(new Array<number>(8).fill(0.5), OFFICIAL);
    expect(relativeError([...half.easy], new Array<number>(8).fill(0.528318))).toBeLessThan(DIGITS);
  });

  test("no entropy at all is easy, not NaN", () => {
    const fit = fitOf(new Array<number>(8).fill(0), OFFICIAL);
    expect(fit.variance).toBe(0);
    expect(fit.uniformDensity).toBe(0.001);
    expect(relativeError([...fit.easy], new Array<number>(8).fill(0.999921))).toBeLessThan(DIGITS);
  });
});

describe("a batch of 112 easy and 16 hard samples", () => {
  const stream = new RandomStream(4, "entropies");
  const easy = Array.from({ length: 112 }, () => Math.abs(0.2 * stream.normal()));
  const hard = Array.from({ length: 16 }, () => stream.range(1, 8));
  const posteriors = (options: MixtureOptions) => {
    const { easy: posterior, mixing } = fitOf([...easy, ...hard], options);
    return { mixing, easy: mean([...posterior.subarray(0, 112)]), hard: mean([...posterior.subarray(112)]) };
  };

  test("are told apart, with the reference's cap of 1/2 on the Gaussian's share", () => {
    const fit = posteriors(OFFICIAL);
    expect(fit.mixing).toBe(0.5);
    expect(fit.easy).toBeGreaterThan(0.8);
    expect(fit.hard).toBeLessThan(0.1);
  });

  test("without the cap the share is nearly the true one, 7/8, and the easy ones are surer", () => {
    const capped = posteriors(OFFICIAL);
    const free = posteriors({ ...OFFICIAL, mixingCap: null });
    expect(Math.abs(free.mixing - 112 / 128)).toBeLessThan(0.03);
    expect(free.easy).toBeGreaterThan(capped.easy);
  });

  test("the missing factor 3 changes little (D11)", () => {
    const code = posteriors(OFFICIAL);
    const paper = posteriors({ ...OFFICIAL, omega: "paper" });
    expect(Math.abs(paper.easy - code.easy)).toBeLessThan(0.02);
  });
});

describe.each([
  ["paper", PAPER],
  ["official", OFFICIAL],
])("%s", (_, options) => {
  test("any entropies give posteriors in 0..1", () => {
    const entropies = fc.array(fc.double({ min: 0, max: 16, noNaN: true }), { maxLength: 40 });
    fc.assert(
      fc.property(entropies, fc.nat(1000), (values, seed) => {
        const fit = fitOf(values, options, seed);
        expect(fit.easy).toHaveLength(values.length);
        expect(fit.easy.every((posterior) => posterior >= 0 && posterior <= 1)).toBe(true);
        expect([fit.mixing, fit.variance, fit.uniformDensity].every(Number.isFinite)).toBe(true);
        expect(fit.iterations).toBeLessThanOrEqual(options.maxIterations);
      }),
      { seed: 5, numRuns: 200 },
    );
  });
});

describe("signs", () => {
  const entropies = [1, 2, 3, 4, 5];

  test("alternate: every even position is negative (D9), and nothing is drawn", () => {
    const stream = new RandomStream(1, "signs");
    const before = stream.state();
    expect([...signedEntropies(entropies, "alternate", stream)]).toEqual([-1, 2, -3, 4, -5]);
    expect(stream.state()).toEqual(before);
  });

  test("random: a fair coin each, the same again from the same state", () => {
    const stream = new RandomStream(1, "signs");
    const many = new Array<number>(4000).fill(1);
    const state = stream.state();
    const first = [...signedEntropies(many, "random", stream)];
    expect(Math.abs(mean(first))).toBeLessThan(0.05); // three standard deviations
    expect([...signedEntropies(many, "random", stream)]).not.toEqual(first);
    stream.restore(state);
    expect([...signedEntropies(many, "random", stream)]).toEqual(first);
  });
});

test("EM stops at the tolerance, or at the most iterations allowed", () => {
  const values = [0.1, 0.4, 0.2, 3];
  expect(fitOf(values, { ...OFFICIAL, tolerance: 1e9 }).iterations).toBe(2);
  expect(fitOf(values, { ...OFFICIAL, maxIterations: 3 }).iterations).toBe(3);
});
