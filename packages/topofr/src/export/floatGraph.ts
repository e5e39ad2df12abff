// Layers as an ONNX file in float32, or with weights and maps in float16. In 8-bit integers: int8Graph.ts.
import { type OnnxFile, TopofrError } from "@topofr/formats";
import { scope, tensor } from "@topofr/torch";
import { addOperator, type GraphOptions, GraphWriter, outputName } from "./graphWriter.js";
import { type Conv, IMAGES, type Layer, type Linear } from "./layerGraph.js";

const ONNX_FLOAT = 1; // TensorProto.DataType
const ONNX_FLOAT16 = 10;
const LARGEST_HALF = 65504;

/** @param extra values that are outputs too */
export function float32Graph(
  layers: readonly Layer[],
  options: GraphOptions,
  extra: readonly string[] = [],
): OnnxFile {
  const writer = new GraphWriter();
  const parameter = (name: string, shape: readonly number[], values: Float32Array) =>
    writer.weight(name, "float32", shape, values);
  for (const layer of layers)
    addOperator(writer, layer, {
      input: layer.input,
      other: layer.op === "add" ? layer.other : "",
      output: outputName(layers, layer),
      parameter,
      weights: (weighted) => floatWeights(weighted, parameter),
    });
  return writer.file(options, extra);
}

/**
 * Input and output stay float32. The last layers compute in float32, on weights held in float16, as the training code keeps them
 * out of half precision.
 *
 * @throws E_MODEL for a parameter beyond float16
 */
export function float16Graph(layers: readonly Layer[], options: GraphOptions): OnnxFile {
  const writer = new GraphWriter();
  const half = (name: string, shape: readonly number[], values: Float32Array) =>
    writer.weight(name, "float16", shape, halfBytes(name, values));
  const widened = (name: string, shape: readonly number[], values: Float32Array) =>
    writer.node("Cast", [half(`${name}.half`, shape, values)], name, { to: ONNX_FLOAT });
  const images = writer.node("Cast", [IMAGES], `${IMAGES}.half`, { to: ONNX_FLOAT16 });
  let inHead = false;
  for (const layer of layers) {
    let input = layer.input === IMAGES ? images : layer.input;
    if (layer.op === "flatten") {
      inHead = true;
      input = writer.node("Cast", [input], `${input}.float`, { to: ONNX_FLOAT });
    }
    const parameter = inHead ? widened : half;
    addOperator(writer, layer, {
      input,
      other: layer.op === "add" ? layer.other : "",
      output: outputName(layers, layer),
      parameter,
      weights: (weighted) => floatWeights(weighted, parameter),
    });
  }
  return writer.file(options);
}

type AddParameter = (name: string, shape: readonly number[], values: Float32Array) => string;

/** Adds weight, and bias where there is one; returns their names. */
export function floatWeights({ name, weight, bias }: Conv | Linear, parameter: AddParameter): string[] {
  const names = [parameter(`${name}.weight`, weight.shape, weight.values)];
  if (bias) names.push(parameter(`${name}.bias`, [bias.length], bias));
  return names;
}

function halfBytes(name: string, values: Float32Array): Uint8Array {
  const wrong = values.find((value) => Math.abs(value) > LARGEST_HALF);
  if (wrong !== undefined)
    throw new TopofrError(
      "E_MODEL",
      `${name} holds ${wrong}; float16 ends at ${LARGEST_HALF}; export with --precision fp32`,
    );
  return scope(() => tensor(values).to("float16").toBytes());
}
