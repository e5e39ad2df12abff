// What a JPEG's header says, as far as it decides who decodes it. Source: ITU-T T.81, annex B.

export interface JpegHeader {
  width: number;
  height: number;
  /** 1 grey, 3 YCbCr or RGB, 4 CMYK. */
  components: number;
  /** Carries EXIF data (perhaps a rotation) or a colour profile. */
  annotated: boolean;
}

const START_OF_IMAGE = 0xffd8;
const APP1 = 0xffe1;
const APP2 = 0xffe2;

/** Frame headers: 0xffc0 to 0xffcf but for the Huffman table, the reserved JPG, and the arithmetic conditioning. */
const NOT_A_FRAME = new Set([0xffc4, 0xffc8, 0xffcc]);

/** The header up to the frame; null for anything that is not a plainly built JPEG. */
export function readJpegHeader(bytes: Uint8Array): JpegHeader | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 4 || view.getUint16(0) !== START_OF_IMAGE) return null;
  let annotated = false;
  for (let at = 2; at + 10 <= bytes.length; at += 2 + view.getUint16(at + 2)) {
    const marker = view.getUint16(at);
    if (marker < 0xffc0 || marker === 0xffff) return null;
    if (marker === APP1 || marker === APP2) annotated = true;
    if (marker > 0xffcf || NOT_A_FRAME.has(marker)) continue;
    return {
      height: view.getUint16(at + 5),
      width: view.getUint16(at + 7),
      components: bytes[at + 9]!,
      annotated,
    };
  }
  return null;
}
