// Gradients, against central differences in float64.
import fc from "fast-check";
import { expect, test } from "vitest";
import { manualSeed } from "./generator.js";
import { enableGrad, noGrad } from "./gradMode.js";
import { ops } from "./operators.js";
import { scope } from "./scope.js";
import { ones, randn, type Tensor, tensor } from "./tensor.js";
import { errorOf, numbers, relativeError } from "./torch.test.helpers.js";

/** d body / d values by central differences. */
function differences(values: Float64Array, shape: readonly number[], body: (x: Tensor) => Tensor): number[] {
  const step = 1e-6;
  return Array.from(values, (value, index) => {
    const at = (moved: number) => scope(() => body(tensor(values.with(index, moved), { shape }))).item();
    return (at(value + step) - at(value - step)) / (2 * step);
  });
}

const FUNCTIONS: [string, readonly number[], (x: Tensor) => Tensor][] = [
  ["products and sums", [2, 3], (x) => x.mul(x).add(x, { alpha: 3 }).sum()],
  ["matrix products", [3, 3], (x) => x.matmul(x.t()).tanh().sum()],
  [
    "cosine similarity",
    [2, 4],
    (x) =>
      x
        .div(x.norm(2, [1], { keepdim: true }))
        .select(0, 0)
        .sum(),
  ],
  ["log-softmax", [2, 5], (x) => x.logSoftmax(1).select(1, 2).sum()],
  ["cross entropy", [2, 3], (x) => x.crossEntropyLoss(tensor([2, 0], { dtype: "int64" }))],
  [
    "indexing",
    [4],
    (x) =>
      x
        .indexSelect(0, tensor([0, 0, 3], { dtype: "int64" }))
        .pow(2)
        .sum(),
  ],
  ["acos of a clamped cosine", [4], (x) => x.mul(0.3).clamp({ min: -0.9, max: 0.9 }).acos().sum()],
  [
    "convolution",
    [1, 2, 4, 4],
    (x) =>
      ops
        .conv2d(x, ones([3, 2, 3, 3], { dtype: "float64" }), { padding: 1, stride: 2 })
        .sin()
        .sum(),
  ],
  ["pairwise distances", [3, 2], (x) => ops.cdist(x, x.mul(2).add(1)).sum()],
];

test.each(FUNCTIONS)("backward of %s", (_, shape, body) => {
  manualSeed(7);
  const x = randn(shape, { dtype: "float64", requiresGrad: true });
  body(x).backward();
  const expected = differences(x.toTypedArray() as Float64Array, shape, body);
  expect(relativeError(x.grad!, expected)).toBeLessThan(1e-7);
});

test("polynomials of random degree have the derivative of the power rule", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 6 }), fc.double({ min: -2, max: 2, noNaN: true }), (degree, at) => {
      const x = tensor([at], { dtype: "float64", requiresGrad: true });
      x.pow(degree).backward();
      expect(x.grad!.item()).toBeCloseTo(degree === 0 ? 0 : degree * at ** (degree - 1), 9);
    }),
    { seed: 2048 },
  );
});

test("gradients accumulate until they are set to null", () => {
  const x = tensor([3], { requiresGrad: true });
  expect(x.grad).toBeNull();
  x.mul(2).backward();
  x.mul(5).backward();
  expect(x.grad!.item()).toBe(7);
  x.grad = null;
  expect(x.grad).toBeNull();
  x.mul(x).backward();
  expect(x.grad!.item()).toBe(6);
  x.grad = tensor([1]);
  x.mul(2).backward();
  expect(x.grad!.item()).toBe(3);
});

test("a second backward needs retainGraph", () => {
  const x = tensor([3], { requiresGrad: true });
  const y = x.mul(x);
  y.backward(null, { retainGraph: true });
  y.backward();
  expect(x.grad!.item()).toBe(12);
  expect(errorOf(() => y.backward())).toMatchObject({
    code: "E_TENSOR",
    message: expect.stringContaining("second time"),
  });
});

test("backward takes the gradient of its output", () => {
  const x = tensor([1, 2], { requiresGrad: true });
  x.mul(x).backward(tensor([1, 10]));
  expect(numbers(x.grad!)).toEqual([2, 40]);
  expect(errorOf(() => x.mul(2).backward(tensor([1, 2, 3]))).code).toBe("E_TENSOR");
});

test("noGrad and enableGrad nest, and end with an exception too", () => {
  const x = ones([1], { requiresGrad: true });
  const records = () => x.mul(2).requiresGrad;
  expect(records()).toBe(true);
  noGrad(() => {
    expect(records()).toBe(false);
    enableGrad(() => {
      expect(records()).toBe(true);
      noGrad(() => expect(records()).toBe(false));
      expect(records()).toBe(true);
    });
    expect(records()).toBe(false);
  });
  expect(() =>
    noGrad(() => {
      throw new Error("inside");
    }),
  ).toThrow("inside");
  expect(records()).toBe(true);
});

test("detach cuts, leaves are leaves", () => {
  const x = ones([1], { requiresGrad: true });
  const y = x.mul(3);
  expect([x.isLeaf, y.isLeaf, y.detach().requiresGrad]).toEqual([true, false, false]);
  y.detach().mul(x).backward();
  expect(x.grad!.item()).toBe(3);
  x.requiresGrad = false;
  expect(x.mul(2).requiresGrad).toBe(false);
});

test("the graph keeps what it needs after its scope has freed the handles", () => {
  const x = ones([3], { requiresGrad: true });
  const loss = scope(() => x.mul(2).exp().sum());
  loss.backward();
  expect(relativeError(x.grad!, Array(3).fill(2 * Math.exp(2)))).toBeLessThan(1e-6);
});
