// Folding by numbers worked out by hand, and what must not be folded. On whole networks: exportModel.test.ts.
import { expect, test } from "vitest";
import { foldBatchNorm } from "./foldBatchNorm.js";
import {
  BATCH_NORM_EPSILON,
  type BatchNorm,
  type Conv,
  IMAGES,
  type Layer,
  type Linear,
} from "./layerGraph.js";

const conv = (name: string, input: string): Conv => {
  const weight = { shape: [2, 1, 1, 1], values: Float32Array.of(3, 5) };
  return { op: "conv", name, input, weight, bias: null, stride: 1, padding: 1, groups: 1 };
};
const variance = 0.25 - BATCH_NORM_EPSILON; // standard deviation 1/2
/** Scale 2 and -4, shift -20 + 1 and 40 + 2. */
const norm = (name: string, input: string): BatchNorm => ({
  ...{ op: "batchNorm", name, input },
  weight: Float32Array.of(1, -2),
  bias: Float32Array.of(1, 2),
  mean: Float32Array.of(10, 10),
  variance: Float32Array.of(variance, variance),
});
const linear = (name: string, input: string, columns: number, values: number[]): Linear => ({
  ...{ op: "linear", name, input },
  weight: { shape: [values.length / columns, columns], values: Float32Array.from(values) },
  bias: null,
});
const close = (found: Float32Array | null, wanted: number[]) => {
  expect(found).toHaveLength(wanted.length);
  for (const [i, value] of wanted.entries()) expect(found![i]).toBeCloseTo(value, 4);
};

test("a batch norm after a convolution goes into it, and later layers read the convolution", () => {
  const prelu: Layer = { op: "prelu", name: "p", input: "n", slope: Float32Array.of(0, 0) };
  const [folded, after, ...rest] = foldBatchNorm([conv("c", IMAGES), norm("n", "c"), prelu]) as [Conv, Layer];
  expect(rest).toEqual([]);
  close(folded.weight.values, [6, -20]);
  close(folded.bias, [-19, 42]);
  expect(after).toMatchObject({ op: "prelu", input: "c" });
});

test("a batch norm before a flattening goes into the linear layer, channel by channel", () => {
  // Two channels of two pixels each.
  const layers: Layer[] = [
    { op: "add", name: "s", input: IMAGES, other: IMAGES },
    norm("n", "s"),
    { op: "flatten", name: "f", input: "n" },
    linear("l", "f", 4, [1, 2, 3, 4]),
  ];
  const [, flatten, folded] = foldBatchNorm(layers) as [Layer, Layer, Linear];
  expect(flatten).toMatchObject({ op: "flatten", input: "s" });
  close(folded.weight.values, [2, 4, -12, -16]);
  close(folded.bias, [(1 + 2) * -19 + (3 + 4) * 42]);
});

test("one after a linear layer takes its bias along", () => {
  const layers: Layer[] = [
    { ...linear("l", IMAGES, 1, [3, 5]), bias: Float32Array.of(1, 1) },
    norm("n", "l"),
  ];
  const [folded] = foldBatchNorm(layers) as [Linear];
  close(folded.weight.values, [6, -20]);
  close(folded.bias, [2 - 19, -4 + 42]);
});

test("stay: one before a padded convolution, and one whose convolution is also read by another layer", () => {
  const before: Layer[] = [norm("n", IMAGES), conv("c", "n")];
  expect(foldBatchNorm(before)).toEqual(before);
  const shared: Layer[] = [
    conv("c", IMAGES),
    norm("n", "c"),
    { op: "add", name: "s", input: "n", other: "c" },
  ];
  expect(foldBatchNorm(shared)).toEqual(shared);
});
