// An ONNX file as an embedder. Needs ONNX Runtime, not libtorch.
import { existsSync } from "node:fs";
import {
  type CardFields,
  cardPath,
  completeCard,
  type OnnxModel,
  openOnnxModel,
  readModelCard,
} from "@topofr/recognizer";
import type { ImageSource } from "../data/imageSource.js";
import { loadImages } from "../data/loader.js";
import type { Embedder, EmbedOptions } from "./embedder.js";

export interface OnnxEmbedderOptions {
  /** What tables call the model when its card does not say. */
  name: string;
  /** A model card; null: `<model>.card.yaml` beside the model, where there is one. */
  card: string | null;
  /** What is said before what the card says. */
  fields: CardFields;
  /** Of the runtime. Null: all cores. */
  threads: number | null;
}

/** @throws as `openOnnxModel` and `readModelCard`; E_USAGE for wrong `fields` */
export async function openOnnxEmbedder(
  path: string,
  { name, card: cardFile, fields, threads }: OnnxEmbedderOptions,
): Promise<Embedder> {
  const beside = cardPath(path);
  const file = cardFile ?? (existsSync(beside) ? beside : null);
  const card = completeCard(file === null ? {} : await readModelCard(file), fields);
  const model = await openOnnxModel(path, card, { threads });
  return {
    name: card.name ?? name,
    dimension: model.dimension,
    imageSize: model.imageSize,
    embed: (images, options) => embed(model, images, options),
    close: () => model.close(),
  };
}

async function embed(
  model: OnnxModel,
  images: readonly ImageSource[],
  { flip, batchSize, resize = "error", signal, onProgress }: EmbedOptions,
): Promise<Float32Array> {
  const { dimension, imageSize: size } = model;
  const step = model.fixedBatch ?? batchSize;
  const embeddings = new Float32Array(images.length * dimension);
  // Decoded in larger batches than a network of batch 1 takes: a message to a decode thread costs more than such an image.
  for await (const batch of loadImages(images, { size, batchSize: Math.max(batchSize, step), resize })) {
    for (let start = 0; start < batch.count; start += step) {
      signal?.throwIfAborted();
      const count = Math.min(step, batch.count - start);
      const imageBytes = size * size * 3;
      const pixels = batch.images.subarray(start * imageBytes, (start + count) * imageBytes);
      const first = (batch.start + start) * dimension;
      embeddings.set(await model.run(pixels, count, { mirror: false }), first);
      if (flip) {
        const mirrored = await model.run(pixels, count, { mirror: true });
        for (let i = 0; i < mirrored.length; i++) embeddings[first + i]! += mirrored[i]!;
      }
    }
    batch.release();
    onProgress?.(batch.start + batch.count, images.length);
  }
  return embeddings;
}
