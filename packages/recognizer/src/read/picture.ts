// What every source of pictures shares: the words for what is wrong with one, and RGB from RGBA.
import { TopofrError } from "@topofr/formats/error";
import type { Picture } from "../types.js";

const WHITE = 255;

/** @throws E_USAGE when the numbers of a picture made by the caller do not fit together */
export function checkPicture(picture: Picture): Picture {
  const { width, height, pixels } = picture;
  const right = [width, height].every((side) => Number.isInteger(side) && side > 0);
  if (right && pixels.length === width * height * 3) return picture;
  throw new TopofrError(
    "E_USAGE",
    `a picture of ${width}x${height} has ${pixels.length} bytes; expected whole sides and [height, width, 3]`,
  );
}

export function isPicture(image: unknown): image is Picture {
  if (typeof image !== "object" || image === null || !("pixels" in image)) return false;
  return image.pixels instanceof Uint8Array && "width" in image && "height" in image;
}

/** @throws E_DATA for more pixels than the limit */
export function checkSize(name: string, width: number, height: number, maxPixels: number): void {
  if (width * height <= maxPixels) return;
  const millions = (pixels: number) => `${Number((pixels / 1e6).toPrecision(3))} million`;
  throw new TopofrError(
    "E_DATA",
    `${name}: ${width}x${height} are ${millions(width * height)} pixels; the limit is ${millions(maxPixels)}. ` +
      "Scale it down, or raise maxPixels",
  );
}

/** [pixels, 3] of [pixels, 4]; what is transparent shows white. */
export function withoutAlpha(rgba: Uint8Array | Uint8ClampedArray): Uint8Array {
  const rgb = new Uint8Array((rgba.length / 4) * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4, to += 3) {
    const alpha = rgba[from + 3]!;
    for (let channel = 0; channel < 3; channel++) {
      const value = rgba[from + channel]!;
      rgb[to + channel] = alpha === 255 ? value : Math.round((value * alpha + WHITE * (255 - alpha)) / 255);
    }
  }
  return rgb;
}
