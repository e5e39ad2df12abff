import { expect, test } from "vitest";
import { validationRateAtFar } from "./validationRate.js";

test("separable pairs are all accepted at a small FAR", () => {
  const same = Uint8Array.from({ length: 40 }, (_, k) => k % 2);
  const distances = Float64Array.from(same, (flag, k) => (flag === 1 ? 0.5 : 2 + k / 100));
  const result = validationRateAtFar(distances, same, { farTarget: 1e-3 });
  expect(result).toMatchObject({ validationRate: 1, validationRateStd: 0 });
  // Only the first fold's different pairs lie below all others, so only it has false accepts.
  expect(result.far).toBeCloseTo(0.1, 12);
});

test("the threshold is interpolated between the thresholds around the target", () => {
  // Two folds alike: same pairs at 1.0005 and 1.0015, different pairs at 1.0008 and 3.
  // FAR steps from 0 at 1.000 to 0.5 at 1.001; a target of 0.25 reads 1.0005, which accepts nothing
  // (strictly below), and a target of 0.3 reads 1.0006, which accepts one same pair.
  const distances = Float64Array.of(1.0005, 1.0015, 1.0008, 3, 1.0005, 1.0015, 1.0008, 3);
  const same = Uint8Array.of(1, 1, 0, 0, 1, 1, 0, 0);
  expect(validationRateAtFar(distances, same, { farTarget: 0.3, folds: 2 })).toEqual({
    validationRate: 0.5,
    validationRateStd: 0,
    far: 0,
  });
  expect(validationRateAtFar(distances, same, { farTarget: 0.2, folds: 2 }).validationRate).toBe(0);
  expect(validationRateAtFar(distances, same, { farTarget: 0.5, folds: 2 })).toMatchObject({
    validationRate: 0.5,
    far: 0.5,
  });
});

test("a fold without one kind of pair is an error that names the fold", () => {
  const same = Uint8Array.of(1, 0, 1, 1);
  expect(() => validationRateAtFar(new Float64Array(4), same, { farTarget: 0.1, folds: 2 })).toThrow(
    "fold 2 of 2 has 2 same and 0 different pairs",
  );
});
