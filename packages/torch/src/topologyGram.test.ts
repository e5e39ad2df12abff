import { expect, test } from "vitest";
import { manualSeed } from "./generator.js";
import { scope } from "./scope.js";
import { setNumThreads } from "./system.js";
import { randn, tensor } from "./tensor.js";
import { gramMatrix } from "./topologyGram.js";
import { errorOf, numbers, relativeError } from "./torch.test.helpers.js";

test("inner products are those of a float64 matrix product", () => {
  manualSeed(1);
  for (const [n, d] of [
    [1, 1],
    [3, 7],
    [5, 16],
    [33, 2049],
    [128, 4500],
    [0, 4],
    [4, 0],
  ] as const) {
    for (const threads of [1, 2]) {
      setNumThreads(threads);
      scope(() => {
        const points = randn([n, d]);
        const exact = points.to({ dtype: "float64" });
        const gram = gramMatrix(points);
        expect(gram.shape).toEqual([n, n]);
        expect(relativeError(gram, exact.matmul(exact.t()))).toBeLessThan(1e-6);
        expect(numbers(gram)).toEqual(numbers(gram.t()));
      });
    }
  }
});

test("rows that do not lie together in memory, NaN", () => {
  scope(() => {
    const points = tensor([1, 2, 3, 4, 5, 6], { shape: [3, 2] });
    expect([...gramMatrix(points.t()).toTypedArray()]).toEqual([35, 44, 44, 56]);
    expect([...gramMatrix(tensor([Number.NaN, 1], { shape: [2, 1] })).toTypedArray()]).toEqual([
      NaN,
      NaN,
      NaN,
      1,
    ]);
  });
});

test("other tensors are refused", () => {
  for (const wrong of [tensor([1, 2]), tensor([1, 2], { shape: [1, 2], dtype: "float64" })])
    expect(errorOf(() => gramMatrix(wrong))).toMatchObject({
      code: "E_TENSOR",
      message: expect.stringContaining("float32 matrix"),
    });
  expect(errorOf(() => gramMatrix(3 as never)).code).toBe("E_TENSOR");
});
