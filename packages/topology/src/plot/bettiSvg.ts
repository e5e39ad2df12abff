// Betti curves as an SVG picture, for a page.

import type { PersistenceDiagram } from "../diagram.js";
import { finiteBars } from "../summaries/bars.js";
import { bettiCurve } from "../summaries/bettiCurve.js";
import { colorOf, degreeEntries } from "./diagramSvg.js";
import { FRAME, horizontalAxis, legend, MARGIN, pixels, position, svg, verticalAxis } from "./frame.js";

export interface BettiSvgOptions {
  /** Pixels; 420 each unless given. */
  readonly width?: number;
  readonly height?: number;
}

/**
 * How many classes of each degree are alive at each scale, as a line of steps.
 *
 * @returns an SVG document; the same input gives the same text.
 * @throws TopologyError `E_DIAGRAM` for points that are none.
 */
export function bettiSvg(
  diagrams: readonly PersistenceDiagram[],
  { width = 420, height = 420 }: BettiSvgOptions = {},
): string {
  for (const diagram of diagrams) finiteBars(diagram); // refuses points that are none
  const ends = diagrams.flatMap(({ births, deaths }) => [...births, ...deaths]).filter(Number.isFinite);
  const low = ends.reduce((least, value) => Math.min(least, value), 0);
  const most = ends.reduce((greatest, value) => Math.max(greatest, value), low);
  const high = (most > low ? most : low + 1) + (most - low) * 0.06;
  const [right, base] = [width - MARGIN.right, height - MARGIN.bottom];
  const x = { low, high, from: MARGIN.left, to: right };

  // A scale for each pixel: between two of them no step could be seen.
  const columns = right - MARGIN.left;
  const scales = Float64Array.from({ length: columns + 1 }, (_, k) => low + ((high - low) * k) / columns);
  const curves = diagrams.map((diagram) => ({
    dimension: diagram.dimension,
    alive: bettiCurve(diagram, scales),
  }));
  const largest = curves.reduce((most, { alive }) => alive.reduce((a, b) => Math.max(a, b), most), 1);
  const y = { low: 0, high: largest * 1.05, from: base, to: MARGIN.top };
  const lines = curves.map(({ dimension, alive }) => {
    const steps = [...alive.keys()]
      .filter((k) => k === 0 || k === columns || alive[k] !== alive[k - 1])
      .map((k) => `H${pixels(MARGIN.left + k)}V${position(y, alive[k]!)}`);
    const start = `M${MARGIN.left},${position(y, alive[0]!)}`;
    return `<path d="${start}${steps.join("")}" fill="none" stroke="${colorOf(dimension)}" stroke-width="1.6"/>`;
  });
  const content =
    verticalAxis(y, MARGIN.left, right, "classes alive") +
    horizontalAxis(x, base, MARGIN.top, "scale") +
    `<path d="M${MARGIN.left},${MARGIN.top}V${base}" stroke="${FRAME}"/>` +
    lines.join("") +
    legend(degreeEntries(diagrams), right);
  return svg(width, height, "Betti curves", content);
}
