// Embeddings of image files by a backbone, with the flip test.
import { noGrad, scope } from "@topofr/torch";
import { imageTensor } from "../data/imageTensor.js";
import { loadImages } from "../data/loader.js";
import type { Backbone } from "../models/backbone.js";

const WIDTH_AXIS = 3;

export interface EmbedOptions {
  /** Also embed the mirror images, for the flip test. */
  flip: boolean;
  batchSize: number;
  /** Default "fp32". bf16: the network runs in bfloat16. */
  precision?: "fp32" | "bf16";
  resize?: "error" | "fit";
  signal?: AbortSignal;
  onProgress?(done: number, total: number): void;
}

export interface Embeddings {
  /** [count, size] row-major, not normalised. */
  plain: Float32Array;
  /** Of the mirror images; null without the flip test. */
  mirrored: Float32Array | null;
}

/**
 * Embeds in evaluation mode and leaves the backbone in the mode it was in.
 * @throws E_DATA at the first unreadable or wrongly sized image
 */
export async function embedImages(
  backbone: Backbone,
  paths: readonly string[],
  { flip, batchSize, precision = "fp32", resize = "error", signal, onProgress }: EmbedOptions,
): Promise<Embeddings> {
  const size = backbone.embeddingSize;
  const plain = new Float32Array(paths.length * size);
  const mirrored = flip ? new Float32Array(paths.length * size) : null;
  const wasTraining = backbone.training;
  backbone.eval();
  try {
    for await (const batch of loadImages(paths, { batchSize, resize })) {
      signal?.throwIfAborted();
      noGrad(() =>
        scope(() => {
          const images = imageTensor(batch.images, batch.count).to(
            precision === "bf16" ? "bfloat16" : "float32",
          );
          plain.set(backbone.forward(images).toTypedArray() as Float32Array, batch.start * size);
          mirrored?.set(
            backbone.forward(images.flip([WIDTH_AXIS])).toTypedArray() as Float32Array,
            batch.start * size,
          );
        }),
      );
      batch.release();
      onProgress?.(batch.start + batch.count, paths.length);
    }
  } finally {
    backbone.train(wasTraining);
  }
  return { plain, mirrored };
}
