// Size and channels of a PNG, from its first 26 bytes. Not a decoder. Source: PNG specification, IHDR.

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const CHANNELS_OF_COLOR_TYPE: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 3, 4: 2, 6: 4 }; // 3: palette of RGB

/** Null when the bytes are not the beginning of a PNG. */
export function pngHeader(png: Uint8Array): { width: number; height: number; channels: number } | null {
  if (png.length < 26 || !SIGNATURE.every((byte, i) => png[i] === byte)) return null;
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  const channels = CHANNELS_OF_COLOR_TYPE[view.getUint8(25)];
  return channels === undefined ? null : { width: view.getUint32(16), height: view.getUint32(20), channels };
}
