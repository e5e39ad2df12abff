// Encoded bytes of an image in a wanted size: the bytes themselves when they have it, so that packing loses nothing.
import { fileError, printable, TopofrError } from "@topofr/formats";
import sharp from "sharp";
import { type ImageHeader, readImageHeader } from "../imageHeader.js";
import { type ImageSource, sourceName } from "../imageSource.js";
import { readImage } from "../readImage.js";

const JPEG_QUALITY = 95; // as MS1MV2 and Glint360K are stored

export interface FittedImage extends ImageHeader {
  bytes: Uint8Array;
  /** The image was scaled and cropped, and encoded again. */
  encodedAgain: boolean;
}

/**
 * @param size height and width in pixels; null: as it is. Other images are scaled and cropped around their centre; a JPEG becomes a
 *   JPEG of quality 95, the rest PNG
 * @throws E_DATA naming the image, when it is none; E_FILE, E_FORMAT when it cannot be read
 */
export async function fitImage(source: ImageSource, size: number | null): Promise<FittedImage> {
  const bytes = readBytes(source);
  const header = readImageHeader(bytes) ?? (await readBySharp(source, bytes));
  if (size === null || (header.width === size && header.height === size))
    return { ...header, bytes, encodedAgain: false };
  const format = header.format === "jpg" ? "jpg" : "png";
  try {
    const image = sharp(bytes, { failOn: "warning" })
      .autoOrient()
      .resize(size, size, { fit: "cover", position: "centre" });
    const encoded = format === "jpg" ? image.jpeg({ quality: JPEG_QUALITY }) : image.png();
    return { bytes: await encoded.toBuffer(), format, width: size, height: size, encodedAgain: true };
  } catch (error) {
    throw unreadable(source, error);
  }
}

function readBytes(source: ImageSource): Uint8Array {
  try {
    return readImage(source);
  } catch (error) {
    throw error instanceof TopofrError ? error : fileError(sourceName(source), "read the image", error);
  }
}

/** Headers that are not plainly built. */
async function readBySharp(source: ImageSource, bytes: Uint8Array): Promise<ImageHeader> {
  try {
    const { format, width, height } = await sharp(bytes).metadata();
    if (format === "jpeg") return { format: "jpg", width, height };
    if (format === "png" || format === "webp") return { format, width, height };
    throw new Error(`a ${format} image, expected JPEG, PNG or WebP`);
  } catch (error) {
    throw unreadable(source, error);
  }
}

function unreadable(source: ImageSource, cause: unknown): TopofrError {
  const reason = printable(String(cause instanceof Error ? cause.message : cause).trim());
  return new TopofrError("E_DATA", `${sourceName(source)}: cannot be read as an image (${reason})`, {
    cause,
  });
}
