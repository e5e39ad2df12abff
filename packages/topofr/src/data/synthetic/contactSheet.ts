// Many small pictures on one: to look at a data set, or at the samples that a run found hardest.
import { createRequire } from "node:module";
import { Resvg } from "@resvg/resvg-js";
import { TopofrError } from "@topofr/formats";
import sharp from "sharp";

export interface SheetImage {
  pixels: Uint8Array; // RGB, [size, size, 3]
  caption?: string;
  accent?: "easy" | "hard";
}

const GAP = 4; // pixels
const CAPTION_HEIGHT = 15;
const BACKGROUND = "#ffffff";
const TEXT = "#333333";
const ACCENTS = { easy: "#2a9d5c", hard: "#d1495b" };
const FONT = createRequire(import.meta.url).resolve("dejavu-fonts-ttf/ttf/DejaVuSans.ttf");

/**
 * A PNG with the images in rows of `columns`, each with its caption below and a frame in the colour of its accent
 * (green for easy, red for hard). `size` is the height and width of every image, in pixels.
 *
 * @throws E_USAGE when there is no image, or an image is not [size, size, 3]
 */
export async function contactSheet(
  images: readonly SheetImage[],
  { columns, size }: { columns: number; size: number },
): Promise<Uint8Array> {
  if (images.length === 0 || !Number.isSafeInteger(columns) || columns < 1) {
    throw new TopofrError("E_USAGE", `contact sheet: ${images.length} images in ${columns} columns`);
  }
  const captionHeight = images.some(({ caption }) => caption !== undefined) ? CAPTION_HEIGHT : 0;
  const across = Math.min(columns, images.length);
  const width = GAP + across * (size + GAP);
  const height = GAP + Math.ceil(images.length / columns) * (size + captionHeight + GAP);
  const canvas = Buffer.alloc(width * height * 3, 0xff);
  const marks: string[] = [];
  for (const [index, { pixels, caption, accent }] of images.entries()) {
    if (pixels.length !== size * size * 3) {
      throw new TopofrError(
        "E_USAGE",
        `contact sheet: image ${index} has ${pixels.length} bytes, expected ${size}x${size}x3 = ${size * size * 3}`,
      );
    }
    const left = GAP + (index % columns) * (size + GAP);
    const top = GAP + Math.floor(index / columns) * (size + captionHeight + GAP);
    for (let row = 0; row < size; row++) {
      canvas.set(pixels.subarray(row * size * 3, (row + 1) * size * 3), ((top + row) * width + left) * 3);
    }
    if (accent !== undefined) {
      const edge = size + 2;
      marks.push(
        `<rect x="${left - 1}" y="${top - 1}" width="${edge}" height="${edge}" fill="none" stroke="${ACCENTS[accent]}" stroke-width="2"/>`,
      );
    }
    if (caption !== undefined) {
      marks.push(
        `<text x="${left + size / 2}" y="${top + size + 11}">${escaped(fitted(caption, size))}</text>`,
      );
    }
  }
  const sheet = sharp(canvas, { raw: { width, height, channels: 3 } }).flatten({ background: BACKGROUND });
  if (marks.length > 0) sheet.composite([{ input: drawMarks(marks, width, height) }]);
  return new Uint8Array(await sheet.png().toBuffer());
}

/** Frames and captions as a transparent PNG. The font is given as a file: system fonts may be missing. */
function drawMarks(marks: string[], width: number, height: number): Buffer {
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="DejaVu Sans" ` +
    `font-size="10" text-anchor="middle"><g fill="${TEXT}">${marks.join("")}</g></svg>`;
  const font = { loadSystemFonts: false, fontFiles: [FONT], defaultFontFamily: "DejaVu Sans" };
  return new Resvg(svg, { font }).render().asPng();
}

/** The caption cut to what fits under an image; a letter takes about 6 pixels. */
function fitted(caption: string, size: number): string {
  const letters = Math.max(1, Math.floor(size / 6));
  return caption.length <= letters ? caption : `${caption.slice(0, letters - 1)}…`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
