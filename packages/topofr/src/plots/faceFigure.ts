// Pictures with what was found on them: boxes, five landmarks, the aligned faces, and words about each. Draws only; who is who and
// how alike is told.
import { escapeMarkup } from "./escape.js";
import { columnWidth, composeFigure, type Panel } from "./figure.js";
import {
  FRAME,
  HEADING_SIZE,
  INK,
  LABEL_SIZE,
  MUTED_INK,
  SERIES_COLORS,
  TICK_SIZE,
  textWidth,
} from "./theme.js";

export interface FoundFace {
  /** Pixels of the picture. */
  box: { x: number; y: number; width: number; height: number };
  /** x0, y0 … x4, y4, pixels of the picture. */
  landmarks: ArrayLike<number>;
  /** The aligned face, as a data: URI. */
  aligned: string;
  /** The first also stands at the box. */
  lines: readonly string[];
}

export interface DrawnPicture {
  name: string;
  /** As a data: URI. */
  image: string;
  /** Of the picture, in pixels. */
  width: number;
  height: number;
  faces: readonly FoundFace[];
}

interface Words {
  title: string;
  subtitle?: string;
  notes?: readonly string[];
}

const TALLEST = 420; // of a picture, in the figure's pixels
const TALLEST_OF_MANY = 280;
const CROP = 84;
const CROP_GAP = 10;
const MOST_CROPS = 12; // of one picture
const LARGE_CROP = 168;

/** Side of a picture in a figure, in pixels; more is not seen, at twice the scale. */
export const SHOWN_SIDE = 2 * TALLEST;

/** A row for each picture: the picture, and its faces beside it. */
export function facesFigure(pictures: readonly DrawnPicture[], words: Words): string {
  const width = columnWidth(2);
  return composeFigure({
    ...words,
    rows: pictures.map((picture) => [
      picturePanel(picture, width, pictures.length === 1 ? TALLEST : TALLEST_OF_MANY),
      cropsPanel(picture, width),
    ]),
  });
}

/** Two pictures side by side, and under them the faces that were compared. */
export function comparisonFigure(pair: readonly [DrawnPicture, DrawnPicture], words: Words): string {
  const width = columnWidth(2);
  return composeFigure({
    ...words,
    rows: [
      pair.map((picture) => picturePanel(picture, width, TALLEST)),
      pair.map(({ faces }) => largeCropPanel(faces[0]!, width)),
    ],
  });
}

/** The picture with boxes and landmarks, fitted into the column. */
function picturePanel(
  { name, image, width, height, faces }: DrawnPicture,
  columnWidth: number,
  tallest: number,
): Panel {
  const scale = Math.min(columnWidth / width, tallest / height);
  const [shownWidth, shownHeight] = [round(width * scale), round(height * scale)];
  const marks = faces.map((face, k) => faceMarks(face, scale, colorOf(k)));
  const shown = { width: shownWidth, height: shownHeight, scale };
  const markup =
    `<svg width="${shownWidth}" height="${shownHeight}">` + // cuts off what reaches beyond the picture
    `<image href="${image}" width="${shownWidth}" height="${shownHeight}" preserveAspectRatio="none"/>${marks.join("")}${labels(faces, shown)}</svg>`;
  return {
    markup,
    width: columnWidth,
    height: shownHeight,
    heading: shorten(name, columnWidth, HEADING_SIZE),
  };
}

function faceMarks({ box, landmarks }: FoundFace, scale: number, color: string): string {
  const [x, y] = [round(box.x * scale), round(box.y * scale)];
  const [boxWidth, boxHeight] = [round(box.width * scale), round(box.height * scale)];
  const points = Array.from({ length: landmarks.length / 2 }, (_, k) => {
    // A landmark at 0 is in the middle of the first pixel.
    const [px, py] = [round((landmarks[2 * k]! + 0.5) * scale), round((landmarks[2 * k + 1]! + 0.5) * scale)];
    return `<circle cx="${px}" cy="${py}" r="2.5" fill="${color}" stroke="#fff"/>`;
  });
  const outline = (stroke: string, strokeWidth: number) =>
    `<rect x="${x}" y="${y}" width="${boxWidth}" height="${boxHeight}" fill="none" stroke="${stroke}" stroke-width="${strokeWidth}"/>`;
  return `${outline("#fff", 4)}${outline(color, 2)}${points.join("")}`;
}

interface Label {
  x: number;
  y: number;
  width: number;
}

const LABEL_HEIGHT = TICK_SIZE + 6;

/** White on colour, above each box, or below or in it, where no other label is. */
function labels(
  faces: readonly FoundFace[],
  shown: { width: number; height: number; scale: number },
): string {
  const placed: Label[] = [];
  const isFree = ({ x, y, width }: Label): boolean =>
    y >= 0 &&
    y + LABEL_HEIGHT <= shown.height &&
    placed.every(
      (other) => Math.abs(y - other.y) >= LABEL_HEIGHT || x >= other.x + other.width || other.x >= x + width,
    );
  const drawn = faces.map(({ box, lines }, k) => {
    const text = shorten(lines[0] ?? "", shown.width - 8, TICK_SIZE);
    if (text === "") return "";
    const width = round(textWidth(text, TICK_SIZE) + 8);
    const x = round(Math.max(0, Math.min(box.x * shown.scale - 1, shown.width - width)));
    const [top, bottom] = [box.y * shown.scale, (box.y + box.height) * shown.scale];
    const places = [top - LABEL_HEIGHT, bottom, top, bottom - LABEL_HEIGHT].map((y) => ({
      x,
      y: round(y),
      width,
    }));
    const label = places.find(isFree) ?? { x, y: round(Math.max(0, top)), width };
    placed.push(label);
    return (
      `<rect x="${x}" y="${label.y}" width="${width}" height="${LABEL_HEIGHT}" fill="${colorOf(k)}"/>` +
      `<text x="${round(x + 4)}" y="${round(label.y + LABEL_HEIGHT - 5)}" font-size="${TICK_SIZE}" fill="#fff">${escapeMarkup(text)}</text>`
    );
  });
  return drawn.join("");
}

/** The aligned faces, one under another, with their words. */
function cropsPanel({ faces }: DrawnPicture, width: number): Panel {
  const shown = faces.slice(0, MOST_CROPS);
  const rows = shown.map(({ aligned, lines }, k) => {
    const y = k * (CROP + CROP_GAP);
    const words = lines.map((line, i) => {
      const place = `x="${CROP + 12}" y="${y + 16 + 18 * i}" font-size="${LABEL_SIZE}"`;
      const text = escapeMarkup(shorten(line, width - CROP - 12));
      return `<text ${place} fill="${i === 0 ? INK : MUTED_INK}"${i === 0 ? ' font-weight="bold"' : ""}>${text}</text>`;
    });
    return cropMarkup(aligned, { x: 0, y, side: CROP, color: colorOf(k) }) + words.join("");
  });
  const left = faces.length - shown.length;
  const end = shown.length * (CROP + CROP_GAP);
  if (left > 0)
    rows.push(
      `<text x="0" y="${end + 14}" font-size="${LABEL_SIZE}" fill="${MUTED_INK}">and ${left} more</text>`,
    );
  return { markup: rows.join(""), width, height: Math.max(0, end - CROP_GAP) + (left > 0 ? 34 : 0) };
}

function largeCropPanel({ aligned, lines }: FoundFace, width: number): Panel {
  const words = lines.map((line, i) => {
    const place = `x="${LARGE_CROP + 12}" y="${16 + 18 * i}" font-size="${LABEL_SIZE}"`;
    return `<text ${place} fill="${MUTED_INK}">${escapeMarkup(shorten(line, width - LARGE_CROP - 12))}</text>`;
  });
  const crop = cropMarkup(aligned, { x: 0, y: 0, side: LARGE_CROP, color: FRAME });
  return { markup: crop + words.join(""), width, height: LARGE_CROP };
}

function cropMarkup(aligned: string, at: { x: number; y: number; side: number; color: string }): string {
  const place = `x="${at.x}" y="${at.y}" width="${at.side}" height="${at.side}"`;
  return `<image href="${aligned}" ${place}/><rect ${place} fill="none" stroke="${at.color}" stroke-width="2"/>`;
}

const colorOf = (k: number): string => SERIES_COLORS[k % SERIES_COLORS.length]!;
const round = (value: number): number => Math.round(value * 100) / 100;

/** The beginning of a text that is too long gives way: the end of a path is what tells. */
function shorten(text: string, width: number, size = LABEL_SIZE): string {
  const most = Math.max(1, width);
  if (textWidth(text, size, true) <= most) return text;
  let kept = text;
  while (kept.length > 1 && textWidth(`…${kept}`, size, true) > most) kept = kept.slice(1);
  return `…${kept}`;
}
