import { liveTensors } from "@topofr/torch";
import fc from "fast-check";
import { expect, test } from "vitest";
import { templatePairScores } from "./ijbScores.js";
import type { Templates } from "./ijbTemplates.js";

const DIMENSION = 5;

function templates(ids: number[], seed: number): Templates {
  const features = Float32Array.from({ length: ids.length * DIMENSION }, (_, i) =>
    Math.sin((i + 1) * (seed + 12.9898)),
  );
  return { ids: Int32Array.from(ids), features, dimension: DIMENSION };
}

const brute = ({ ids, features }: Templates, a: number, b: number) => {
  const [p, q] = [ids.indexOf(a) * DIMENSION, ids.indexOf(b) * DIMENSION];
  let sum = 0;
  for (let d = 0; d < DIMENSION; d++) sum += features[p + d]! * features[q + d]!;
  return sum;
};

test("every pair gets the dot product of its templates, by matrix products or one by one", () => {
  const sizes = fc.record({
    count: fc.integer({ min: 1, max: 400 }), // few pairs of many templates go one by one
    pairs: fc.array(fc.tuple(fc.nat(399), fc.nat(399)), { minLength: 1, maxLength: 150, size: "max" }),
    seed: fc.nat(99),
  });
  fc.assert(
    fc.property(sizes, ({ count, pairs, seed }) => {
      const set = templates(
        Array.from({ length: count }, (_, t) => 3 * t + 1),
        seed,
      );
      const first = pairs.map(([a]) => 3 * (a % count) + 1);
      const second = pairs.map(([, b]) => 3 * (b % count) + 1);
      const same = Uint8Array.from(first, (a, k) => Number(a === second[k]));
      const scores = templatePairScores(set, { first, second, same });
      first.forEach((a, k) => {
        expect(scores[k]).toBeCloseTo(brute(set, a, second[k]!), 5);
      });
    }),
    { seed: 13, numRuns: 60 },
  );
});

test("a list of all pairs and the same pairs alone agree", () => {
  const set = templates([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 4);
  const first = [...set.ids].flatMap((a) => [...set.ids].map(() => a));
  const second = [...set.ids].flatMap(() => [...set.ids]);
  const before = liveTensors();
  const all = templatePairScores(set, { first, second, same: new Uint8Array(100) });
  expect(liveTensors()).toBe(before);
  first.forEach((a, k) => {
    const alone = templatePairScores(set, { first: [a], second: [second[k]!], same: Uint8Array.of(0) });
    expect(all[k]).toBeCloseTo(alone[0]!, 6);
  });
});

test("a pair may be listed twice, but not with two labels; unknown templates are named", () => {
  const set = templates([3, 7, 8], 1);
  const pairs = { first: [3, 7, 3], second: [7, 7, 7], same: Uint8Array.of(0, 1, 0) };
  const scores = templatePairScores(set, pairs);
  expect(scores[2]).toBe(scores[0]);
  expect(() => templatePairScores(set, { ...pairs, same: Uint8Array.of(0, 1, 1) })).toThrow(
    "IJB pairs 0 and 2: templates 3 and 7 are called the same subject in one and different in the other",
  );
  expect(() => templatePairScores(set, { ...pairs, second: [7, 9, 7] })).toThrow(
    "pair 1: no image has template id 9",
  );
});
