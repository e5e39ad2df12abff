import fc from "fast-check";
import { expect, test } from "vitest";
import { contiguousFolds, foldedAccuracy } from "./folds.js";

/** The definition, threshold by threshold: what folds.ts must equal. */
function byDefinition(distances: number[], same: number[], folds: number) {
  const thresholds = Array.from({ length: 400 }, (_, i) => i * 0.01);
  const accuracyOn = (indices: number[], threshold: number) =>
    indices.filter((k) => distances[k]! < threshold === (same[k] === 1)).length / indices.length;
  const all = distances.map((_, k) => k);
  return contiguousFolds(all.length, folds).map(({ start, end }) => {
    const held = all.slice(start, end);
    const others = [...all.slice(0, start), ...all.slice(end)];
    const accuracies = thresholds.map((threshold) => accuracyOn(others, threshold));
    const threshold = thresholds[accuracies.indexOf(Math.max(...accuracies))]!;
    return { accuracy: accuracyOn(held, threshold), threshold, pairs: held.length };
  });
}

test("folds are contiguous and the first ones take the remainder", () => {
  const sizes = contiguousFolds(23, 5).map(({ start, end }) => end - start);
  expect(sizes).toEqual([5, 5, 5, 4, 4]);
  expect(contiguousFolds(23, 5).at(-1)!.end).toBe(23);
});

test("separable pairs have accuracy 1 and deviation 0", () => {
  const same = Uint8Array.from({ length: 40 }, (_, k) => k % 2);
  const result = foldedAccuracy(
    Float64Array.from(same, (flag) => (flag === 1 ? 0.5 : 2)),
    same,
  );
  expect(result.accuracy).toBe(1);
  expect(result.accuracyStd).toBe(0);
  // The first threshold above 0.5 in steps of 0.01; 0.5 itself does not accept a distance of 0.5.
  expect(result.bestThreshold).toBe(51 * 0.01);
});

test("every fold equals the definition, ties on thresholds included", () => {
  // Multiples of 0.01 in float64 land exactly on thresholds, where `<` and `<=` differ.
  const distance = fc.oneof(
    fc.integer({ min: 0, max: 420 }).map((i) => i * 0.01),
    fc.double({ min: 0, max: 4, noNaN: true }),
  );
  const pair = fc.tuple(distance, fc.integer({ min: 0, max: 1 }));
  fc.assert(
    fc.property(
      fc.array(pair, { minLength: 10, maxLength: 60 }),
      fc.integer({ min: 2, max: 10 }),
      (pairs, folds) => {
        const distances = pairs.map(([value]) => value);
        const same = pairs.map(([, flag]) => flag);
        const result = foldedAccuracy(Float64Array.from(distances), Uint8Array.from(same), { folds });
        expect(result.perFold).toEqual(byDefinition(distances, same, folds));
      },
    ),
    { seed: 11, numRuns: 60 },
  );
});

test("one kind of pair still has an accuracy", () => {
  const result = foldedAccuracy(new Float64Array(10).fill(1), new Uint8Array(10), { folds: 5 });
  expect(result.accuracy).toBe(1);
  expect(result.bestThreshold).toBe(0);
  expect(Math.max(...result.truePositiveRate)).toBe(0);
});

test("broken input is refused", () => {
  const flags = new Uint8Array(10);
  const distances = new Float64Array(10);
  expect(() => foldedAccuracy(distances.subarray(1), flags)).toThrow("9 distances for 10");
  expect(() => foldedAccuracy(distances.with(3, Number.NaN), flags)).toThrow("pair 3: distance is NaN");
  expect(() => foldedAccuracy(distances.with(3, Number.POSITIVE_INFINITY), flags)).toThrow("pair 3");
  expect(() => foldedAccuracy(distances, flags.with(4, 2))).toThrow("pair 4: flag is 2");
  expect(() => foldedAccuracy(distances, flags, { folds: 11 })).toThrow("10 pairs cannot be divided into 11");
  expect(() => foldedAccuracy(distances, flags, { folds: 1 })).toThrow("1 folds");
});
