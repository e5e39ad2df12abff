// One image file to RGB pixels, by sharp (libvips). Runs in decode workers; many images in order: loader.ts.
import { readFileSync } from "node:fs";
import sharp from "sharp";

/** What to do with an image that is not size x size: refuse it, or scale and crop it around its centre. */
export type ResizePolicy = "error" | "fit";

/** `unreadable`: missing, damaged or not an image. `size`: intact, but of another size than asked for. */
export interface DecodeProblem {
  kind: "unreadable" | "size";
  /** The decoder's words, or the size found, e.g. "250x250". */
  reason: string;
}

// Worker threads are the parallelism; a thread pool inside each image and a cache of operations only cost.
sharp.concurrency(1);
sharp.cache(false);

/**
 * Decodes a JPEG, PNG or WebP file into 8-bit sRGB: EXIF rotation applied, grey repeated to three channels, CMYK and embedded
 * colour profiles converted, 16 bits reduced, alpha dropped (not blended: what other readers of such sets do). A file that
 * libvips reads only with a warning counts as unreadable, because a damaged JPEG is partly garbage.
 *
 * @returns pixels [size, size, 3], or what is wrong; never throws for the sake of a file
 */
export async function decodeImage(
  path: string,
  size: number,
  resize: ResizePolicy = "error",
): Promise<Uint8Array | DecodeProblem> {
  try {
    const image = sharp(readFileSync(path), { failOn: "warning", sequentialRead: true }).autoOrient();
    if (resize === "fit") image.resize(size, size, { fit: "cover", position: "centre" });
    const { data, info } = await image
      .toColourspace("srgb")
      .removeAlpha()
      .raw({ depth: "uchar" })
      .toBuffer({ resolveWithObject: true });
    if (info.width !== size || info.height !== size)
      return { kind: "size", reason: `${info.width}x${info.height}` };
    if (info.channels !== 3)
      return { kind: "unreadable", reason: `${info.channels} channels after conversion to RGB` };
    return data;
  } catch (error) {
    const [reason = "unknown reason"] = (error instanceof Error ? error.message : String(error)).split("\n");
    return { kind: "unreadable", reason: reason.trim() };
  }
}
