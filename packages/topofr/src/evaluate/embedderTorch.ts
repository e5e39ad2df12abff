// Our own checkpoints, and PyTorch state dicts of the same networks, as an embedder. Needs the engine.
import { availableParallelism } from "node:os";
import { manualSeed, setNumThreads } from "@topofr/torch";
import { loadWeights } from "../models/loadWeights.js";
import type { NetworkName } from "../models/names.js";
import { createBackbone } from "../models/registry.js";
import type { Embedder } from "./embedder.js";
import { embedImages } from "./embedImages.js";

const IMAGE_SIZE = 112; // pixels; of every network of the paper

export interface TorchModel {
  name: string;
  /** A checkpoint: .safetensors, .pt or .pth. */
  weights: string;
  network: NetworkName;
  embeddingSize: number;
  /** Of the engine, and so of the process. Null: all cores. */
  threads: number | null;
}

/** @throws E_MODEL when the file holds another network; E_FORMAT, E_FILE for the weights */
export async function openTorchEmbedder(model: TorchModel): Promise<Embedder> {
  const { name, weights, network, embeddingSize, threads } = model;
  setNumThreads(threads ?? availableParallelism());
  manualSeed(0); // the fresh weights are replaced; only their drawing must not depend on the clock
  const backbone = createBackbone(network, { embeddingSize });
  try {
    await loadWeights(backbone, weights);
  } catch (error) {
    backbone.dispose();
    throw error;
  }
  backbone.to({ memoryFormat: "channelsLast" });
  return {
    name,
    dimension: embeddingSize,
    imageSize: IMAGE_SIZE,
    embed: (images, options) => embedImages(backbone, images, options),
    async close() {
      backbone.dispose();
    },
  };
}
