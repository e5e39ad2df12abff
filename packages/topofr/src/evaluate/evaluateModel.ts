// Verification of a saved model on image pairs: load, embed, verify.
import { availableParallelism } from "node:os";
import { manualSeed, setNumThreads } from "@topofr/torch";
import { loadWeights } from "../models/loadWeights.js";
import type { NetworkName } from "../models/names.js";
import { createBackbone } from "../models/registry.js";
import { embedImages } from "./embedImages.js";
import { readPairs } from "./pairs.js";
import { type VerificationReport, verifyPairs } from "./verification.js";

export interface EvaluateOptions {
  /** A checkpoint: .safetensors, .pt or .pth. */
  weights: string;
  network: NetworkName;
  embeddingSize: number;
  /** Folder of the images that the pairs name. */
  data: string;
  pairs: string;
  /** Sum the embeddings of an image and its mirror image. */
  flip: boolean;
  /** What happens to an image that is not 112x112. */
  resize: "error" | "fit";
  batchSize: number;
  threads: number | null;
  signal: AbortSignal;
  onProgress(done: number, total: number): void;
}

/** @throws E_MODEL, E_FORMAT, E_FILE for the weights; E_DATA for the pairs and images */
export async function evaluateModel(
  options: EvaluateOptions,
): Promise<VerificationReport & { imagesPerSecond: number }> {
  setNumThreads(options.threads ?? availableParallelism());
  manualSeed(0); // the fresh weights are replaced; only their drawing must not depend on the clock
  const backbone = createBackbone(options.network, { embeddingSize: options.embeddingSize });
  try {
    await loadWeights(backbone, options.weights);
    backbone.to({ memoryFormat: "channelsLast" });
    const pairs = await readPairs(options.pairs, options.data);
    const started = performance.now();
    const { plain, mirrored } = await embedImages(backbone, pairs.images, options);
    const seconds = (performance.now() - started) / 1000;
    const report = verifyPairs(plain, pairs, mirrored === null ? {} : { mirrored });
    return { ...report, imagesPerSecond: pairs.images.length / seconds };
  } finally {
    backbone.dispose();
  }
}
