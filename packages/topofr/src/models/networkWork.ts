// How much arithmetic a network is: the multiplications and additions of its convolutions and linear layers, counted from the
// shapes that pass through them. Batch norms, activations and sums are not counted: they are less than 1%.
import { nn, noGrad, rand, scope } from "@topofr/torch";
import { createBackbone } from "./registry.js";

export interface LayerWork {
  kind: "convolution" | "linear";
  /** Shapes as the layer's operators see them, without the batch's axis. */
  input: readonly number[];
  output: readonly number[];
  /** [out, in / groups, kernel, kernel] or [out, in] */
  weight: readonly number[];
  /** Operations of one image forward; a multiplication and an addition are two. */
  operations: number;
}

export interface NetworkWork {
  layers: LayerWork[];
  /** Operations of one image: forward, and in a training step (the backbone alone, without classifier). */
  inference: number;
  training: number;
}

const IMAGES = 2; // batch norm needs more than one

/** Passes two images through a fresh network, of which nothing stays. */
export function networkWork(
  network: Parameters<typeof createBackbone>[0],
  { precision, ...options }: Parameters<typeof createBackbone>[1] & { precision: "fp32" | "bf16" },
): NetworkWork {
  const backbone = createBackbone(network, options).to({ memoryFormat: "blocked" });
  const layers: LayerWork[] = [];
  for (const layer of backbone.modules()) {
    if (!(layer instanceof nn.Conv2d || layer instanceof nn.Linear)) continue;
    const forward = layer.forward.bind(layer);
    layer.forward = (input) => {
      const output = forward(input);
      const { shape: weight, size } = layer.weight;
      layers.push({
        kind: layer instanceof nn.Linear ? "linear" : "convolution",
        input: input.shape.slice(1),
        output: output.shape.slice(1),
        weight,
        operations: (2 * (output.size / IMAGES) * size) / weight[0]!,
      });
      return output;
    };
  }
  const { inputSize } = backbone;
  try {
    scope(() =>
      noGrad(() =>
        backbone.forward(
          rand([IMAGES, 3, inputSize, inputSize])
            .contiguous({ memoryFormat: "channelsLast" })
            .to(precision === "bf16" ? "bfloat16" : "float32"),
        ),
      ),
    );
  } finally {
    backbone.dispose();
  }
  const inference = layers.reduce((sum, { operations }) => sum + operations, 0);
  // Backward, each layer's weight and input have a gradient, each as much work as forward; the images have none.
  return { layers, inference, training: 3 * inference - layers[0]!.operations };
}
