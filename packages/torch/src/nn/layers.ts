// The layers that the backbones are built of. Parameters are float32; convolutions compute in the dtype of their input,
// so that feeding bfloat16 is all it takes to train in bfloat16 with float32 master weights.

import { noGrad } from "../gradMode.js";
import { ops } from "../operators.js";
import { scope } from "../scope.js";
import { full, ones, rand, type Tensor, tensor, zeros } from "../tensor.js";
import { mergeGroups } from "./mergeGroups.js";
import { Module } from "./module.js";

const inDtypeOf = (input: Tensor, weight: Tensor): Tensor =>
  weight.dtype === input.dtype ? weight : weight.to(input.dtype);

/** Uniform in ±bound: PyTorch's default for convolutions and linear layers, with bound = 1/sqrt(fan in). */
const uniform = (shape: readonly number[], bound: number): Tensor =>
  scope(() =>
    noGrad(() =>
      rand(shape)
        .mul(2 * bound)
        .sub(bound),
    ),
  );

export interface Conv2dOptions {
  stride?: number;
  padding?: number;
  groups?: number;
  /** Default true, as in PyTorch. */
  bias?: boolean;
}

/** 2-D convolution, [n, in, h, w] -> [n, out, h', w']. */
export class Conv2d extends Module {
  readonly weight: Tensor;
  readonly bias: Tensor | null;

  constructor(
    inChannels: number,
    outChannels: number,
    readonly kernelSize: number,
    readonly options: Conv2dOptions = {},
  ) {
    super();
    const perGroup = inChannels / (options.groups ?? 1);
    const bound = 1 / Math.sqrt(perGroup * kernelSize ** 2);
    this.weight = this.parameter("weight", uniform([outChannels, perGroup, kernelSize, kernelSize], bound));
    this.bias = options.bias === false ? null : this.parameter("bias", uniform([outChannels], bound));
  }

  override forward(input: Tensor): Tensor {
    const { stride = 1, padding = 0, groups = 1 } = this.options;
    if (this.memoryFormat === "blocked" && input.device === "cpu" && this.bias === null) {
      const { weight, groups: count } = mergeGroups(this.weight, groups);
      return ops.convolution(input, weight, { stride, padding, groups: count });
    }
    const bias = this.bias && inDtypeOf(input, this.bias);
    // Merging pays in oneDNN's channels-last kernels; other layouts keep the plain operator, digit for digit.
    const isChannelsLast = input.strides[1] === 1 && input.device === "cpu";
    const kernel = isChannelsLast ? mergeGroups(this.weight, groups) : { weight: this.weight, groups };
    const weight = inDtypeOf(input, kernel.weight);
    return ops.conv2d(input, weight, { bias, stride, padding, groups: kernel.groups });
  }
}

/** input · weightᵀ + bias, [n, in] -> [n, out]. */
export class Linear extends Module {
  readonly weight: Tensor;
  readonly bias: Tensor | null;

  constructor(inFeatures: number, outFeatures: number, options: { bias?: boolean } = {}) {
    super();
    const bound = 1 / Math.sqrt(inFeatures);
    this.weight = this.parameter("weight", uniform([outFeatures, inFeatures], bound));
    this.bias = options.bias === false ? null : this.parameter("bias", uniform([outFeatures], bound));
  }

  override forward(input: Tensor): Tensor {
    return ops.linear(input, inDtypeOf(input, this.weight), {
      bias: this.bias && inDtypeOf(input, this.bias),
    });
  }
}

/** PReLU with one slope a channel. */
export class PReLU extends Module {
  readonly weight: Tensor;

  constructor(channels: number) {
    super();
    this.weight = this.parameter("weight", full([channels], 0.25));
  }

  override forward(input: Tensor): Tensor {
    return input.prelu(inDtypeOf(input, this.weight));
  }
}

/** What batch norm can do in the same pass over the activation. */
export interface BatchNormFusion {
  /** PReLU after the normalisation. */
  prelu?: PReLU;
  /** Added last, same shape as the input. */
  residual?: Tensor;
}

/**
 * Batch normalisation over axis 1. Channels-last (and [n, c]) CPU tensors take the addon's fused kernel; all others
 * libtorch's operators, with the same result.
 */
class BatchNorm extends Module {
  readonly weight: Tensor;
  readonly bias: Tensor;
  readonly runningMean: Tensor;
  readonly runningVar: Tensor;
  readonly numBatchesTracked: Tensor;
  readonly eps: number;
  readonly momentum: number;

  constructor(channels: number, options: { eps?: number; momentum?: number } = {}) {
    super();
    this.eps = options.eps ?? 1e-5;
    this.momentum = options.momentum ?? 0.1;
    this.weight = this.parameter("weight", ones([channels]));
    this.bias = this.parameter("bias", zeros([channels]));
    this.runningMean = this.buffer("running_mean", zeros([channels]));
    this.runningVar = this.buffer("running_var", ones([channels]));
    this.numBatchesTracked = this.buffer("num_batches_tracked", tensor(0, { dtype: "int64" }));
  }

  override forward(input: Tensor, { prelu, residual }: BatchNormFusion = {}): Tensor {
    if (this.training) this.numBatchesTracked.add_(1).dispose();
    return ops.fusedBatchNorm(input, this.weight, this.bias, {
      slope: prelu?.weight ?? null,
      residual: residual ?? null,
      runningMean: this.runningMean,
      runningVar: this.runningVar,
      training: this.training,
      momentum: this.momentum,
      eps: this.eps,
    });
  }
}

/** [n, c, h, w] */
export class BatchNorm2d extends BatchNorm {}
/** [n, c] */
export class BatchNorm1d extends BatchNorm {}

export class Dropout extends Module {
  constructor(readonly probability: number) {
    super();
  }

  override forward(input: Tensor): Tensor {
    return this.training && this.probability > 0 ? ops.dropout(input, this.probability, true) : input;
  }
}

/** [n, …] -> [n, product of the rest], in NCHW order whatever the memory format. */
export class Flatten extends Module {
  override forward(input: Tensor): Tensor {
    const isBlocked = this.memoryFormat === "blocked" && input.shape.length === 5;
    return (isBlocked ? input.permute([0, 1, 4, 2, 3]) : input).flatten({ startDim: 1 });
  }
}

/** Modules named "0", "1", … applied in turn. */
export class Sequential<M extends Module = Module> extends Module {
  readonly layers: readonly M[];

  constructor(...layers: M[]) {
    super();
    this.layers = layers.map((layer, index) => this.child(String(index), layer));
  }

  override forward(input: Tensor): Tensor {
    return this.layers.reduce((value, layer) => layer.forward(value), input);
  }
}
