// Are the exported embeddings those of the training engine? Asked of every export, before its file is written.
import { TopofrError } from "@topofr/formats";
import { noGrad, scope } from "@topofr/torch";
import { imageTensor } from "../data/imageTensor.js";
import type { Backbone } from "../models/backbone.js";
import { type Pictures, slicePictures } from "./pictures.js";

const BATCH = 16;

/** Rows [count, embeddingSize] of pictures, not normalised. */
export type Embed = (pictures: Pictures) => Promise<Float32Array>;

/** How far two sets of embeddings, each of length 1, are apart. */
export interface Difference {
  /** What was embedded, and how many of it. */
  images: string;
  count: number;
  /** Largest difference of two numbers. */
  largest: number;
  /** Of the two embeddings of an image. */
  meanCosine: number;
  leastCosine: number;
}

/** The training engine on a network in evaluation mode. */
export function engineEmbed(backbone: Backbone): Embed {
  return async (pictures) => {
    const rows = new Float32Array(pictures.count * backbone.embeddingSize);
    for (let start = 0; start < pictures.count; start += BATCH) {
      const part = slicePictures(pictures, start, Math.min(BATCH, pictures.count - start));
      noGrad(() =>
        scope(() => {
          const embedding = backbone.forward(imageTensor(part.pixels, part.count));
          rows.set(embedding.toTypedArray() as Float32Array, start * backbone.embeddingSize);
        }),
      );
    }
    return rows;
  };
}

/**
 * @param source names the checkpoint in errors
 * @throws E_MODEL when either holds NaN or infinity
 */
export async function compareEmbeddings(
  engine: Embed,
  exported: Embed,
  pictures: Pictures,
  source: string,
): Promise<Difference> {
  const expected = await engine(pictures);
  if (!expected.every(Number.isFinite))
    throw new TopofrError(
      "E_MODEL",
      `${source}: its embeddings of ${pictures.name} hold NaN or infinity; the training diverged, or the file is damaged`,
    );
  const found = await exported(pictures);
  const dimension = expected.length / pictures.count;
  let [largest, sum, leastCosine] = [0, 0, 1];
  for (let image = 0; image < pictures.count; image++) {
    const [a, b] = [expected, found].map((rows) =>
      unit(rows.subarray(image * dimension, (image + 1) * dimension)),
    );
    let cosine = 0;
    a!.forEach((value, i) => {
      cosine += value * b![i]!;
      largest = Math.max(largest, Math.abs(value - b![i]!)); // NaN stays NaN
    });
    sum += cosine;
    leastCosine = Math.min(leastCosine, cosine);
  }
  if (Number.isNaN(largest))
    throw new TopofrError(
      "E_MODEL",
      `${source}: the exported network's embeddings of ${pictures.name} hold NaN or infinity; its values leave the range ` +
        "of the precision; export with --precision fp32",
    );
  return {
    images: pictures.name,
    count: pictures.count,
    largest,
    meanCosine: sum / pictures.count,
    leastCosine,
  };
}

/** A row scaled to length 1, in float64. */
function unit(row: Float32Array): Float64Array {
  const norm = Math.hypot(...row);
  return Float64Array.from(row, (value) => value / norm);
}
