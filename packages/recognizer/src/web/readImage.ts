// Pictures in a browser, page or worker: from what browsers decode and show.
import { TopofrError } from "@topofr/formats/error";
import { oneLine } from "../onnx/network.js";
import { checkSize, withoutAlpha } from "../read/picture.js";
import type { Picture } from "../types.js";

/** An image file (File is a Blob), an element, a canvas, a frame of a video that plays or is paused. */
export type ImageSource =
  | Blob
  | HTMLImageElement
  | HTMLCanvasElement
  | HTMLVideoElement
  | OffscreenCanvas
  | ImageBitmap
  | ImageData
  | VideoFrame;

/** How messages call it. */
export function sourceName(source: ImageSource): string {
  if (isA("File", source)) return (source as File).name;
  const name = Object.prototype.toString.call(source).slice("[object ".length, -1);
  return `picture (${name})`;
}

/**
 * 8-bit sRGB, upright (EXIF), of the first frame; what is transparent shows white.
 *
 * @throws E_FORMAT for a Blob that is empty, damaged or no image, an element that has not loaded; E_DATA for more pixels than `maxPixels`;
 *   E_USAGE for another kind of source, or one whose pixels the browser keeps from the page (another site's)
 */
export async function readImage(source: ImageSource, maxPixels: number): Promise<Picture> {
  const name = sourceName(source);
  if (isA("Blob", source)) {
    const bitmap = await decode(source as Blob, name);
    try {
      return pixelsOf(bitmap, bitmap, name, maxPixels);
    } finally {
      bitmap.close();
    }
  }
  if (isA("ImageData", source)) {
    const { width, height, data } = source as ImageData;
    checkSize(name, width, height, maxPixels);
    return { width, height, pixels: withoutAlpha(data as Uint8ClampedArray) };
  }
  return pixelsOf(source as Drawable, sizeOf(source, name), name, maxPixels);
}

type Drawable = Exclude<ImageSource, Blob | ImageData>;

async function decode(blob: Blob, name: string): Promise<ImageBitmap> {
  if (blob.size === 0) throw new TopofrError("E_FORMAT", `${name}: 0 bytes; not an image`);
  try {
    return await createImageBitmap(blob, { imageOrientation: "from-image" });
  } catch (cause) {
    throw new TopofrError(
      "E_FORMAT",
      `${name}: not an image, damaged, or of a format that this browser does not read (${oneLine(cause)})`,
      { cause },
    );
  }
}

function sizeOf(source: ImageSource, name: string): { width: number; height: number } {
  if (isA("HTMLImageElement", source)) {
    const { naturalWidth: width, naturalHeight: height } = source as HTMLImageElement;
    if (width * height === 0) throw new TopofrError("E_FORMAT", `${name}: the image has not loaded`);
    return { width, height };
  }
  if (isA("HTMLVideoElement", source)) {
    const { videoWidth: width, videoHeight: height, readyState } = source as HTMLVideoElement;
    if (width * height === 0 || readyState < HAVE_CURRENT_DATA)
      throw new TopofrError("E_FORMAT", `${name}: the video has no frame yet; wait for its "loadeddata"`);
    return { width, height };
  }
  if (isA("VideoFrame", source)) {
    const { displayWidth: width, displayHeight: height } = source as VideoFrame;
    return { width, height };
  }
  if (["HTMLCanvasElement", "OffscreenCanvas", "ImageBitmap"].some((kind) => isA(kind, source))) {
    const { width, height } = source as ImageBitmap;
    if (width * height === 0) throw new TopofrError("E_FORMAT", `${name}: it has no pixels`);
    return { width, height };
  }
  throw new TopofrError(
    "E_USAGE",
    `${typeof source}: a picture is a Blob, an image, canvas or video element, an OffscreenCanvas, ImageBitmap, ImageData, VideoFrame, ` +
      "or { width, height, pixels }",
  );
}

const HAVE_CURRENT_DATA = 2; // HTMLMediaElement

function pixelsOf(
  source: Drawable,
  { width, height }: { width: number; height: number },
  name: string,
  maxPixels: number,
): Picture {
  checkSize(name, width, height, maxPixels);
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  if (context === null) throw new TopofrError("E_DATA", `${name}: no canvas of ${width}x${height} here`);
  context.drawImage(source, 0, 0, width, height);
  try {
    return {
      width,
      height,
      pixels: withoutAlpha(context.getImageData(0, 0, width, height).data as Uint8ClampedArray),
    };
  } catch (cause) {
    throw new TopofrError(
      "E_USAGE",
      `${name}: the browser keeps its pixels from this page (${oneLine(cause)}); load it from this site, or with CORS`,
      { cause },
    );
  }
}

/** By name, because a worker lacks the elements' classes. */
function isA(kind: string, value: unknown): boolean {
  const type = (globalThis as unknown as Record<string, unknown>)[kind];
  return typeof type === "function" && value instanceof type;
}
