// SVG to PNG. The fonts are given as files: without them the renderer leaves all text out and says nothing.

import { createRequire } from "node:module";
import { Resvg } from "@resvg/resvg-js";
import { TopofrError } from "@topofr/formats";

const locate = createRequire(import.meta.url);
const FONT_FILES = ["DejaVuSans.ttf", "DejaVuSans-Bold.ttf"].map((file) =>
  locate.resolve(`dejavu-fonts-ttf/ttf/${file}`),
);

/**
 * A PNG of the figure.
 *
 * @param options.scale pixels of the picture for one of the SVG; 2 unless given, which is sharp on most screens.
 * @throws TopofrError `E_USAGE` when `svg` is no SVG document.
 */
export function rasterize(svg: string, { scale = 2 }: { scale?: number } = {}): Uint8Array {
  if (!(scale > 0 && scale <= 16))
    throw new TopofrError("E_USAGE", `scale is ${scale}; 0 < scale <= 16 expected`);
  try {
    const image = new Resvg(svg, {
      fitTo: { mode: "zoom", value: scale },
      font: { loadSystemFonts: false, fontFiles: FONT_FILES, defaultFontFamily: "DejaVu Sans" },
    });
    return new Uint8Array(image.render().asPng());
  } catch (cause) {
    throw new TopofrError("E_USAGE", `not an SVG document that can be drawn: ${String(cause)}`, { cause });
  }
}
