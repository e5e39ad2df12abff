// Embeddings of images by a backbone, with the flip test.
import { noGrad, scope } from "@topofr/torch";
import type { ImageSource } from "../data/imageSource.js";
import { imageTensor } from "../data/imageTensor.js";
import { loadImages } from "../data/loader.js";
import type { Backbone } from "../models/backbone.js";
import type { EmbedOptions } from "./embedder.js";

const WIDTH_AXIS = 3;

export interface EmbedImagesOptions extends EmbedOptions {
  /** Default "fp32". bf16: the network runs in bfloat16. */
  precision?: "fp32" | "bf16";
}

/**
 * Embeds in evaluation mode and leaves the backbone in the mode it was in. Returns [images, embeddingSize], not normalised;
 * with `flip`, image plus mirror image.
 *
 * @throws E_DATA at the first unreadable or wrongly sized image
 */
export async function embedImages(
  backbone: Backbone,
  images: readonly ImageSource[],
  { flip, batchSize, precision = "fp32", resize = "error", signal, onProgress }: EmbedImagesOptions,
): Promise<Float32Array> {
  const size = backbone.embeddingSize;
  const embeddings = new Float32Array(images.length * size);
  const wasTraining = backbone.training;
  backbone.eval();
  try {
    for await (const batch of loadImages(images, { size: backbone.inputSize, batchSize, resize })) {
      signal?.throwIfAborted();
      noGrad(() =>
        scope(() => {
          const pixels = imageTensor(batch.images, batch.count).to(
            precision === "bf16" ? "bfloat16" : "float32",
          );
          const plain = backbone.forward(pixels);
          const rows = flip ? plain.add(backbone.forward(pixels.flip([WIDTH_AXIS]))) : plain;
          embeddings.set(rows.toTypedArray() as Float32Array, batch.start * size);
        }),
      );
      batch.release();
      onProgress?.(batch.start + batch.count, images.length);
    }
  } finally {
    backbone.train(wasTraining);
  }
  return embeddings;
}
