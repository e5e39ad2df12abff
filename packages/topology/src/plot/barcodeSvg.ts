// The barcode as an SVG picture, for a page.

import type { PersistenceDiagram } from "../diagram.js";
import { finiteBars } from "../summaries/bars.js";
import { colorOf, degreeEntries } from "./diagramSvg.js";
import { horizontalAxis, legend, MARGIN, pixels, position, svg, text } from "./frame.js";

export interface BarcodeSvgOptions {
  /** Pixels; 420 each unless given. */
  readonly width?: number;
  readonly height?: number;
}

/** Bars of one degree that are drawn, the longest; thinner ones would be below a pixel. */
const BARS_DRAWN = 120;

const BAND_GAP = 10;
const THICKEST = 7;

/**
 * A bar from birth to death for each class, degrees below each other, by birth; classes that never die run to an
 * arrow at the right. Of more than 120 bars in a degree the longest are drawn, and the legend counts all.
 *
 * @returns an SVG document; the same input gives the same text.
 * @throws TopologyError `E_DIAGRAM` for points that are none.
 */
export function barcodeSvg(
  diagrams: readonly PersistenceDiagram[],
  { width = 420, height = 420 }: BarcodeSvgOptions = {},
): string {
  const bands = diagrams.map((diagram) => ({ dimension: diagram.dimension, bars: longestBars(diagram) }));
  const ends = bands.flatMap(({ bars }) => bars.flat()).filter(Number.isFinite);
  const low = ends.reduce((least, value) => Math.min(least, value), Math.min(0, ends[0] ?? 0));
  const most = ends.reduce((greatest, value) => Math.max(greatest, value), low);
  const high = (most > low ? most : low + 1) + (most - low) * 0.06;
  const [right, base] = [width - MARGIN.right, height - MARGIN.bottom];
  const left = MARGIN.left - 20;
  const x = { low, high, from: left, to: right };

  const drawn = bands.filter(({ bars }) => bars.length > 0);
  const count = drawn.reduce((sum, { bars }) => sum + bars.length, 0);
  const room = base - MARGIN.top - BAND_GAP * drawn.length;
  const step = Math.min(THICKEST * 1.4, room / Math.max(1, count));
  let y = MARGIN.top + BAND_GAP / 2;
  const marks = drawn.map(({ dimension, bars }) => {
    const middle = y + (step * bars.length) / 2 + 4;
    const lines = bars.map(([birth, death]) => {
      const [from, to] = [position(x, birth), death === Infinity ? pixels(right) : position(x, death)];
      const [center, thickness] = [y + step / 2, Math.max(0.6, step * 0.7)];
      y += step;
      const bar = `<path d="M${from},${pixels(center)}H${to}" stroke="${colorOf(dimension)}" stroke-width="${pixels(thickness)}"/>`;
      if (death !== Infinity) return bar;
      return `${bar}<path d="M${pixels(right)},${pixels(center - 4)}l6,4l-6,4z" fill="${colorOf(dimension)}"/>`;
    });
    y += BAND_GAP;
    return (
      lines.join("") +
      text(left - 8, pixels(middle), `H${dimension}`, { anchor: "end", color: colorOf(dimension) })
    );
  });
  const content =
    horizontalAxis(x, base, MARGIN.top, "scale") + marks.join("") + legend(degreeEntries(diagrams), right);
  return svg(width, height, "Barcode", content);
}

/** The longest bars, by birth and death. */
function longestBars(diagram: PersistenceDiagram): [birth: number, death: number][] {
  finiteBars(diagram); // refuses points that are none
  return [...diagram.births.keys()]
    .map((k): [number, number] => [diagram.births[k]!, diagram.deaths[k]!])
    .sort(([birthA, deathA], [birthB, deathB]) => deathB - birthB - (deathA - birthA) || birthA - birthB)
    .slice(0, BARS_DRAWN)
    .sort(([birthA, deathA], [birthB, deathB]) => birthA - birthB || compare(deathA, deathB));
}

/** Also of infinities, whose difference is NaN. */
function compare(a: number, b: number): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
