// Layers as an ONNX file whose convolutions and linear layers compute in 8-bit integers, in the form that runtimes recognise:
// QuantizeLinear and DequantizeLinear around each (QDQ). Between them maps are float32: PReLU, the sums of the shortcuts, batch norms
// that could not be folded, and grouped convolutions, which have few weights and lose both time and accuracy in integers (measured
// on MobileFaceNet). Where the ranges come from: calibrate.ts.
import type { OnnxFile } from "@topofr/formats";
import { floatWeights } from "./floatGraph.js";
import { addOperator, type GraphOptions, GraphWriter, outputName } from "./graphWriter.js";
import type { Conv, Layer, Linear } from "./layerGraph.js";

/** Smallest and largest value of each map, by the name of the layer that makes it (or of the images). */
export type Ranges = ReadonlyMap<string, readonly [low: number, high: number]>;

const ACTIVATION_STEPS = 255; // uint8, asymmetric, one scale a map
/**
 * Weights are int8, symmetric, one scale an output channel, and use 7 of the 8 bits: x86 processors without VNNI add pairs of
 * products of uint8 and int8 in 16 bits, which 255 * (64 + 64) just fits. With 127 they would silently saturate there.
 */
const LARGEST_WEIGHT = 64;
const LARGEST_BIAS = 2 ** 30; // int32, with room for rounding

/** Whether a layer computes in integers. */
const isInteger = (layer: Layer): layer is Conv | Linear =>
  layer.op === "linear" || (layer.op === "conv" && layer.groups === 1);

/** The values whose ranges are needed: what integer layers read, and what integer convolutions write. */
export function quantizedValues(layers: readonly Layer[]): string[] {
  const names = layers
    .filter(isInteger)
    .flatMap(({ op, input, name }) => (op === "conv" ? [input, name] : [input]));
  return [...new Set(names)];
}

/** @param layers with every batch norm folded that can be */
export function int8Graph(layers: readonly Layer[], ranges: Ranges, options: GraphOptions): OnnxFile {
  const writer = new GraphWriter();
  const quantizers = new Map<string, Quantizer>();
  const quantizer = (name: string): Quantizer => {
    const made = quantizers.get(name) ?? addQuantizer(writer, name, ranges.get(name)!);
    quantizers.set(name, made);
    return made;
  };
  const dequantized = new Map<string, string>(); // names of values that have been through 8 bits
  const throughEightBits = (value: string, name: string, output: string): string => {
    const { inputs } = quantizer(name);
    const integers = writer.node("QuantizeLinear", [value, ...inputs], `${name}.quantized`);
    dequantized.set(name, writer.node("DequantizeLinear", [integers, ...inputs], output));
    return output;
  };
  const parameter = (name: string, shape: readonly number[], values: Float32Array) =>
    writer.weight(name, "float32", shape, values);
  for (const layer of layers) {
    const { name, input } = layer;
    const integer = isInteger(layer);
    const output = outputName(layers, layer);
    if (integer && !dequantized.has(input)) throughEightBits(input, input, `${input}.dequantized`);
    // An integer convolution is recognised by its output going into 8 bits at once; a linear layer gives floats by itself.
    const narrows = integer && layer.op === "conv";
    addOperator(writer, layer, {
      input: integer ? dequantized.get(input)! : input,
      other: layer.op === "add" ? layer.other : "",
      output: narrows ? `${name}.float` : output,
      parameter,
      weights: (weighted) =>
        integer ? addWeights(writer, weighted, quantizer(input).scale) : floatWeights(weighted, parameter),
    });
    if (narrows) throughEightBits(`${name}.float`, name, output);
  }
  return writer.file(options);
}

interface Quantizer {
  scale: number;
  /** Names of scale and zero point. */
  inputs: [string, string];
}

function addQuantizer(writer: GraphWriter, name: string, [low, high]: readonly [number, number]): Quantizer {
  // Zero is among the values and exact: convolutions pad with it.
  const bottom = Math.min(low, 0);
  const scale = Math.fround((Math.max(high, 0) - bottom) / ACTIVATION_STEPS || 1);
  const zero = Math.max(0, Math.min(ACTIVATION_STEPS, Math.round(-bottom / scale)));
  return {
    scale,
    inputs: [
      writer.weight(`${name}.scale`, "float32", [], Float32Array.of(scale)),
      writer.weight(`${name}.zero`, "uint8", [], Uint8Array.of(zero)),
    ],
  };
}

function addWeights(writer: GraphWriter, layer: Conv | Linear, inputScale: number): string[] {
  const { name, weight, bias } = layer;
  const channels = weight.shape[0]!;
  const row = weight.values.length / channels;
  const scales = new Float32Array(channels);
  const integers = new Int8Array(weight.values.length);
  for (let channel = 0; channel < channels; channel++) {
    const values = weight.values.subarray(channel * row, (channel + 1) * row);
    let largest = 0;
    for (const value of values) largest = Math.max(largest, Math.abs(value));
    // A bias is held in units of both scales: where weights are tiny beside it, the scale grows until it fits.
    const leastForBias = Math.abs(bias?.[channel] ?? 0) / (inputScale * LARGEST_BIAS);
    const scale = Math.fround(Math.max(largest / LARGEST_WEIGHT, leastForBias) || 1);
    scales[channel] = scale;
    values.forEach((value, i) => {
      integers[channel * row + i] = Math.round(value / scale);
    });
  }
  const axis = { axis: 0 };
  const weightInputs = [
    writer.weight(`${name}.weight.quantized`, "int8", weight.shape, integers),
    writer.weight(`${name}.weight.scale`, "float32", [channels], scales),
    writer.weight(`${name}.weight.zero`, "int8", [channels], new Int8Array(channels)),
  ];
  const names = [writer.node("DequantizeLinear", weightInputs, `${name}.weight`, axis)];
  if (bias) {
    const biasScales = scales.map((scale) => scale * inputScale);
    const biasInputs = [
      writer.weight(
        `${name}.bias.quantized`,
        "int32",
        [channels],
        Int32Array.from(bias, (b, i) => Math.round(b / biasScales[i]!)),
      ),
      writer.weight(`${name}.bias.scale`, "float32", [channels], biasScales),
    ];
    names.push(writer.node("DequantizeLinear", biasInputs, `${name}.bias`, axis));
  }
  return names;
}
