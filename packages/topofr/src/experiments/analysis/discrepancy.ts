// How far the shape of a batch's embeddings is from that of its images (the paper's figures 2, 5 and 7): bottleneck distance of the
// degree-0 diagrams, and the alignment loss, batch by batch. Pictures: discrepancyFigures.ts.

import { TopofrError } from "@topofr/formats";
import { bottleneckDistance, type Edges, type PersistenceDiagram } from "@topofr/topology";
import { noGrad, scope, tensor } from "@topofr/torch";
import type { ResizePolicy } from "../../data/decodeImage.js";
import { imageTensor } from "../../data/imageTensor.js";
import { loadImages } from "../../data/loader.js";
import type { Embedder } from "../../evaluate/embedder.js";
import { structureAlignment } from "../../method/alignment.js";
import { objectiveOptions } from "../../method/objectiveComposition.js";
import type { AlignmentOptions } from "../../method/objectiveOptions.js";
import { RandomStream } from "../../random/stream.js";
import type { ImageSet } from "./imageSet.js";
import { withTopologyErrors } from "./topologyErrors.js";

/**
 * Both spaces on one scale: images centred on the batch's mean image and scaled to length 1, embeddings scaled to length 1, so that
 * distances of both end at 2. The paper does not say how it compares them.
 */
export const ONE_SCALE: AlignmentOptions = objectiveOptions({ preset: "spherical" }).alignment!;
export const ONE_SCALE_NOTE =
  "Both spaces on one scale, 0 to 2: images centred on the batch's mean image and scaled to length 1, embeddings scaled to length 1. " +
  "Images are not perturbed, networks in evaluation mode.";

export interface DiscrepancyModel {
  name: string;
  /** Optimiser steps; null for a model that is no checkpoint of a run. */
  step: number | null;
  /** The run's own options of the alignment loss; null: it has none, and `ONE_SCALE` serves. */
  alignment: AlignmentOptions | null;
  open(): Promise<Embedder>;
}

export interface DiscrepancyOptions {
  batchSizes: readonly number[];
  /** Batches of each size. */
  batches: number;
  seed: number;
  resize: ResizePolicy;
  onProgress?(doing: string, done: number, total: number): void;
}

/** One model on one set of images, in batches of one size. */
export interface Discrepancy {
  model: string;
  step: number | null;
  data: string;
  batchSize: number;
  /** Of each batch: bottleneck distance in degree 0 on one scale. */
  bottleneck: number[];
  /** Of each batch: the alignment loss by the run's own options. */
  alignment: number[];
}

const EMBEDDED_AT_ONCE = 64;

/**
 * All models see the same batches.
 *
 * @throws E_DATA when a set has fewer images than a batch, an image cannot be read, or embeddings are not finite
 */
export async function measureDiscrepancy(
  models: readonly DiscrepancyModel[],
  sets: readonly ImageSet[],
  { batchSizes, batches, seed, resize, onProgress }: DiscrepancyOptions,
): Promise<Discrepancy[]> {
  const plans = sets.map((set) => ({
    set,
    batches: batchSizes.map((size) => drawBatches(set, size, batches, seed)),
  }));
  const found: Discrepancy[] = [];
  for (const model of models) {
    const embedder = await model.open();
    const { dimension } = embedder;
    const named = model.step === null ? model.name : `${model.name}, step ${model.step}`;
    try {
      for (const { set, batches: ofSizes } of plans) {
        const used = [...new Set(ofSizes.flat().flatMap((batch) => [...batch]))];
        const rowOf = new Map(used.map((index, row) => [index, row]));
        const rows = await embedder.embed(
          used.map((index) => set.source(index)),
          {
            flip: false,
            batchSize: EMBEDDED_AT_ONCE,
            resize,
            onProgress: (done, total) => onProgress?.(`${named}: embedding ${set.name}`, done, total),
          },
        );
        for (const [k, batchSize] of batchSizes.entries()) {
          const ofSize = ofSizes[k]!;
          const result: Discrepancy = {
            model: model.name,
            step: model.step,
            data: set.name,
            batchSize,
            bottleneck: [],
            alignment: [],
          };
          const sources = ofSize.flatMap((batch) => Array.from(batch, (index) => set.source(index)));
          for await (const { images, start, count, release } of loadImages(sources, { batchSize, resize })) {
            const batch = ofSize[start / batchSize]!;
            const embedding = new Float32Array(count * dimension);
            batch.forEach((index, place) => {
              const row = rowOf.get(index)! * dimension;
              embedding.set(rows.subarray(row, row + dimension), place * dimension);
            });
            const { bottleneck, alignment } = withTopologyErrors(`${named} on ${set.name}`, () =>
              batchDiscrepancy({ images, embedding, count, dimension }, model.alignment ?? ONE_SCALE),
            );
            result.bottleneck.push(bottleneck);
            result.alignment.push(alignment);
            release();
            onProgress?.(`${named}: batches of ${batchSize}`, result.bottleneck.length, ofSize.length);
          }
          found.push(result);
        }
      }
    } finally {
      await embedder.close();
    }
  }
  return found;
}

interface EmbeddedBatch {
  /** [count, size, size, 3] */
  images: Uint8Array;
  /** [count, dimension] */
  embedding: Float32Array;
  count: number;
  dimension: number;
}

export function batchDiscrepancy(
  { images, embedding, count, dimension }: EmbeddedBatch,
  options: AlignmentOptions,
): { bottleneck: number; alignment: number } {
  return noGrad(() =>
    scope(() => {
      const pixels = imageTensor(images, count);
      const embedded = tensor(embedding, { shape: [count, dimension] });
      const { inputEdges, latentEdges } = structureAlignment(pixels, embedded, ONE_SCALE);
      const { distance } = bottleneckDistance(treeDiagram(inputEdges), treeDiagram(latentEdges));
      return { bottleneck: distance, alignment: structureAlignment(pixels, embedded, options).loss.item() };
    }),
  );
}

const treeDiagram = ({ weight }: Edges): PersistenceDiagram => ({
  dimension: 0,
  births: new Float64Array(weight.length),
  deaths: weight,
});

/**
 * Batches of one size without repetition inside them: slices of random orders, a new order when one is used up (so that small sets
 * give batches that share images).
 *
 * @throws E_DATA when the set has fewer images than a batch
 */
export function drawBatches(
  { name, path, count }: Pick<ImageSet, "name" | "path" | "count">,
  size: number,
  batches: number,
  seed: number,
): Uint32Array[] {
  if (count < size)
    throw new TopofrError(
      "E_DATA",
      `${path}: has ${count} images, too few for a batch of ${size}; give --batch-size ${count} or less`,
    );
  const stream = new RandomStream(seed, `discrepancy ${name} ${size}`);
  const drawn: Uint32Array[] = [];
  while (drawn.length < batches) {
    const order = stream.permutation(count);
    for (let start = 0; start + size <= count && drawn.length < batches; start += size)
      drawn.push(order.slice(start, start + size));
  }
  return drawn;
}
