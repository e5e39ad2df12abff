// Batch norm in evaluation mode is a scale and a shift a channel: here they go into the weights of the layer beside it.
import { BATCH_NORM_EPSILON, type BatchNorm, type Conv, type Layer, type Linear } from "./layerGraph.js";

/**
 * Folds a batch norm into the convolution or linear layer before it, or through a flattening into the linear layer after it. One
 * before a convolution stays: the convolution pads with zeros, which the batch norm's shift has not touched, so that at the
 * border no weights give the same numbers. Computed in float64, rounded once.
 *
 * @returns new layers; those given are not changed
 */
export function foldBatchNorm(layers: readonly Layer[]): Layer[] {
  const folded: Layer[] = [];
  const places = new Map<string, number>(); // in `folded`, by the name of the output
  const renamed = new Map<string, string>();
  const now = (name: string) => renamed.get(name) ?? name;
  const uses = countUses(layers);
  for (const given of layers) {
    const layer: Layer = { ...given, input: now(given.input) };
    if (layer.op === "add") layer.other = now(layer.other);
    const place = places.get(layer.input);
    const before = place === undefined ? undefined : folded[place]!;
    if (layer.op === "batchNorm" && uses.get(given.input) === 1 && isWeighted(before)) {
      folded[place!] = foldInto(before, layer);
      renamed.set(given.name, before.name);
      continue;
    }
    places.set(layer.name, folded.push(layer) - 1);
  }
  return foldThroughFlatten(folded);
}

const isWeighted = (layer: Layer | undefined): layer is Conv | Linear =>
  layer?.op === "conv" || layer?.op === "linear";

function countUses(layers: readonly Layer[]): Map<string, number> {
  const uses = new Map<string, number>();
  const use = (name: string) => uses.set(name, (uses.get(name) ?? 0) + 1);
  for (const layer of layers) {
    use(layer.input);
    if (layer.op === "add") use(layer.other);
  }
  return uses;
}

/** y = scale x + shift */
function scaleAndShift({ weight, bias, mean, variance }: BatchNorm): {
  scale: Float64Array;
  shift: Float64Array;
} {
  const scale = Float64Array.from(weight, (w, i) => w / Math.sqrt(variance[i]! + BATCH_NORM_EPSILON));
  return { scale, shift: Float64Array.from(bias, (b, i) => b - mean[i]! * scale[i]!) };
}

/** The layer followed by the batch norm, as one. */
function foldInto<L extends Conv | Linear>(layer: L, norm: BatchNorm): L {
  const { scale, shift } = scaleAndShift(norm);
  const { shape, values } = layer.weight;
  const row = values.length / shape[0]!;
  const scaled = new Float32Array(values.length);
  scale.forEach((factor, channel) => {
    for (let i = channel * row; i < (channel + 1) * row; i++) scaled[i] = values[i]! * factor;
  });
  return {
    ...layer,
    weight: { shape, values: scaled },
    bias: Float32Array.from(shift, (b, i) => b + (layer.bias?.[i] ?? 0) * scale[i]!),
  };
}

/** Batch norm, flatten, linear, each used once: the batch norm goes into the linear layer. */
function foldThroughFlatten(layers: readonly Layer[]): Layer[] {
  const result = [...layers];
  const uses = countUses(result);
  for (let i = 0; i + 2 < result.length; i++) {
    const [norm, flatten, linear] = [result[i]!, result[i + 1]!, result[i + 2]!];
    if (norm.op !== "batchNorm" || flatten.op !== "flatten" || linear.op !== "linear") continue;
    const inOrder = flatten.input === norm.name && linear.input === flatten.name;
    if (!inOrder || uses.get(norm.name) !== 1 || uses.get(flatten.name) !== 1) continue;
    result.splice(i, 3, { ...flatten, input: norm.input }, foldBefore(norm, linear));
  }
  return result;
}

/** The linear layer on flattened maps that the batch norm has gone over. */
function foldBefore(norm: BatchNorm, linear: Linear): Linear {
  const { scale, shift } = scaleAndShift(norm);
  const { shape, values } = linear.weight;
  const columns = shape[1]!;
  const area = columns / scale.length;
  const bias = Float64Array.from({ length: shape[0]! }, (_, o) => linear.bias?.[o] ?? 0);
  const weights = new Float32Array(values.length);
  for (let o = 0, at = 0; o < bias.length; o++) {
    for (let column = 0; column < columns; column++, at++) {
      const channel = Math.floor(column / area);
      weights[at] = values[at]! * scale[channel]!;
      bias[o]! += values[at]! * shift[channel]!;
    }
  }
  return { ...linear, weight: { shape, values: weights }, bias: Float32Array.from(bias) };
}
