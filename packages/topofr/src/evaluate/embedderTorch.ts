// Our own checkpoints, and PyTorch state dicts of the same networks, as an embedder. Needs the engine.
import { availableParallelism } from "node:os";
import { manualSeed, setNumThreads } from "@topofr/torch";
import type { NetworkName } from "../models/names.js";
import { openBackbone } from "../models/openBackbone.js";
import type { Embedder } from "./embedder.js";
import { embedImages } from "./embedImages.js";

export interface TorchModel {
  name: string;
  /** A checkpoint: .safetensors, .pt or .pth. */
  weights: string;
  network: NetworkName;
  embeddingSize: number;
  /** Of the engine, and so of the process. Null: all cores. */
  threads: number | null;
}

/** The weights say which size of images they are of. @throws E_MODEL when the file holds another network; E_FORMAT, E_FILE for it */
export async function openTorchEmbedder(model: TorchModel): Promise<Embedder> {
  const { name, weights, network, embeddingSize, threads } = model;
  setNumThreads(threads ?? availableParallelism());
  manualSeed(0); // the fresh weights are replaced; only their drawing must not depend on the clock
  const backbone = await openBackbone(weights, network, { embeddingSize });
  backbone.to({ memoryFormat: "blocked" });
  return {
    name,
    dimension: embeddingSize,
    imageSize: backbone.inputSize,
    embed: (images, options) => embedImages(backbone, images, options),
    async close() {
      backbone.dispose();
    },
  };
}
