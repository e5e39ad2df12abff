// Aligned faces to unit vectors, in batches of what the network takes.
import { TopofrError } from "@topofr/formats/error";
import { checkCount } from "./checkOptions.js";
import type { OnnxModel } from "./onnx/onnxModel.js";
import type { AlignedFace } from "./types.js";

const BATCH = 32;
const CHANNELS = 3;

/**
 * One L2-normalised [dimension] for each face; with `flip` that of its embedding plus its mirror image's.
 *
 * @throws E_USAGE for a face of another size than the model's; E_MODEL when the network fails, or gives zeros or what is not finite
 */
export async function embedFaces(
  model: OnnxModel,
  faces: readonly AlignedFace[],
  { flip, batchSize = BATCH }: { flip: boolean; batchSize?: number },
): Promise<Float32Array[]> {
  const { imageSize: size, dimension } = model;
  const bytes = size * size * CHANNELS;
  const foreign = faces.find((face) => face.size !== size || face.pixels.length !== bytes);
  if (foreign !== undefined)
    throw new TopofrError(
      "E_USAGE",
      `an aligned face of ${foreign.size}x${foreign.size} with ${foreign.pixels.length} bytes; ${model.name} takes ` +
        `${size}x${size}, ${bytes} bytes`,
    );
  const step = model.fixedBatch ?? checkCount("batchSize", batchSize);
  const embeddings: Float32Array[] = [];
  for (let start = 0; start < faces.length; start += step) {
    const batch = faces.slice(start, start + step);
    const pixels = new Uint8Array(batch.length * bytes);
    for (const [k, face] of batch.entries()) pixels.set(face.pixels, k * bytes);
    const rows = Float32Array.from(await model.run(pixels, batch.length, { mirror: false }));
    if (flip) {
      const mirrored = await model.run(pixels, batch.length, { mirror: true });
      for (let i = 0; i < rows.length; i++) rows[i]! += mirrored[i]!;
    }
    for (let k = 0; k < batch.length; k++)
      embeddings.push(normalized(rows.slice(k * dimension, (k + 1) * dimension), model.name));
  }
  return embeddings;
}

/** In place. */
function normalized(embedding: Float32Array, name: string): Float32Array {
  const length = Math.hypot(...embedding);
  if (!(length > 0 && Number.isFinite(length)))
    throw new TopofrError(
      "E_MODEL",
      `${name}: an embedding is zero or not finite; the file or its preprocessing (model card) is wrong`,
    );
  for (let i = 0; i < embedding.length; i++) embedding[i]! /= length;
  return embedding;
}
