// The parts of an ONNX file that every precision shares: one operator a layer, names of input and output, opset and format version.
import type { OnnxAttribute, OnnxDType, OnnxFile, OnnxNode, OnnxTensor } from "@topofr/formats";
import { BATCH_NORM_EPSILON, type Conv, IMAGES, type Layer, type Linear } from "./layerGraph.js";

/** Name of the graph's output [N, embeddingSize]. */
export const EMBEDDING = "embedding";

/** Opset -> version of the file format that came with it (onnx/docs/Versioning.md). The operators used have one meaning in all. */
const IR_VERSIONS = new Map([
  [13, 7],
  [14, 7],
  [15, 8],
  [16, 8],
  [17, 8],
  [18, 8],
  [19, 9],
  [20, 9],
  [21, 10],
]);
export const OPSETS: readonly number[] = [...IR_VERSIONS.keys()];

export interface GraphOptions {
  opset: number;
  embeddingSize: number;
  /** Height and width of the images, in pixels. */
  inputSize: number;
  metadata: Readonly<Record<string, string>>;
}

/** Nodes and weights in the making. Every method returns the name of what it added. */
export class GraphWriter {
  readonly #nodes: OnnxNode[] = [];
  readonly #weights: OnnxTensor[] = [];

  node(
    op: string,
    inputs: readonly string[],
    output: string,
    attributes: Readonly<Record<string, OnnxAttribute>> = {},
  ): string {
    this.#nodes.push({ name: output, op, inputs, outputs: [output], attributes });
    return output;
  }

  weight(
    name: string,
    dtype: OnnxDType,
    shape: readonly number[],
    data: Uint8Array | Float32Array | Int32Array | Int8Array,
  ): string {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    this.#weights.push({ name, dtype, shape, data: bytes });
    return name;
  }

  /** @param extra names of values that are outputs too, beside the embedding */
  file({ opset, embeddingSize, inputSize, metadata }: GraphOptions, extra: readonly string[] = []): OnnxFile {
    const images = ["N", 3, inputSize, inputSize];
    return {
      irVersion: IR_VERSIONS.get(opset)!,
      opset,
      producer: "topofr",
      producerVersion: metadata.version ?? "",
      graph: {
        name: metadata.network ?? "network",
        nodes: this.#nodes,
        weights: this.#weights,
        inputs: [{ name: IMAGES, dtype: "float32", shape: images }],
        outputs: [
          { name: EMBEDDING, dtype: "float32", shape: ["N", embeddingSize] },
          ...extra.map((name) => ({ name, dtype: "float32" as const, shape: null })),
        ],
      },
      metadata,
    };
  }
}

/** How a precision holds what a layer needs. */
export interface Operands {
  input: string;
  /** Of an addition. */
  other: string;
  output: string;
  /** Adds parameters other than those of convolutions and linear layers. */
  parameter(name: string, shape: readonly number[], values: Float32Array): string;
  /** Adds weight, and bias where there is one. */
  weights(layer: Conv | Linear): string[];
}

/** Adds the layer's operator. */
export function addOperator(writer: GraphWriter, layer: Layer, operands: Operands): string {
  const { input, other, output, parameter, weights } = operands;
  const { name } = layer;
  switch (layer.op) {
    case "conv": {
      const kernel = layer.weight.shape.slice(2);
      const pads = new Array<number>(4).fill(layer.padding);
      return writer.node("Conv", [input, ...weights(layer)], output, {
        kernel_shape: kernel,
        strides: [layer.stride, layer.stride],
        pads,
        group: layer.groups,
      });
    }
    case "linear":
      return writer.node("Gemm", [input, ...weights(layer)], output, { transB: 1 });
    case "batchNorm": {
      const channels = [layer.weight.length];
      const inputs = [
        input,
        parameter(`${name}.weight`, channels, layer.weight),
        parameter(`${name}.bias`, channels, layer.bias),
        parameter(`${name}.running_mean`, channels, layer.mean),
        parameter(`${name}.running_var`, channels, layer.variance),
      ];
      return writer.node("BatchNormalization", inputs, output, { epsilon: { float: BATCH_NORM_EPSILON } });
    }
    case "prelu": {
      const slope = parameter(`${name}.weight`, [layer.slope.length, 1, 1], layer.slope);
      return writer.node("PRelu", [input, slope], output);
    }
    case "add":
      return writer.node("Add", [input, other], output);
    case "flatten":
      return writer.node("Flatten", [input], output, { axis: 1 });
  }
}

/** Name of a layer's output in the file. */
export const outputName = (layers: readonly Layer[], layer: Layer): string =>
  layer === layers.at(-1) ? EMBEDDING : layer.name;
