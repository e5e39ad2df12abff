// Decodes many images in order and says which cannot be decoded, where one bad image must not end the work: alignment and checks.
// For training and evaluation: loader.ts.
import { decodeInOrder } from "./batchRing.js";
import type { ResizePolicy } from "./decodeImage.js";
import { type DecodeFailure, DecodePool } from "./decodePool.js";
import type { ImageSource } from "./imageSource.js";

const BATCH_IMAGES = 64;
const SLOTS = 4;

export interface DecodedImages {
  /** [count, size, size, 3] RGB, valid until `release()`; where an image failed, whatever was there. */
  images: Uint8Array;
  start: number;
  count: number;
  /** `item` counts from `start`. */
  failures: DecodeFailure[];
  release(): void;
}

/** Leaving the loop closes the threads. */
export async function* decodeAll(
  count: number,
  sourceAt: (index: number) => ImageSource,
  { size, resize, signal }: { size: number; resize: ResizePolicy; signal?: AbortSignal | undefined },
): AsyncGenerator<DecodedImages, void, undefined> {
  if (count === 0) return;
  const slotImages = Math.min(BATCH_IMAGES, count);
  const pool = new DecodePool({ size, resize, slotImages, slots: SLOTS });
  function* starts(): Generator<number, void, undefined> {
    for (let start = 0; start < count; start += slotImages) yield start;
  }
  const inBatch = (start: number) => Math.min(slotImages, count - start);
  const ring = decodeInOrder(pool, SLOTS, starts(), (slot, start) =>
    pool.decode(
      slot,
      Array.from({ length: inBatch(start) }, (_, i) => ({ source: sourceAt(start + i) })),
    ),
  );
  for await (const { plan: start, result: failures, slot, release } of ring) {
    signal?.throwIfAborted();
    const images = pool.images(slot, inBatch(start));
    yield { images, start, count: inBatch(start), failures, release };
  }
}
