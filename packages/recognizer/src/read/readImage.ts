// Pictures in Node: files and bytes, decoded by sharp (libvips), which is loaded with the first one.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { fileError, TopofrError } from "@topofr/formats";
import { oneLine } from "../onnx/network.js";
import type { ImageSource } from "../options.js";
import type { Picture } from "../types.js";
import { checkSize, withoutAlpha } from "./picture.js";

/** Photographs; libvips would also draw vector files, which may name other files. */
const FORMATS: readonly (string | undefined)[] = ["jpeg", "png", "webp", "gif", "tiff", "heif"];
const FORMAT_NAMES = "JPEG, PNG, WebP, GIF, TIFF and AVIF";

/** How messages call it. */
export function sourceName(source: ImageSource): string {
  if (typeof source === "string") return source;
  if (source instanceof URL) return source.protocol === "file:" ? fileURLToPath(source) : source.href;
  return `picture of ${source.length} bytes`;
}

/**
 * 8-bit sRGB, upright (EXIF), of the first frame: grey becomes three channels, CMYK and embedded profiles are converted, 16 bits reduced,
 * what is transparent shows white. An image that decodes only with a warning counts as damaged.
 *
 * @throws E_FILE; E_FORMAT when it is empty, damaged or no image; E_DATA when it has more pixels than `maxPixels`, before it is decoded;
 *   E_USAGE for another kind of source
 */
export async function readImage(source: ImageSource, maxPixels: number): Promise<Picture> {
  const bytes = await readBytes(source);
  const name = sourceName(source);
  if (bytes.length === 0) throw new TopofrError("E_FORMAT", `${name}: 0 bytes; not an image`);
  const { default: sharp } = await import("sharp");
  const image = sharp(bytes, { failOn: "warning", limitInputPixels: false, sequentialRead: true });
  const { format, width, height } = await image.metadata().catch((cause) => {
    throw new TopofrError(
      "E_FORMAT",
      `${name}: not an image, damaged, or of another format than ${FORMAT_NAMES} (${oneLine(cause)})`,
      { cause },
    );
  });
  if (!FORMATS.includes(format))
    throw new TopofrError("E_FORMAT", `${name}: is ${format}; pictures are read from ${FORMAT_NAMES}`);
  checkSize(name, width, height, maxPixels);
  const { data, info } = await image
    .autoOrient()
    .toColourspace("srgb")
    .raw({ depth: "uchar" })
    .toBuffer({ resolveWithObject: true })
    .catch((cause) => {
      throw new TopofrError("E_FORMAT", `${name}: damaged image (${oneLine(cause)})`, { cause });
    });
  return { width: info.width, height: info.height, pixels: info.channels === 4 ? withoutAlpha(data) : data };
}

async function readBytes(source: ImageSource): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return source;
  const isFile = typeof source === "string" || (source instanceof URL && source.protocol === "file:");
  if (!isFile)
    throw new TopofrError(
      "E_USAGE",
      `${source instanceof URL ? source.href : typeof source}: a picture is a path, a file: URL, the bytes of an image file, or ` +
        "{ width, height, pixels }",
    );
  return readFile(source).catch((error) => {
    throw fileError(sourceName(source), "read the picture", error);
  });
}
