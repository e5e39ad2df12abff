// One look for every figure: colours, sizes, fonts. Always a light background, so that a figure reads the same in
// a paper, in a report at night and on a projector. No drawing here.

/**
 * Series colours in order of use: after Okabe and Ito (told apart with any colour vision), the pale ones darkened
 * to a contrast of at least 3:1 on white.
 */
export const SERIES_COLORS = ["#0072b2", "#d55e00", "#00805c", "#a8468f", "#8c6d00", "#4b4f54"] as const;

/** Dash patterns in order of use, so that lines also differ without colour. Solid first. */
export const SERIES_DASHES = ["none", "7 3", "2 3", "9 3 2 3", "12 4", "4 2"] as const;

export const INK = "#1f2328"; // titles and labels
export const MUTED_INK = "#59636e"; // ticks and notes; 5.9:1 on white
export const GRID = "#e4e7eb";
export const FRAME = "#9aa4af";
export const SHADE = "#f2f4f6"; // regions without meaning
export const BACKGROUND = "#ffffff";

/** DejaVu is what rasterises; a browser shows its own sans-serif face, which is narrower. */
export const FONT_FAMILY = "'Helvetica Neue', Helvetica, Arial, 'DejaVu Sans', sans-serif";

export const TITLE_SIZE = 17;
export const HEADING_SIZE = 13;
export const LABEL_SIZE = 12;
export const TICK_SIZE = 11;
export const NOTE_SIZE = 11;

/** Width of a figure in pixels; it scales from there. */
export const FIGURE_WIDTH = 760;

/** Colour and dash of series `index`: past the sixth the colours come again with other dashes, past the 36th both. */
export function seriesStyle(index: number): { color: string; dash: string } {
  return {
    color: SERIES_COLORS[index % SERIES_COLORS.length]!,
    dash: SERIES_DASHES[(index + Math.floor(index / SERIES_COLORS.length)) % SERIES_DASHES.length]!,
  };
}

/** Advance widths of DejaVu Sans in thousandths of the font size; a browser's face is narrower. */
const NARROW = 318; // i j l I . , : ; ' ! | space
const SLIM = 400; // t f r ( ) [ ] - and the like
const WIDE = 900; // m w M W @ %
const USUAL = 625;

/** Width of a line of text in pixels, to within a few percent; bold is a tenth wider. */
export function textWidth(text: string, fontSize: number, bold = false): number {
  let thousandths = 0;
  for (const character of text) {
    if (/[ijlI.,:;'!|\s]/.test(character)) thousandths += NARROW;
    else if (/[tfr()[\]{}"\-/]/.test(character)) thousandths += SLIM;
    else if (/[mwMW@%]/.test(character)) thousandths += WIDE;
    else thousandths += USUAL;
  }
  return (thousandths * fontSize * (bold ? 1.1 : 1)) / 1000;
}
