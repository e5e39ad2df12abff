// Layers and modules: state dicts as PyTorch names them, and loading that refuses what does not fit.
import { expect, test } from "vitest";
import { manualSeed } from "../generator.js";
import { noGrad } from "../gradMode.js";
import { ops } from "../operators.js";
import { arange, ones, randn, type Tensor, tensor, zeros } from "../tensor.js";
import { errorOf, numbers, relativeError } from "../torch.test.helpers.js";
import { BatchNorm1d, BatchNorm2d, Conv2d, Dropout, Flatten, Linear, PReLU, Sequential } from "./layers.js";
import { Module } from "./module.js";

class Block extends Module {
  readonly conv1 = this.child("conv1", new Conv2d(3, 4, 3, { bias: false, padding: 1 }));
  readonly bn1 = this.child("bn1", new BatchNorm2d(4));
  readonly downsample = this.child(
    "downsample",
    new Sequential<Module>(new Conv2d(3, 4, 1), new BatchNorm2d(4)),
  );
  readonly prelu = this.child("prelu", new PReLU(4));

  override forward(input: Tensor): Tensor {
    const shortcut = this.downsample.forward(input);
    return this.prelu.forward(this.bn1.forward(this.conv1.forward(input), { residual: shortcut }));
  }
}

test("state dicts have PyTorch's names, order and shapes", () => {
  expect([...new Block().stateDict()].map(([name, value]) => `${name} [${value.shape}]`)).toEqual([
    "conv1.weight [4,3,3,3]",
    "bn1.weight [4]",
    "bn1.bias [4]",
    "bn1.running_mean [4]",
    "bn1.running_var [4]",
    "bn1.num_batches_tracked []",
    "downsample.0.weight [4,3,1,1]",
    "downsample.0.bias [4]",
    "downsample.1.weight [4]",
    "downsample.1.bias [4]",
    "downsample.1.running_mean [4]",
    "downsample.1.running_var [4]",
    "downsample.1.num_batches_tracked []",
    "prelu.weight [4]",
  ]);
  expect([...new Block().namedParameters("net.")].map(([name]) => name)).not.toContain(
    "net.bn1.running_mean",
  );
});

test("a state dict that fits is copied in", () => {
  const from = new Block();
  const to = new Block();
  from.forward(randn([2, 3, 5, 5]));
  to.loadStateDict(from.stateDict());
  for (const [name, value] of to.stateDict())
    expect([name, numbers(value)]).toEqual([name, numbers(from.stateDict().get(name)!)]);
  expect(to.bn1.numBatchesTracked.item()).toBe(1);
  expect(to.conv1.weight.requiresGrad).toBe(true);
});

test("a state dict that does not fit: every difference is listed, nothing is loaded", () => {
  const module = new Sequential(new Linear(2, 3), new PReLU(3));
  const before = [...module.stateDict()].map(([, value]) => numbers(value));
  const state = new Map([
    ["0.weight", ones([3, 5])],
    ["0.bias", ones([3])],
    ["extra.weight", ones([1])],
  ]);
  const { code, message } = errorOf(() => module.loadStateDict(state, "backbone.pt")) as Error & {
    code: string;
  };
  expect(code).toBe("E_MODEL");
  for (const part of [
    "backbone.pt",
    "missing keys (1): 1.weight",
    "unexpected keys (1): extra.weight",
    "0.weight: [3,5]",
  ])
    expect(message).toContain(part);
  expect([...module.stateDict()].map(([, value]) => numbers(value))).toEqual(before);
});

test("linear and convolution layers compute what the definition says", () => {
  const linear = new Linear(3, 2);
  noGrad(() => {
    linear.weight.copy_(tensor([1, 2, 3, 4, 5, 6], { shape: [2, 3] }));
    linear.bias!.copy_(tensor([10, 20]));
  });
  expect(numbers(linear.forward(tensor([[1, 0, 2]])))).toEqual([17, 36]);
  const conv = new Conv2d(2, 2, 2, { groups: 2, bias: false });
  noGrad(() => conv.weight.fill_(1));
  const input = arange(8, { dtype: "float32" }).reshape([1, 2, 2, 2]);
  expect(numbers(conv.forward(input))).toEqual([6, 22]);
});

test("initial weights lie in PyTorch's bounds and depend on the seed alone", () => {
  const make = () => {
    manualSeed(11);
    return new Conv2d(16, 8, 3);
  };
  const weights = numbers(make().weight);
  const bound = 1 / Math.sqrt(16 * 9);
  expect(Math.max(...weights.map(Math.abs))).toBeLessThanOrEqual(bound);
  expect(Math.max(...weights.map(Math.abs))).toBeGreaterThan(0.95 * bound);
  expect(numbers(make().weight)).toEqual(weights);
});

test("bfloat16 in, bfloat16 out, float32 weights and gradients", () => {
  const block = new Block();
  const output = block.forward(
    randn([2, 3, 6, 6]).contiguous({ memoryFormat: "channelsLast" }).to("bfloat16"),
  );
  expect(output.dtype).toBe("bfloat16");
  output.sum().backward();
  for (const parameter of block.parameters()) expect(parameter.grad?.dtype).toBe("float32");
});

test("train and eval reach every module; dropout drops only while training", () => {
  const module = new Sequential(new Sequential(new Dropout(0.5)), new Flatten());
  const input = ones([4, 5, 5]);
  const dropped = numbers(module.forward(input));
  expect(new Set(dropped)).toEqual(new Set([0, 2]));
  module.eval();
  expect([...module.modules()].every(({ training }) => !training)).toBe(true);
  expect(numbers(module.forward(input))).toEqual(Array(100).fill(1));
});

test("flatten gives NCHW order whatever the memory format", () => {
  const input = arange(24, { dtype: "float32" }).reshape([1, 2, 3, 4]);
  const flattened = new Flatten().forward(input.contiguous({ memoryFormat: "channelsLast" }));
  expect(numbers(flattened)).toEqual(numbers(input));
});

test("to() changes dtype and memory format, and keeps the tensor objects", () => {
  const block = new Block();
  const { weight } = block.conv1;
  block.to({ dtype: "float64", memoryFormat: "channelsLast" });
  expect(block.conv1.weight).toBe(weight);
  expect(weight.dtype).toBe("float64");
  expect(weight.strides).toEqual([27, 1, 9, 3]);
  expect(block.bn1.numBatchesTracked.dtype).toBe("int64");
  expect(weight.requiresGrad).toBe(true);
});

test("zeroGrad clears, dispose frees", () => {
  const linear = new Linear(2, 1);
  linear
    .forward(ones([1, 2]))
    .sum()
    .backward();
  linear.zeroGrad();
  expect(linear.weight.grad).toBeNull();
  linear.dispose();
  expect(linear.weight.disposed).toBe(true);
});

test("batch norm refuses what it cannot normalise", () => {
  const bodies = [
    () => new BatchNorm2d(3).forward(ones([2, 4, 2, 2])),
    () => new BatchNorm1d(3).forward(ones([1, 3])),
    () => new BatchNorm1d(3).forward(ones([3])),
    () => ops.fusedBatchNorm(ones([2, 3]), ones([3]), ones([3]), { runningMean: zeros([3]) }),
    () => ops.fusedBatchNorm(ones([2, 3]), ones([3]), ones([2])),
    () => ops.fusedBatchNorm(ones([2, 3]), ones([3]), ones([3]), { slope: ones([2]) }),
  ];
  for (const body of bodies) expect(errorOf(body)).toMatchObject({ code: "E_TENSOR" });
});

test("batch norm takes a PReLU with one slope for all channels", () => {
  const input = randn([4, 3]);
  const fused = ops.fusedBatchNorm(input, ones([3]), zeros([3]), { slope: tensor([0.1]) });
  const plain = ops.fusedBatchNorm(input, ones([3]), zeros([3]));
  expect(relativeError(fused, plain.prelu(tensor([0.1])))).toBeLessThan(1e-6);
});
