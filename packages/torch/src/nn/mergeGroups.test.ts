import { expect, test } from "vitest";
import { manualSeed, noGrad, randn, scope, type Tensor } from "../index.js";
import { Conv2d } from "./layers.js";
import { mergeGroups } from "./mergeGroups.js";

const values = (tensor: Tensor) => tensor.toTypedArray() as Float32Array;
const largestDifference = (a: Float32Array, b: Float32Array) =>
  a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - b[i]!)), 0);

test.each([
  { channels: 128, out: 128, groups: 64 },
  { channels: 32, out: 64, groups: 8 },
])(
  "merged groups give the plain operator's output and gradients ($channels to $out, $groups groups)",
  ({ channels, out, groups }) => {
    scope(() => {
      manualSeed(3);
      const layer = new Conv2d(channels, out, 3, { padding: 1, groups, bias: false });
      expect(mergeGroups(layer.weight, groups).groups).toBeLessThan(groups);
      const plain = randn([2, channels, 6, 6]);
      const wide = noGrad(() => plain.to({ memoryFormat: "channelsLast" }));
      const [expected, found] = [plain, wide].map((input) => {
        input.requiresGrad = true;
        layer.zeroGrad();
        const output = layer.forward(input);
        output.square().sum().backward();
        return [output, input.grad!, layer.weight.grad!.clone()].map(values);
      });
      for (const [i, value] of expected!.entries())
        expect(largestDifference(value, found![i]!)).toBeLessThan(1e-4);
    });
  },
);

test("depthwise, dense and indivisible convolutions are left alone", () => {
  scope(() => {
    for (const [shape, groups] of [
      [[8, 1, 3, 3], 8],
      [[8, 8, 3, 3], 1],
      [[12, 4, 3, 3], 3],
      [[64, 32, 1, 1], 2],
    ] as const) {
      const weight = randn([...shape]);
      expect(mergeGroups(weight, groups)).toEqual({ weight, groups });
    }
  });
});
