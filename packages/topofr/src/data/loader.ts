// Batches of pixels, decoded ahead of the training step by worker threads, and a plain ordered loader for evaluation.
// Which samples come when: sampler.ts. Threads and memory: decodePool.ts, batchRing.ts. No tensors here.
import { TopofrError } from "@topofr/formats";
import { randomUnit } from "../random/stream.js";
import { decodeInOrder } from "./batchRing.js";
import { checkLabels, type FaceDataset } from "./dataset.js";
import type { ResizePolicy } from "./decodeImage.js";
import { type DecodeFailure, DecodePool } from "./decodePool.js";
import { type ImageSource, sourceName } from "./imageSource.js";
import type { EpochSampler, SamplerPosition } from "./sampler.js";
import { ALIGNED_SIZE } from "./shrinkImage.js";

const PREFETCH = 4; // batches
const FLIP_PROBABILITY = 0.5; // section 4.1; RandomHorizontalFlip's default in the published training code
const FLIP_KEY = 0x666c6970; // "flip": keeps these draws apart from others that hash (seed, epoch, index)

// When to stop in spite of `badImages: "skip"`: the folder is broken, not a few files.
const BAD_IMAGES_TOLERATED = 100;
const BAD_SHARE_TOLERATED = 0.1;
const BAD_IN_A_ROW_TOLERATED = 100;

export interface DecodeOptions {
  /** Height and width in pixels. Default 112. Smaller: aligned faces are made smaller. */
  size?: number;
  /** Worker threads. Default: a quarter of the cores, at least 1, at most 4. */
  workers?: number;
  /** Batches decoded ahead of the one in use. Default 4. */
  prefetch?: number;
  /** An image of another size is an error (default), or is scaled and cropped around its centre. */
  resize?: ResizePolicy;
}

export interface BatchLoaderOptions extends DecodeOptions {
  sampler: EpochSampler;
  /** The run's seed; decides the flips. */
  seed: number;
  /** Stop before this epoch. Default: at the end of the epoch that the sampler stands in. */
  epochs?: number;
  /** Probability of mirroring an image left to right. Default 0.5. */
  flipProbability?: number;
  /** Number of classes that labels must stay below. Default: the data set's identities. */
  classCount?: number;
  /** An unreadable image is an error, or is replaced (default): see BatchLoader. */
  badImages?: "skip" | "fail";
  /** Told once of every unreadable image that was replaced, when the first batch it was missing from is delivered. */
  onBadImage?: (image: string, reason: string) => void;
}

export interface Batch {
  /** [batch, size, size, 3] RGB, 0..255, a view of shared memory: valid until `release()`. */
  images: Uint8Array;
  /** [batch] class indices. */
  labels: BigInt64Array;
  /** [batch] places in the data set; of the replacements, where an image was unreadable. */
  indices: Uint32Array;
  epoch: number;
  step: number;
  /** Gives the memory back for a batch to come. Call it when the pixels are copied; at most `prefetch` + 1 may be held. */
  release(): void;
}

interface Filled {
  indices: Uint32Array;
  /** Unreadable samples met while filling, in order of meeting. */
  bad: number[];
  /** Places of the batch that had to be replaced. */
  replaced: number;
}

/**
 * Yields the sampler's batches in order, from its position on, and moves that position past each batch it delivers: what
 * the sampler says after a step is where a resumed run must start. The same seed gives the same pixels whatever the
 * number of workers, the prefetch depth, or the place of the resume; flips hash (seed, epoch, sample index).
 *
 * An unreadable image is replaced by the next readable sample of the data set (index + 1, + 2, ..., from the end to the
 * start): batches keep their shape, the choice does not depend on timing, and in a folder per person the neighbour is mostly
 * the same person. Iteration stops with E_DATA when more than 100 and more than 10% of the samples delivered were
 * unreadable, or 100 in a row; and, with `badImages: "fail"`, at the first. A wrong size always stops it.
 *
 * `break`, an error and the end close the threads; `close()` does so from outside. A loader can be iterated again, from
 * the sampler's position, but not twice at once.
 */
export class BatchLoader implements AsyncIterable<Batch> {
  readonly #dataset: FaceDataset;
  readonly #options: BatchLoaderOptions;
  /** Unreadable samples found so far, with the reason. */
  readonly #bad = new Map<number, string>();
  readonly #reported = new Set<number>();
  #samplesSeen = 0;
  #samplesReplaced = 0;
  #pool: DecodePool | undefined;

  /** @throws E_DATA when a label is out of range */
  constructor(dataset: FaceDataset, options: BatchLoaderOptions) {
    checkLabels(dataset, options.classCount);
    this.#dataset = dataset;
    this.#options = options;
  }

  /** Different unreadable images reported so far. */
  get badImageCount(): number {
    return this.#reported.size;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Batch, void, undefined> {
    if (this.#pool && !this.#pool.closed) {
      throw new TopofrError(
        "E_USAGE",
        "image loader: it is being iterated already; make a second loader for that",
      );
    }
    const { sampler, size = ALIGNED_SIZE, prefetch = PREFETCH } = this.#options;
    const pool = new DecodePool({
      ...this.#options,
      size,
      slotImages: sampler.batchSize,
      slots: prefetch + 1,
    });
    this.#pool = pool;
    const ring = decodeInOrder(pool, prefetch + 1, this.#positions(), (slot, position) =>
      this.#fill(pool, slot, position),
    );
    for await (const { plan: position, result, slot, release } of ring) {
      this.#account(result);
      const { indices } = result;
      sampler.position = sampler.after(position);
      yield {
        images: pool.images(slot, indices.length),
        labels: BigInt64Array.from(indices, (index) => BigInt(this.#dataset.labels[index]!)),
        indices,
        ...position,
        release,
      };
    }
  }

  /** Ends the threads; a running iteration ends without an error. */
  async close(): Promise<void> {
    await this.#pool?.close();
  }

  *#positions(): Generator<SamplerPosition, void, undefined> {
    const { sampler } = this.#options;
    let position = sampler.position;
    const end = this.#options.epochs ?? position.epoch + 1;
    for (; position.epoch < end; position = sampler.after(position)) yield position;
  }

  async #fill(pool: DecodePool, slot: number, position: SamplerPosition): Promise<Filled> {
    const indices = this.#options.sampler.indicesAt(position);
    const items = Array.from(indices, (index) => this.#item(index, position.epoch));
    const filled: Filled = { indices, bad: [], replaced: 0 };
    for (const failure of await pool.decode(slot, items)) {
      await this.#replace(pool, slot, position.epoch, filled, failure);
    }
    return filled;
  }

  /** Puts the next readable sample in the place of one that failed. */
  async #replace(
    pool: DecodePool,
    slot: number,
    epoch: number,
    filled: Filled,
    failure: DecodeFailure,
  ): Promise<void> {
    const { labels, name } = this.#dataset;
    const place = failure.item;
    let index = filled.indices[place]!;
    let problem: DecodeFailure | undefined = failure;
    filled.replaced++;
    for (let tries = 1; problem; tries++) {
      this.#refuse(index, problem);
      this.#bad.set(index, problem.reason);
      filled.bad.push(index);
      if (tries > Math.min(BAD_IN_A_ROW_TOLERATED, labels.length - 1)) {
        throw new TopofrError(
          "E_DATA",
          `${name}: ${tries} images in a row cannot be read, up to ${this.#name(index)} (${problem.reason}); ` +
            "is the disk still there?",
        );
      }
      index = (index + 1) % labels.length;
      const known = this.#bad.get(index);
      if (known !== undefined) problem = { item: place, kind: "unreadable", reason: known };
      else [problem] = await pool.decode(slot, [this.#item(index, epoch)], place);
    }
    filled.indices[place] = index;
  }

  /** Throws for a failure that no replacement may hide. */
  #refuse(index: number, { kind, reason }: DecodeFailure): void {
    if (kind === "size") throw wrongSize(this.#name(index), reason, this.#options.size ?? ALIGNED_SIZE);
    if (this.#options.badImages === "fail") throw unreadable(this.#name(index), reason);
  }

  #name(index: number): string {
    return sourceName(this.#dataset.source(index));
  }

  #item(index: number, epoch: number) {
    const { seed, flipProbability = FLIP_PROBABILITY } = this.#options;
    const flip = randomUnit(seed, FLIP_KEY, epoch, index) < flipProbability;
    return { source: this.#dataset.source(index), flip };
  }

  /** Counts and reports in the order of delivery, so that timing changes neither. */
  #account({ indices, bad, replaced }: Filled): void {
    for (const index of bad) {
      if (this.#reported.has(index)) continue;
      this.#reported.add(index);
      this.#options.onBadImage?.(this.#name(index), this.#bad.get(index)!);
    }
    this.#samplesSeen += indices.length;
    this.#samplesReplaced += replaced;
    const limit = Math.max(BAD_IMAGES_TOLERATED, BAD_SHARE_TOLERATED * this.#samplesSeen);
    if (this.#samplesReplaced <= limit) return;
    throw new TopofrError(
      "E_DATA",
      `${this.#dataset.name}: ${this.#samplesReplaced} of ${this.#samplesSeen} samples could not be read, more than ` +
        `${100 * BAD_SHARE_TOLERATED}%; the data set is damaged, copy it again or remove the files that were reported`,
    );
  }
}

export interface LoadImagesOptions extends DecodeOptions {
  /** Images a batch. Default 64. */
  batchSize?: number;
}

export interface ImageBatch {
  /** [count, size, size, 3] RGB, 0..255, a view of shared memory: valid until `release()`. */
  images: Uint8Array;
  /** Place of the first image in the list. */
  start: number;
  /** Images in this batch; the last may have fewer. */
  count: number;
  /** Gives the memory back for a batch to come. */
  release(): void;
}

/**
 * Decodes a list of images in order, none flipped, for evaluation. Leaving the loop closes the threads.
 *
 * @throws E_DATA at the first unreadable or wrongly sized image: an evaluation without it would be another one
 */
export async function* loadImages(
  sources: readonly ImageSource[],
  options: LoadImagesOptions = {},
): AsyncGenerator<ImageBatch, void, undefined> {
  const { size = ALIGNED_SIZE, prefetch = PREFETCH, batchSize = 64 } = options;
  if (sources.length === 0) return;
  const slotImages = Math.min(batchSize, sources.length);
  const slots = Math.min(prefetch + 1, Math.ceil(sources.length / slotImages));
  const pool = new DecodePool({ ...options, size, slotImages, slots });
  const starts = Array.from(
    { length: Math.ceil(sources.length / slotImages) },
    (_, i) => i * slotImages,
  ).values();
  const ring = decodeInOrder(pool, slots, starts, async (slot, start) => {
    const batch = sources.slice(start, start + slotImages);
    const [failure] = await pool.decode(
      slot,
      batch.map((source) => ({ source })),
    );
    if (!failure) return batch.length;
    const name = sourceName(batch[failure.item]!);
    throw failure.kind === "size" ? wrongSize(name, failure.reason, size) : unreadable(name, failure.reason);
  });
  for await (const { plan: start, result: count, slot, release } of ring) {
    yield { images: pool.images(slot, count), start, count, release };
  }
}

function wrongSize(name: string, found: string, size: number): TopofrError {
  return new TopofrError(
    "E_DATA",
    `${name}: the image has ${found} pixels, expected ${expectedSize(size)}; align the faces to ` +
      `${ALIGNED_SIZE}x${ALIGNED_SIZE} first, or pass resize "fit" to scale and crop them (train: --set data.resize=fit; evaluate: --resize)`,
  );
}

const expectedSize = (size: number): string =>
  size < ALIGNED_SIZE
    ? `${size}x${size}, or ${ALIGNED_SIZE}x${ALIGNED_SIZE} to make smaller`
    : `${size}x${size}`;

function unreadable(name: string, reason: string): TopofrError {
  return new TopofrError("E_DATA", `${name}: the image cannot be read (${reason}); replace or remove it`);
}
