// Puts titles, legend, panels and notes together into one SVG document. The panels themselves are drawn by
// Observable Plot on a server-side document; what it returns is unwrapped, so that a figure is a single flat SVG
// without style sheets or ids and can be inlined several times in one page.

import * as Plot from "@observablehq/plot";
import { TopofrError } from "@topofr/formats";
import { parseHTML } from "linkedom";
import { escapeMarkup, writable } from "./escape.js";
import {
  BACKGROUND,
  FIGURE_WIDTH,
  FONT_FAMILY,
  GRID,
  HEADING_SIZE,
  INK,
  LABEL_SIZE,
  MUTED_INK,
  NOTE_SIZE,
  SHADE,
  TICK_SIZE,
  TITLE_SIZE,
  textWidth,
} from "./theme.js";

/** SVG markup of one set of axes, `width` x `height` pixels. */
export interface Panel {
  readonly markup: string;
  readonly width: number;
  readonly height: number;
  /** A line above the axes. */
  readonly heading?: string;
  /** Its own legend, on the heading's line at the right. */
  readonly legend?: readonly LegendEntry[];
}

export interface LegendEntry {
  readonly name: string;
  readonly color: string;
  readonly mark: "line" | "dot" | "area";
  readonly dash?: string;
}

export interface Figure {
  readonly title: string;
  readonly subtitle?: string;
  readonly legend?: readonly LegendEntry[];
  /** Row by row; a row that is wider than the figure is an error of the caller. */
  readonly rows: readonly (readonly Panel[])[];
  /** Lines below the panels: what was left out, how to read the figure. */
  readonly notes?: readonly string[];
}

const MARGIN = 20;
export const COLUMN_GAP = 24;
const ROW_GAP = 18;

/** Margins inside a panel, for the vertical axis and for the last tick's label. */
export const PANEL_LEFT = 54;
export const PANEL_RIGHT = 14;

/** Width left for panels between a figure's margins. */
export const CONTENT_WIDTH = FIGURE_WIDTH - 2 * MARGIN;

/** Width of one of `columns` panels side by side. */
export const columnWidth = (columns: number): number =>
  Math.floor((CONTENT_WIDTH - (columns - 1) * COLUMN_GAP) / columns);

/** The whole figure as SVG text. The same input gives the same bytes. */
export function composeFigure({ title, subtitle, legend = [], rows, notes = [] }: Figure): string {
  const parts: string[] = [];
  let y = MARGIN;
  const addLines = (text: string, size: number, color: string, weight = "normal") => {
    for (const line of wrap(text, size, weight === "bold")) {
      y += Math.ceil(size * 1.3);
      parts.push(textAt(MARGIN, y - Math.ceil(size * 0.3), line, size, color, weight));
    }
  };
  addLines(title, TITLE_SIZE, INK, "bold");
  if (subtitle !== undefined) {
    y += 2;
    addLines(subtitle, LABEL_SIZE, MUTED_INK);
  }
  if (legend.length > 0) {
    y += 10;
    const drawn = layLegend(legend, { left: MARGIN, top: y, width: CONTENT_WIDTH });
    parts.push(drawn.markup);
    y += drawn.height;
  }
  y += 12;
  for (const row of rows) {
    let x = MARGIN;
    const headed = row.some(({ heading }) => heading !== undefined);
    const top = y + (headed ? HEADING_SIZE + 8 : 0);
    for (const { markup, width, heading, legend: own = [] } of row) {
      if (heading !== undefined) parts.push(textAt(x, y + HEADING_SIZE, heading, HEADING_SIZE, INK, "bold"));
      if (own.length > 0)
        parts.push(
          layLegend(own, { left: x + width - PANEL_RIGHT - legendWidth(own), top: y, width }).markup,
        );
      parts.push(`<g transform="translate(${x},${top})">${markup}</g>`);
      x += width + COLUMN_GAP;
    }
    y = top + Math.max(0, ...row.map(({ height }) => height)) + ROW_GAP;
  }
  y -= rows.length > 0 ? ROW_GAP : 0;
  if (notes.length > 0) y += 12;
  for (const note of notes) addLines(note, NOTE_SIZE, MUTED_INK);
  const height = y + MARGIN;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${FIGURE_WIDTH} ${height}" width="${FIGURE_WIDTH}" ` +
    `height="${height}" role="img" aria-label="${escapeMarkup(title)}" font-family="${FONT_FAMILY}" fill="${INK}">` +
    `<rect width="${FIGURE_WIDTH}" height="${height}" fill="${BACKGROUND}"/>${parts.join("")}</svg>\n`
  );
}

/** What a panel needs beside its marks; sizes in pixels, margins as Observable Plot has them. */
export type PanelOptions = Plot.PlotOptions & { width: number; height: number };

/** Draws one panel with the house style for text. */
export function drawPanel(options: PanelOptions): Panel {
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const drawn = Plot.plot({
    marginTop: 26,
    marginRight: PANEL_RIGHT,
    marginBottom: 42,
    marginLeft: PANEL_LEFT,
    ...options,
    document,
  });
  if (drawn.tagName.toLowerCase() !== "svg") {
    throw new TopofrError("E_USAGE", "a panel must be plain SVG: give titles and legends to the figure");
  }
  for (const style of drawn.querySelectorAll("style")) style.remove();
  const markup =
    `<g font-size="${TICK_SIZE}" text-anchor="middle" fill="${INK}" color="${INK}">` +
    `${writable(roundCoordinates(drawn.innerHTML))}</g>`;
  return { markup, width: options.width, height: options.height };
}

/** A panel that says why there is nothing to see. */
export function emptyPanel(width: number, height: number, message: string): Panel {
  const markup =
    `<rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="4" fill="${SHADE}" stroke="${GRID}"/>` +
    `<text x="${width / 2}" y="${height / 2 + 4}" text-anchor="middle" font-size="${LABEL_SIZE}" ` +
    `fill="${MUTED_INK}">${escapeMarkup(message)}</text>`;
  return { markup, width, height };
}

/** Two decimals are a hundredth of a pixel; floating-point tails would only differ between platforms. */
function roundCoordinates(markup: string): string {
  return markup.replace(/<[^>]+>/g, (tag) =>
    tag.replace(/-?\d+\.\d{3,}(?:e-?\d+)?/g, (number) => String(Math.round(Number(number) * 100) / 100)),
  );
}

function textAt(x: number, y: number, text: string, size: number, color: string, weight = "normal"): string {
  const bold = weight === "normal" ? "" : ` font-weight="${weight}"`;
  return `<text x="${x}" y="${y}" font-size="${size}" fill="${color}"${bold}>${escapeMarkup(text)}</text>`;
}

const SWATCH_WIDTH = 26;

const entryWidth = ({ name }: LegendEntry): number => SWATCH_WIDTH + 6 + textWidth(name, LABEL_SIZE);

const legendWidth = (entries: readonly LegendEntry[]): number =>
  Math.round(entries.reduce((sum, entry) => sum + entryWidth(entry), (entries.length - 1) * 18));

/** Entries side by side, in as many lines as `width` needs. */
function layLegend(
  entries: readonly LegendEntry[],
  { left, top, width }: { left: number; top: number; width: number },
): { markup: string; height: number } {
  const lineHeight = 19;
  let [x, line] = [left, 0];
  const parts = entries.map((entry) => {
    if (x > left && x + entryWidth(entry) > left + width) {
      x = left;
      line += 1;
    }
    const drawn = legendEntry(entry, Math.round(x), top + line * lineHeight + 9);
    x += entryWidth(entry) + 18;
    return drawn;
  });
  return { markup: parts.join(""), height: (line + 1) * lineHeight };
}

function legendEntry({ name, color, mark, dash = "none" }: LegendEntry, x: number, middle: number): string {
  const symbol = {
    line: `<path d="M${x},${middle}h${SWATCH_WIDTH}" stroke="${color}" stroke-width="2.5" stroke-dasharray="${dash}"/>`,
    dot: `<circle cx="${x + SWATCH_WIDTH / 2}" cy="${middle}" r="4.5" fill="${color}"/>`,
    area: `<rect x="${x + 6}" y="${middle - 6}" width="14" height="12" fill="${color}" fill-opacity="0.4" stroke="${color}"/>`,
  }[mark];
  return symbol + textAt(x + SWATCH_WIDTH + 6, middle + 4, name, LABEL_SIZE, INK);
}

/** Breaks text at spaces so that each line fits between the margins. */
function wrap(text: string, size: number, bold: boolean): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/)) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line !== "" && textWidth(longer, size, bold) > CONTENT_WIDTH) {
      lines.push(line);
      line = word;
    } else {
      line = longer;
    }
  }
  lines.push(line);
  return lines;
}
