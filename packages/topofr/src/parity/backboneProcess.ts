// A program: node backboneProcess.js NETWORK. Computes the numbers of a backbone case and prints them as JSON. It runs
// in a process of its own because the numbers depend on settings that are read when libtorch loads: cases/backbone.ts.

import { nn, noGrad, ops, scope, setNumThreads, type Tensor, tensor } from "@topofr/torch";
import { IResNet } from "../models/iresnet.js";
import type { NetworkName } from "../models/names.js";
import { createBackbone } from "../models/registry.js";

export interface BackboneNumbers {
  /** Names and shapes in order, with the classifier where the published code keeps it. */
  stateDict: [name: string, shape: number[]][];
  /** Without the classifier. */
  parameters: number;
  /** In evaluation mode, [2, 512]. */
  embedding: number[];
  /** mean(embedding²) in training mode. */
  trainLoss: number;
  /** By parameter name. */
  gradNorms: Record<string, number>;
}

/** Classes of the published code's IResNets, whose state dict begins with the classifier. */
const RECORDED_CLASSES = 10;
const GOLDEN = 0.6180339887498949;
const SILVER = 0.4142135623730951;
const PLASTIC = 0.7548776662466927;

/** Element i of tensor t, by the name and shape of the tensor. */
function formulaWeights(name: string, shape: readonly number[], t: number): Float32Array {
  const count = shape.reduce((product, size) => product * size, 1);
  const [scale, offset] = scaleAndOffset(name, shape, count);
  return Float32Array.from({ length: count }, (_, i) => {
    const u = ((i + 1) * GOLDEN + (t + 1) * SILVER) % 1;
    return scale * (u + offset);
  });
}

/** The values are scale · (u + offset), u uniform in [0, 1). */
function scaleAndOffset(name: string, shape: readonly number[], count: number): [number, number] {
  if (name.endsWith("running_var")) return [0.5, 1.5];
  if (name.endsWith("running_mean")) return [0.2, -0.5];
  if (shape.length >= 2) return [2 * Math.sqrt((3 * shape[0]!) / count), -0.5];
  if (!name.endsWith("weight")) return [0.1, -0.5];
  return name.includes("prelu") || name.endsWith(".2.weight") ? [0.25, 0] : [0.5, 1];
}

function formulaImages(): Tensor {
  const shape = [2, 3, 112, 112];
  const length = shape.reduce((product, size) => product * size, 1);
  const values = Float32Array.from({ length }, (_, i) => 2 * (((i + 1) * PLASTIC) % 1) - 1);
  return tensor(values, { shape });
}

/**
 * Batch norm by libtorch's operators where the layer takes our fused kernel: its sums are rounded differently. For
 * NCHW maps the layer does the same anyhow; inputs of one value a channel and sample are channels-last as well.
 */
function avoidFusion(backbone: nn.Module): void {
  for (const layer of backbone.modules()) {
    if (!(layer instanceof nn.BatchNorm1d || layer instanceof nn.BatchNorm2d)) continue;
    const { weight, bias, runningMean, runningVar, momentum, eps } = layer;
    const forward = layer.forward.bind(layer);
    layer.forward = (input, fusion = {}) => {
      const [samples, channels] = input.shape as [number, number];
      if (input.size > samples * channels || fusion.prelu || fusion.residual) return forward(input, fusion);
      return ops.batchNorm(input, weight, bias, runningMean, runningVar, layer.training, momentum, eps, true);
    };
  }
}

function backboneNumbers(network: NetworkName): BackboneNumbers {
  const backbone = createBackbone(network);
  avoidFusion(backbone);
  const classifier: [string, number[]][] =
    backbone instanceof IResNet ? [["weight", [RECORDED_CLASSES, backbone.embeddingSize]]] : [];
  const own = [...backbone.stateDict()];
  let t = classifier.length;
  for (const [name, value] of own) {
    if (name.endsWith("num_batches_tracked")) continue;
    const { shape } = value;
    scope(() => noGrad(() => value.copy_(tensor(formulaWeights(name, shape, t), { shape }))));
    t += 1;
  }

  const embedding = scope(() => noGrad(() => backbone.eval().forward(formulaImages()).toTypedArray()));
  const trainLoss = scope(() => {
    const loss = backbone.train().forward(formulaImages()).square().mean();
    loss.backward();
    return loss.item();
  });
  const gradNorms = Object.fromEntries(
    [...backbone.namedParameters()].map(([name, { grad }]) => {
      if (grad === null) throw new Error(`no gradient reached ${name}`);
      return [name, scope(() => grad.norm().item())];
    }),
  );
  return {
    stateDict: [...classifier, ...own.map(([name, { shape }]): [string, number[]] => [name, shape])],
    parameters: backbone.parameters().reduce((total, { size }) => total + size, 0),
    embedding: Array.from(embedding as Float32Array),
    trainLoss,
    gradNorms,
  };
}

setNumThreads(1);
process.stdout.write(JSON.stringify(backboneNumbers(process.argv[2] as NetworkName)));
