// How far the shape of a batch's embeddings is from that of its images (the paper's figures 2, 5 and 7): bottleneck distance of the
// degree-0 diagrams, and the alignment loss, batch by batch. Pictures: discrepancyFigures.ts.

import { TopofrError } from "@topofr/formats";
import { bottleneckDistance, type Edges, type PersistenceDiagram } from "@topofr/topology";
import { noGrad, scope, tensor } from "@topofr/torch";
import type { ResizePolicy } from "../../data/decodeImage.js";
import type { ImageSource } from "../../data/imageSource.js";
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
  options: DiscrepancyOptions,
): Promise<Discrepancy[]> {
  const { batchSizes, batches, seed } = options;
  const drawn = batchSizes.map((size) =>
    sets.flatMap((set) => drawBatches(set, size, batches, seed).map((indices) => ({ set, indices }))),
  );
  const found: Discrepancy[] = [];
  for (const model of models) {
    const embedder = await model.open();
    try {
      const rowOf = await embedDrawn(embedder, model, drawn.flat(), options);
      for (const [k, batchSize] of batchSizes.entries())
        found.push(
          ...(await measureBatches(model, sets, drawn[k]!, { ...options, batchSize, embedder, rowOf })),
        );
    } finally {
      await embedder.close();
    }
  }
  return found;
}

interface DrawnBatch {
  set: ImageSet;
  /** Places in the set. */
  indices: Uint32Array;
}

const nameOf = ({ name, step }: DiscrepancyModel): string => (step === null ? name : `${name}, step ${step}`);

/** The embedding of every image drawn, each computed once. */
async function embedDrawn(
  embedder: Embedder,
  model: DiscrepancyModel,
  batches: readonly DrawnBatch[],
  { resize, onProgress }: DiscrepancyOptions,
): Promise<(set: ImageSet, index: number) => Float32Array> {
  const places = new Map<ImageSet, Map<number, number>>();
  const sources: ImageSource[] = [];
  for (const { set, indices } of batches) {
    const known = places.get(set) ?? new Map<number, number>();
    places.set(set, known);
    for (const index of indices) if (!known.has(index)) known.set(index, sources.push(set.source(index)) - 1);
  }
  const rows = await embedder.embed(sources, {
    flip: false,
    batchSize: EMBEDDED_AT_ONCE,
    resize,
    onProgress: (done, total) => onProgress?.(`${nameOf(model)}: embedding images`, done, total),
  });
  const { dimension } = embedder;
  return (set, index) => {
    const row = places.get(set)!.get(index)! * dimension;
    return rows.subarray(row, row + dimension);
  };
}

interface BatchWork extends DiscrepancyOptions {
  batchSize: number;
  embedder: Embedder;
  rowOf(set: ImageSet, index: number): Float32Array;
}

/** One result for each set, of its batches. */
async function measureBatches(
  model: DiscrepancyModel,
  sets: readonly ImageSet[],
  batches: readonly DrawnBatch[],
  { batchSize, embedder, rowOf, resize, onProgress }: BatchWork,
): Promise<Discrepancy[]> {
  const results = new Map(
    sets.map((set): [ImageSet, Discrepancy] => [
      set,
      { model: model.name, step: model.step, data: set.name, batchSize, bottleneck: [], alignment: [] },
    ]),
  );
  const { dimension, imageSize: size } = embedder;
  const sources = batches.flatMap(({ set, indices }) => Array.from(indices, (index) => set.source(index)));
  for await (const { images, start, count, release } of loadImages(sources, { size, batchSize, resize })) {
    const { set, indices } = batches[start / batchSize]!;
    const embedding = new Float32Array(count * dimension);
    indices.forEach((index, place) => {
      embedding.set(rowOf(set, index), place * dimension);
    });
    const { bottleneck, alignment } = withTopologyErrors(`${nameOf(model)} on ${set.name}`, () =>
      batchDiscrepancy({ images, embedding, count, dimension }, model.alignment ?? ONE_SCALE),
    );
    results.get(set)!.bottleneck.push(bottleneck);
    results.get(set)!.alignment.push(alignment);
    release();
    onProgress?.(`${nameOf(model)}: batches of ${batchSize}`, start / batchSize + 1, batches.length);
  }
  return [...results.values()];
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
