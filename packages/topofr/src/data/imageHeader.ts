// Format and size of an encoded image, from its first bytes. Decodes nothing: decodeImage.ts does.
// Sources: ITU-T T.81 (jpegHeader.ts), PNG specification (IHDR), WebP container specification.
import { readJpegHeader } from "./jpegHeader.js";

export interface ImageHeader {
  format: "jpg" | "png" | "webp";
  /** Pixels as stored; an EXIF rotation is not applied. */
  width: number;
  height: number;
}

const PNG_SIGNATURE = Buffer.from("89504e470d0a1a0a", "hex");

/** Null when the bytes are not the beginning of a JPEG, PNG or WebP image. Any bytes may be given. */
export function readImageHeader(bytes: Uint8Array): ImageHeader | null {
  const jpeg = readJpegHeader(bytes);
  if (jpeg) return { format: "jpg", width: jpeg.width, height: jpeg.height };
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 32));
  if (buffer.length >= 24 && buffer.subarray(0, 8).equals(PNG_SIGNATURE))
    return { format: "png", width: buffer.readUInt32BE(16), height: buffer.readUInt32BE(20) };
  const isWebp = buffer.toString("latin1", 0, 4) === "RIFF" && buffer.toString("latin1", 8, 12) === "WEBP";
  return isWebp && buffer.length >= 30 ? webpHeader(buffer) : null;
}

/** @param buffer at least 30 bytes */
function webpHeader(buffer: Buffer): ImageHeader | null {
  switch (buffer.toString("latin1", 12, 16)) {
    case "VP8 ": // lossy: a key frame's start code, then two 14-bit sizes
      if (buffer.readUIntBE(23, 3) !== 0x9d012a) return null;
      return {
        format: "webp",
        width: buffer.readUInt16LE(26) & 0x3fff,
        height: buffer.readUInt16LE(28) & 0x3fff,
      };
    case "VP8L": {
      if (buffer[20] !== 0x2f) return null;
      const bits = buffer.readUInt32LE(21);
      return { format: "webp", width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
    }
    case "VP8X":
      return { format: "webp", width: buffer.readUIntLE(24, 3) + 1, height: buffer.readUIntLE(27, 3) + 1 };
    default:
      return null;
  }
}
