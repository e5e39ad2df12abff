// An aligned face made smaller, for networks that take less than 112x112. Other changes of size are a matter of `resize` (decodeImage.ts).

/** Height and width of an aligned face, in pixels: the size that the ArcFace template is given for. */
export const ALIGNED_SIZE = 112;

interface Tap {
  /** First of the input pixels under an output pixel. */
  start: number;
  /** What share of the output pixel each of them covers; together 1. */
  weights: number[];
}

const tapsOf = new Map<string, Tap[]>();

/**
 * Mean over the area that each new pixel covers, by width and height on their own, rounded; the template shrinks alike.
 *
 * @param pixels [from, from, 3]
 * @param to at most `from`
 * @returns [to, to, 3]
 */
export function shrinkImage(pixels: Uint8Array, from: number, to: number): Uint8Array {
  const key = `${from} ${to}`;
  const taps = tapsOf.get(key) ?? areaTaps(from, to);
  tapsOf.set(key, taps);
  const rows = new Float32Array(from * to * 3);
  for (let y = 0, out = 0; y < from; y++) {
    for (const { start, weights } of taps) {
      let at = (y * from + start) * 3;
      let [red, green, blue] = [0, 0, 0];
      for (const weight of weights) {
        red += weight * pixels[at]!;
        green += weight * pixels[at + 1]!;
        blue += weight * pixels[at + 2]!;
        at += 3;
      }
      rows[out++] = red;
      rows[out++] = green;
      rows[out++] = blue;
    }
  }
  const width = to * 3;
  const shrunk = new Uint8Array(to * width);
  taps.forEach(({ start, weights }, y) => {
    for (let x = 0; x < width; x++) {
      let sum = 0.5;
      for (let k = 0; k < weights.length; k++) sum += weights[k]! * rows[(start + k) * width + x]!;
      shrunk[y * width + x] = sum;
    }
  });
  return shrunk;
}

function areaTaps(from: number, to: number): Tap[] {
  const scale = from / to;
  return Array.from({ length: to }, (_, pixel) => {
    const [low, high] = [pixel * scale, (pixel + 1) * scale];
    const start = Math.floor(low);
    const end = Math.min(from, Math.ceil(high - 1e-9));
    const weights = Array.from(
      { length: end - start },
      (_, k) => (Math.min(high, start + k + 1) - Math.max(low, start + k)) / scale,
    );
    return { start, weights };
  });
}
