// Images as points: their pixels, or a model's embeddings of them. Which images: the first of a seeded order, so that a larger sample
// holds the smaller ones.
import { TopofrError } from "@topofr/formats";
import type { Metric } from "@topofr/topology";
import type { ResizePolicy } from "../../data/decodeImage.js";
import { loadImages } from "../../data/loader.js";
import { PIXEL_MEAN, PIXEL_SCALE } from "../../data/normalize.js";
import type { Embedder } from "../../evaluate/embedder.js";
import { normalizeRows } from "../../evaluate/embeddings.js";
import { RandomStream } from "../../random/stream.js";
import type { ImageSet } from "./imageSet.js";
import { type PointSet, pointsAsSet } from "./pointSet.js";
import { withTopologyErrors } from "./topologyErrors.js";

const IMAGE_SIZE = 112; // pixels
const PIXELS = IMAGE_SIZE * IMAGE_SIZE * 3;
const BYTES_PER_NUMBER = 4;
const MEMORY_SHARE = 0.6; // of what is free: the rest is for the distances

export interface ImagePointOptions {
  count: number;
  seed: number;
  metric: Metric;
  resize: ResizePolicy;
  batchSize: number;
  onProgress?(done: number, total: number): void;
}

/** Which images of a set are the first `count`. @throws E_DATA when it has fewer */
export function chosenImages(set: ImageSet, count: number, seed: number): Uint32Array {
  if (count > set.count)
    throw new TopofrError(
      "E_DATA",
      `${set.path}: has ${set.count} images, ${count} are asked for; give --count ${set.count} or less`,
    );
  return new RandomStream(seed, "analysed images").permutation(set.count).subarray(0, count);
}

/**
 * Pixels as points of 37,632 numbers, (x - 127.5) / 127.5 as the networks see them.
 *
 * @throws E_DATA when they do not fit in memory, or an image cannot be read
 */
export async function pixelSet(
  set: ImageSet,
  { count, seed, metric, resize, batchSize, onProgress }: ImagePointOptions,
): Promise<PointSet> {
  const chosen = chosenImages(set, count, seed);
  assertFits(count, PIXELS * BYTES_PER_NUMBER, "the pixels");
  const points = new Float32Array(count * PIXELS);
  const sources = Array.from(chosen, (index) => set.source(index));
  for await (const batch of loadImages(sources, { batchSize, resize })) {
    const start = batch.start * PIXELS;
    for (let i = 0; i < batch.images.length; i++)
      points[start + i] = (batch.images[i]! - PIXEL_MEAN) / PIXEL_SCALE;
    batch.release();
    onProgress?.(batch.start + batch.count, count);
  }
  const named = { name: "pixels", space: `pixels of ${set.name}, 112x112x3 in -1..1` };
  return withTopologyErrors(set.path, () => pointsAsSet(named, points, PIXELS, metric));
}

/**
 * Embeddings as points: scaled to length 1, which recognition compares, unless `raw`.
 *
 * @throws E_DATA for embeddings that are not finite or do not fit in memory, or an image that cannot be read
 */
export async function embeddingSet(
  set: ImageSet,
  embedder: Embedder,
  { count, seed, metric, raw, resize, batchSize, onProgress }: ImagePointOptions & { raw: boolean },
): Promise<PointSet> {
  const { dimension, name } = embedder;
  const chosen = chosenImages(set, count, seed);
  assertFits(count, dimension * BYTES_PER_NUMBER, "the embeddings");
  const rows = await embedder.embed(
    Array.from(chosen, (index) => set.source(index)),
    { flip: false, batchSize, resize, ...(onProgress && { onProgress }) },
  );
  const points = raw ? rows : normalizeRows(rows, dimension);
  const scaled = raw ? "as the network gives them" : "scaled to length 1";
  const named = { name, space: `embeddings of ${set.name} by ${name}, ${scaled}` };
  return withTopologyErrors(`${set.path} by ${name}`, () => pointsAsSet(named, points, dimension, metric));
}

/** @throws E_DATA saying how many would fit */
export function assertFits(
  count: number,
  bytesEach: number,
  what: string,
  free = process.availableMemory(),
): void {
  const most = Math.floor((free * MEMORY_SHARE) / bytesEach);
  if (count <= most) return;
  const needed = (count * bytesEach) / 1e9;
  throw new TopofrError(
    "E_DATA",
    `${what} of ${count} images need ${needed.toPrecision(2)} GB, of which ${((free * MEMORY_SHARE) / 1e9).toPrecision(2)} GB are free: ` +
      `${most} would fit; give --count ${most}, or embeddings of a model (--model), which are smaller`,
  );
}
