// One encoded image to RGB pixels. Runs in decode workers; many images in order: loader.ts.

import { alignFace } from "@topofr/recognizer/align";
import sharp from "sharp";
import { readImageHeader } from "./imageHeader.js";
import type { ImageSource } from "./imageSource.js";
import { readJpegHeader } from "./jpegHeader.js";
import { JpegTurbo } from "./jpegTurbo.js";
import { readImage } from "./readImage.js";
import { ALIGNED_SIZE, shrinkImage } from "./shrinkImage.js";

/** What to do with an image that is neither size x size nor an aligned face: refuse it, or scale and crop it around its centre. */
export type ResizePolicy = "error" | "fit";

/** `unreadable`: missing, damaged or not an image. `size`: intact, but of another size than asked for. */
export interface DecodeProblem {
  kind: "unreadable" | "size";
  /** The decoder's words, or the size found, e.g. "250x250". */
  reason: string;
}

interface Pixels {
  data: Uint8Array;
  width: number;
  height: number;
}

// Worker threads are the parallelism; a thread pool inside each image and a cache of operations only cost.
sharp.concurrency(1);
sharp.cache(false);

/**
 * Decodes a JPEG, PNG or WebP image into 8-bit sRGB: EXIF rotation applied, grey repeated to three channels, CMYK and embedded
 * colour profiles converted, 16 bits reduced, alpha dropped (not blended: what other readers of such sets do). An image that
 * decodes only with a warning counts as unreadable, because a damaged JPEG is partly garbage. With landmarks, the face is
 * brought onto the template; `resize` does not apply. Nor does it to an aligned face (112x112) where `size` is smaller: that is made
 * smaller.
 *
 * @returns pixels [size, size, 3], valid until the next call in this thread; or what is wrong; never throws for the sake of a file
 */
export async function decodeImage(
  source: ImageSource,
  size: number,
  resize: ResizePolicy = "error",
): Promise<Uint8Array | DecodeProblem> {
  try {
    const encoded = readImage(source);
    if (source.landmarks !== undefined) {
      const { data, width, height } = await decodeAny(encoded);
      return alignFace(data, width, height, source.landmarks, size);
    }
    const plain = decodePlainJpeg(encoded, size);
    if (plain !== null) return plain;
    const header = readImageHeader(encoded);
    const isAligned = header?.width === ALIGNED_SIZE && header.height === ALIGNED_SIZE;
    const shrinks = isAligned && size < ALIGNED_SIZE;
    const { data, width, height } = await decodeAny(encoded, resize === "fit" && !shrinks ? size : null);
    if (width === size && height === size) return data;
    if (shrinks && width === ALIGNED_SIZE && height === ALIGNED_SIZE) return shrinkImage(data, width, size);
    return { kind: "size", reason: `${width}x${height}` };
  } catch (error) {
    const [reason = "unknown reason"] = (error instanceof Error ? error.message : String(error)).split("\n");
    return { kind: "unreadable", reason: reason.trim() };
  }
}

const jpegTurbo = new JpegTurbo();

/**
 * The common case: an aligned JPEG without rotation or profile. Null for any other image and for a damaged one, so that one
 * decoder words all complaints.
 */
function decodePlainJpeg(encoded: Uint8Array, size: number): Uint8Array | null {
  const header = readJpegHeader(encoded);
  if (header === null || header.annotated || (header.components !== 1 && header.components !== 3))
    return null;
  const { width, height } = header;
  if (width !== height || (width !== size && (width !== ALIGNED_SIZE || size > ALIGNED_SIZE))) return null;
  const pixels = jpegTurbo.decode(encoded, width, height);
  return width === size || pixels === null ? pixels : shrinkImage(pixels, width, size);
}

/** By libvips; `fit` is the size to scale and crop to. */
async function decodeAny(encoded: Uint8Array, fit: number | null = null): Promise<Pixels> {
  const image = sharp(encoded, { failOn: "warning", sequentialRead: true }).autoOrient();
  if (fit !== null) image.resize(fit, fit, { fit: "cover", position: "centre" });
  const { data, info } = await image
    .toColourspace("srgb")
    .removeAlpha()
    .raw({ depth: "uchar" })
    .toBuffer({ resolveWithObject: true });
  if (info.channels !== 3) throw new Error(`${info.channels} channels after conversion to RGB`);
  return { data, width: info.width, height: info.height };
}
