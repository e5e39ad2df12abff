// A network as a list of layers with their weights: what an exported graph is made from. Plain data: no engine, no file format.
// Which layers a network has: networkLayers.ts; folding: foldBatchNorm.ts; as ONNX: onnxGraph.ts, quantize.ts.
import { TopofrError } from "@topofr/formats";

export interface Weights {
  shape: readonly number[];
  values: Float32Array;
}

/** Tensors of a state dict by name. */
export type State = ReadonlyMap<string, Weights>;

interface Node {
  /** The layer's name in the state dict, and the name of its output. */
  name: string;
  input: string;
}

export interface Conv extends Node {
  op: "conv";
  /** [out, in / groups, kernel, kernel] */
  weight: Weights;
  /** [out] */
  bias: Float32Array | null;
  stride: number;
  padding: number;
  groups: number;
}

/** In evaluation mode; all [channels]. */
export interface BatchNorm extends Node {
  op: "batchNorm";
  weight: Float32Array;
  bias: Float32Array;
  mean: Float32Array;
  variance: Float32Array;
}

/** One slope a channel. */
export interface PRelu extends Node {
  op: "prelu";
  slope: Float32Array;
}

export interface Add extends Node {
  op: "add";
  /** Added to `input`. */
  other: string;
}

/** [n, c, h, w] -> [n, c * h * w] */
export interface Flatten extends Node {
  op: "flatten";
}

export interface Linear extends Node {
  op: "linear";
  /** [out, in] */
  weight: Weights;
  /** [out] */
  bias: Float32Array | null;
}

export type Layer = Conv | BatchNorm | PRelu | Add | Flatten | Linear;

/** Name of the images, the input of the first layer. */
export const IMAGES = "input";
/** Added to the variance: PyTorch's default, which every network here has. */
export const BATCH_NORM_EPSILON = 1e-5;

/** Layers in the order in which they run; the last one's output is the embedding. */
export class LayerList {
  readonly layers: Layer[] = [];
  readonly #state: State;

  constructor(state: State) {
    this.#state = state;
  }

  /** Each adds a layer and returns the name of its output. */
  conv(name: string, input: string, { stride = 1, padding = 0, groups = 1 } = {}): string {
    const weight = this.#weights(`${name}.weight`);
    return this.#add({ op: "conv", name, input, weight, bias: null, stride, padding, groups });
  }

  batchNorm(name: string, input: string): string {
    const values = (part: string) => this.#weights(`${name}.${part}`).values;
    const [weight, bias] = [values("weight"), values("bias")];
    const [mean, variance] = [values("running_mean"), values("running_var")];
    return this.#add({ op: "batchNorm", name, input, weight, bias, mean, variance });
  }

  prelu(name: string, input: string): string {
    return this.#add({ op: "prelu", name, input, slope: this.#weights(`${name}.weight`).values });
  }

  add(name: string, input: string, other: string): string {
    return this.#add({ op: "add", name, input, other });
  }

  flatten(name: string, input: string): string {
    return this.#add({ op: "flatten", name, input });
  }

  linear(name: string, input: string): string {
    const bias = this.#state.get(`${name}.bias`)?.values ?? null;
    return this.#add({ op: "linear", name, input, weight: this.#weights(`${name}.weight`), bias });
  }

  #add(layer: Layer): string {
    this.layers.push(layer);
    return layer.name;
  }

  #weights(name: string): Weights {
    const found = this.#state.get(name);
    if (found) return found;
    throw new TopofrError("E_MODEL", `the network's layers name ${name}, which its state dict does not have`);
  }
}
