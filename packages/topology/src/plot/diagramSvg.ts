// The persistence diagram as an SVG picture, for a page.

import type { PersistenceDiagram } from "../diagram.js";
import { finiteBars } from "../summaries/bars.js";
import {
  DEGREE_COLORS,
  FRAME,
  horizontalAxis,
  legend,
  MARGIN,
  pixels,
  position,
  svg,
  text,
  verticalAxis,
} from "./frame.js";

export interface DiagramSvgOptions {
  /** Pixels; 420 each unless given. */
  readonly width?: number;
  readonly height?: number;
  /** Shades the points that lie within so much of the diagonal (L-infinity): the 2r of landmarks. */
  readonly uncertainty?: number;
}

/** Points that cover each other to half a pixel are drawn once. */
const CELL = 0.5;

/**
 * Points (birth, death), a colour for each degree; classes that never die on a line at the top.
 *
 * @returns an SVG document; the same input gives the same text.
 * @throws TopologyError `E_DIAGRAM` for points that are none.
 */
export function diagramSvg(
  diagrams: readonly PersistenceDiagram[],
  { width = 420, height = 420, uncertainty = 0 }: DiagramSvgOptions = {},
): string {
  const bars = diagrams.map((diagram) => ({ diagram, ...finiteBars(diagram) }));
  const scales = diagrams.flatMap(({ births, deaths }) => [...births, ...deaths]).filter(Number.isFinite);
  const low = scales.reduce((least, value) => Math.min(least, value), Math.min(0, scales[0] ?? 0));
  const most = scales.reduce((greatest, value) => Math.max(greatest, value), low);
  const high = most > low ? most : low + 1;
  const never = high + (high - low) * 0.09;
  const top = high + (high - low) * 0.16;
  const left = low - (high - low) * 0.04;
  const [right, base] = [width - MARGIN.right, height - MARGIN.bottom];
  const x = { low: left, high: top, from: MARGIN.left, to: right };
  const y = { low: left, high: top, from: base, to: MARGIN.top };

  const seen = new Set<string>();
  const dots = bars.flatMap(({ diagram, births, deaths, essentialCount }) => {
    const color = colorOf(diagram.dimension);
    const points = [...births.keys()].map((k) => {
      const at = [position(x, births[k]!), position(y, deaths[k]!)] as const;
      return { key: at.map((value) => Math.round(Number(value) / CELL)).join(), at, open: false };
    });
    if (essentialCount > 0) {
      diagram.births.forEach((birth, k) => {
        if (diagram.deaths[k] !== Infinity) return;
        const at = [position(x, birth), position(y, never)] as const;
        points.push({ key: at.map((value) => Math.round(Number(value) / CELL)).join(), at, open: true });
      });
    }
    return points
      .filter(
        ({ key }) => !seen.has(`${diagram.dimension}:${key}`) && seen.add(`${diagram.dimension}:${key}`),
      )
      .map(({ at: [cx, cy], open }) =>
        open
          ? `<circle cx="${cx}" cy="${cy}" r="4" fill="#ffffff" stroke="${color}" stroke-width="1.8"/>`
          : `<circle cx="${cx}" cy="${cy}" r="2.8" fill="${color}" fill-opacity="0.55"/>`,
      );
  });

  // In L-infinity the points within e of the diagonal are those with death - birth <= 2 e.
  const lift = Math.min(2 * uncertainty, top - left);
  const shade =
    uncertainty > 0
      ? `<path d="M${position(x, left)},${position(y, left)}L${position(x, left)},${position(y, left + lift)}` +
        `L${position(x, top - lift)},${position(y, top)}L${position(x, top)},${position(y, top)}Z" fill="#f0e6d8"/>`
      : "";
  const content =
    shade +
    verticalAxis(y, MARGIN.left, right, "death") +
    horizontalAxis(x, base, MARGIN.top, "birth") +
    `<path d="M${position(x, left)},${position(y, left)}L${position(x, top)},${position(y, top)}" stroke="${FRAME}" stroke-dasharray="4 3"/>` +
    `<path d="M${MARGIN.left},${position(y, never)}H${pixels(right)}" stroke="${FRAME}" stroke-dasharray="1 3"/>` +
    text(right - 2, Number(position(y, never)) - 6, "never dies", { anchor: "end" }) +
    dots.join("") +
    legend(degreeEntries(diagrams), right);
  return svg(width, height, "Persistence diagram", content);
}

export function colorOf(dimension: number): string {
  return DEGREE_COLORS[dimension % DEGREE_COLORS.length]!;
}

/** `H1 (12)` for twelve points in degree 1. */
export function degreeEntries(diagrams: readonly PersistenceDiagram[]): { name: string; color: string }[] {
  return diagrams.map(({ dimension, births }) => ({
    name: `H${dimension} (${births.length})`,
    color: colorOf(dimension),
  }));
}
