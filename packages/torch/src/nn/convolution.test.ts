// The addon's convolution, blocked and channels-last, against libtorch's own in float64: output, both gradients.
import { expect, test } from "vitest";
import { manualSeed } from "../generator.js";
import { noGrad } from "../gradMode.js";
import { ops } from "../operators.js";
import { scope } from "../scope.js";
import { setNumThreads } from "../system.js";
import { randn, type Tensor } from "../tensor.js";
import { blocked, errorOf, numbers, relativeError, unblocked } from "../torch.test.helpers.js";
import { BatchNorm2d, Conv2d, Flatten, Sequential } from "./index.js";

// Of the largest value. Winograd's transforms cost a digit: direct kernels stay below 3e-6 here.
const TOLERANCE = { float32: 1e-5, bfloat16: 1e-2 };

interface Case {
  channels: [input: number, output: number];
  size: [number, number];
  kernel: number;
  stride?: number;
  padding?: number;
  groups?: number;
}

const CASES: Case[] = [
  { channels: [64, 64], size: [14, 14], kernel: 3, padding: 1 },
  { channels: [32, 48], size: [13, 9], kernel: 3, padding: 1 },
  { channels: [64, 64], size: [14, 14], kernel: 3, stride: 2, padding: 1 },
  { channels: [64, 128], size: [15, 15], kernel: 1, stride: 2 },
  { channels: [64, 32], size: [7, 7], kernel: 1 },
  { channels: [32, 32], size: [9, 9], kernel: 3, padding: 1, groups: 32 },
  { channels: [64, 64], size: [14, 14], kernel: 3, stride: 2, padding: 1, groups: 64 },
  { channels: [128, 128], size: [10, 10], kernel: 3, padding: 1, groups: 8 },
  { channels: [64, 64], size: [7, 7], kernel: 7, groups: 64 },
  { channels: [3, 64], size: [20, 20], kernel: 3, padding: 1 },
  { channels: [3, 32], size: [20, 20], kernel: 3, stride: 2, padding: 1 },
];

const leaf = (value: Tensor): Tensor => {
  const copy = value.detach().clone({ memoryFormat: "preserve" });
  copy.requiresGrad = true;
  return copy;
};
const channelsLast = (value: Tensor) => value.contiguous({ memoryFormat: "channelsLast" });

for (const { channels, size, kernel, stride = 1, padding = 0, groups = 1 } of CASES) {
  const [inChannels, outChannels] = channels;
  for (const mode of ["blocked", "blocked, no Winograd", "channels-last float32", "channels-last bfloat16"]) {
    const title = `${channels.join(" to ")}, ${size.join("x")}, kernel ${kernel}/${stride}, ${groups} groups: ${mode}`;
    test(title, () => {
      scope(() => {
        manualSeed(11);
        const dtype = mode.endsWith("bfloat16") ? "bfloat16" : "float32";
        const isBlocked = mode.startsWith("blocked");
        // Exact in `dtype`, so that only the arithmetic differs.
        const image = randn([3, inChannels, ...size]).to(dtype);
        const kernels = randn([outChannels, inChannels / groups, kernel, kernel]);
        const expected = { input: leaf(image.to("float64")), weight: leaf(kernels.to("float64")) };
        const reference = ops.conv2d(expected.input, expected.weight, { stride, padding, groups });
        const upstream = randn(reference.shape).to(dtype);
        reference.backward(upstream.to("float64"));

        const canBlock = isBlocked && inChannels % 16 === 0;
        const input = leaf(canBlock ? blocked(image) : channelsLast(image));
        input.requiresGrad = inChannels % 16 === 0; // nobody needs the gradient of pictures
        const weight = leaf(channelsLast(kernels));
        const winograd = !mode.endsWith("no Winograd");
        const output = ops.convolution(input, weight, {
          stride,
          padding,
          groups,
          blocked: isBlocked,
          winograd,
        });
        expect(output.shape.length).toBe(isBlocked ? 5 : 4);
        output.backward(isBlocked ? blocked(upstream) : channelsLast(upstream));

        expect(relativeError(unblocked(output), reference)).toBeLessThan(TOLERANCE[dtype]);
        expect(weight.grad!.dtype).toBe("float32");
        expect(relativeError(weight.grad!, expected.weight.grad!)).toBeLessThan(TOLERANCE[dtype]);
        if (input.grad !== null)
          expect(relativeError(unblocked(input.grad), expected.input.grad!)).toBeLessThan(TOLERANCE[dtype]);
      });
    });
  }
}

test("a weight with other strides, and one that is not trained", () => {
  scope(() => {
    const input = leaf(blocked(randn([2, 32, 6, 6])));
    const weight = randn([32, 3, 3, 32]).permute([0, 3, 1, 2]);
    const plain = ops.convolution(input, weight.contiguous(), { padding: 1 });
    const strided = ops.convolution(input, weight, { padding: 1 });
    expect(numbers(strided)).toEqual(numbers(plain));
    strided.sum().backward();
    expect(weight.grad).toBeNull();
    expect(input.grad!.shape).toEqual(input.shape);
  });
});

test("two runs are equal bit for bit; one thread and two agree", () => {
  scope(() => {
    manualSeed(2);
    const image = blocked(randn([4, 64, 14, 14]));
    const kernels = randn([64, 64, 3, 3]);
    const run = () => {
      const [input, weight] = [leaf(image), leaf(kernels)];
      const output = ops.convolution(input, weight, { padding: 1 });
      output.pow(2).sum().backward();
      return [output, input.grad!, weight.grad!];
    };
    const first = run();
    for (const [index, value] of run().entries()) expect(numbers(value)).toEqual(numbers(first[index]!));
    setNumThreads(1);
    try {
      for (const [index, value] of run().entries())
        expect(relativeError(value, first[index]!)).toBeLessThan(TOLERANCE.float32);
    } finally {
      setNumThreads(2);
    }
  });
});

test("a network gives the same embedding blocked, channels-last and contiguous", () => {
  manualSeed(4);
  const network = new Sequential(
    new Conv2d(3, 32, 3, { padding: 1, bias: false }),
    new BatchNorm2d(32),
    new Conv2d(32, 64, 3, { stride: 2, padding: 1, bias: false }),
    new BatchNorm2d(64),
    new Flatten(),
  ).eval();
  const images = randn([3, 3, 12, 12]);
  const run = () => noGrad(() => network.forward(channelsLast(images)));
  const contiguous = noGrad(() => network.forward(images));
  for (const memoryFormat of ["channelsLast", "blocked"] as const) {
    network.to({ memoryFormat });
    expect(relativeError(run(), contiguous)).toBeLessThan(TOLERANCE.float32);
  }
  network.dispose();
});

test.each([
  [[2, 32, 4, 4, 8], [32, 32, 3, 3], /expected an input/],
  [[2, 2, 4, 4, 16], [32, 16, 3, 3], /cannot take an input of 32 channels/],
  [[2, 1, 4, 4, 16], [20, 16, 3, 3], /20 output channels are no multiple of 16/],
  [[2, 1, 2, 2, 16], [16, 16, 7, 7], /larger than the input/],
])("an input %o with a weight %o is refused", (shape, weightShape, message) => {
  const error = errorOf(() => ops.convolution(randn(shape), randn(weightShape)));
  expect(error.code).toBe("E_TENSOR");
  expect(error.message).toMatch(message);
});
