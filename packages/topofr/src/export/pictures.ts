// Images for calibration and comparison: pixels in memory, drawn at random or read from files.
import type { ResizePolicy } from "../data/decodeImage.js";
import type { ImageSource } from "../data/imageSource.js";
import { loadImages } from "../data/loader.js";
import { PIXEL_MEAN, PIXEL_SCALE } from "../data/normalize.js";
import { RandomStream } from "../random/stream.js";

const CHANNELS = 3;

export interface Pictures {
  /** How messages call them. */
  name: string;
  /** [count, size, size, 3] RGB, 0..255 */
  pixels: Uint8Array;
  count: number;
  /** Height and width, in pixels. */
  size: number;
}

/** The same every time. */
export function randomPictures(count: number, size: number): Pictures {
  const stream = new RandomStream(0, "export");
  const pixels = Uint8Array.from({ length: count * size * size * CHANNELS }, () => stream.integer(256));
  return { name: "random images", pixels, count, size };
}

/** @throws E_DATA at the first unreadable or wrongly sized image */
export async function readPictures(
  name: string,
  images: readonly ImageSource[],
  { size, resize }: { size: number; resize: ResizePolicy },
): Promise<Pictures> {
  const pixels = new Uint8Array(images.length * size * size * CHANNELS);
  for await (const batch of loadImages(images, { size, resize })) {
    pixels.set(batch.images, batch.start * size * size * CHANNELS);
    batch.release();
  }
  return { name, pixels, count: images.length, size };
}

/** Some of the pictures. */
export function slicePictures({ name, pixels, size }: Pictures, start: number, count: number): Pictures {
  const bytes = size * size * CHANNELS;
  return { name, pixels: pixels.subarray(start * bytes, (start + count) * bytes), count, size };
}

export interface ImageBatch {
  /** [count, 3, size, size] in [-1, 1] */
  values: Float32Array;
  shape: [count: number, channels: number, height: number, width: number];
  /** Place of the first. */
  start: number;
}

export function* imageBatches({ pixels, count, size }: Pictures, batchSize: number): Generator<ImageBatch> {
  const area = size * size;
  for (let start = 0; start < count; start += batchSize) {
    const images = Math.min(batchSize, count - start);
    const values = new Float32Array(images * CHANNELS * area);
    for (let image = 0; image < images; image++) {
      for (let i = 0; i < area; i++) {
        const from = ((start + image) * area + i) * CHANNELS;
        for (let channel = 0; channel < CHANNELS; channel++)
          values[(image * CHANNELS + channel) * area + i] =
            (pixels[from + channel]! - PIXEL_MEAN) / PIXEL_SCALE;
      }
    }
    yield { values, shape: [images, CHANNELS, size, size], start };
  }
}
