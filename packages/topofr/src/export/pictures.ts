// Images for calibration and comparison: pixels in memory, drawn at random or read from files.
import type { ResizePolicy } from "../data/decodeImage.js";
import type { ImageSource } from "../data/imageSource.js";
import { loadImages } from "../data/loader.js";
import { PIXEL_MEAN, PIXEL_SCALE } from "../data/normalize.js";
import { RandomStream } from "../random/stream.js";
import { IMAGE_SIZE } from "./graphWriter.js";

const PIXELS = IMAGE_SIZE ** 2;
const CHANNELS = 3;

export interface Pictures {
  /** How messages call them. */
  name: string;
  /** [count, 112, 112, 3] RGB, 0..255 */
  pixels: Uint8Array;
  count: number;
}

/** The same every time. */
export function randomPictures(count: number): Pictures {
  const stream = new RandomStream(0, "export");
  const pixels = Uint8Array.from({ length: count * PIXELS * CHANNELS }, () => stream.integer(256));
  return { name: "random images", pixels, count };
}

/** @throws E_DATA at the first unreadable or wrongly sized image */
export async function readPictures(
  name: string,
  images: readonly ImageSource[],
  resize: ResizePolicy,
): Promise<Pictures> {
  const pixels = new Uint8Array(images.length * PIXELS * CHANNELS);
  for await (const batch of loadImages(images, { resize })) {
    pixels.set(batch.images, batch.start * PIXELS * CHANNELS);
    batch.release();
  }
  return { name, pixels, count: images.length };
}

/** Some of the pictures. */
export function slicePictures({ name, pixels }: Pictures, start: number, count: number): Pictures {
  const size = PIXELS * CHANNELS;
  return { name, pixels: pixels.subarray(start * size, (start + count) * size), count };
}

export interface ImageBatch {
  /** [count, 3, 112, 112] in [-1, 1] */
  values: Float32Array;
  shape: [count: number, channels: number, height: number, width: number];
  /** Place of the first. */
  start: number;
}

export function* imageBatches({ pixels, count }: Pictures, size: number): Generator<ImageBatch> {
  for (let start = 0; start < count; start += size) {
    const images = Math.min(size, count - start);
    const values = new Float32Array(images * CHANNELS * PIXELS);
    for (let image = 0; image < images; image++) {
      for (let i = 0; i < PIXELS; i++) {
        const from = ((start + image) * PIXELS + i) * CHANNELS;
        for (let channel = 0; channel < CHANNELS; channel++)
          values[(image * CHANNELS + channel) * PIXELS + i] =
            (pixels[from + channel]! - PIXEL_MEAN) / PIXEL_SCALE;
      }
    }
    yield { values, shape: [images, CHANNELS, IMAGE_SIZE, IMAGE_SIZE], start };
  }
}

/** Places of `count` items spread evenly over `total`; with `offset` 0.5 between those of offset 0. All, when there are fewer. */
export function spread(total: number, count: number, offset = 0): number[] {
  const taken = Math.min(total, count);
  return Array.from({ length: taken }, (_, i) => Math.floor(((i + offset) * total) / taken));
}
