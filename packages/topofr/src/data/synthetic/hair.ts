// Hair, hats and headscarves: shells over the skull, cut off along a line that says how far down each longitude is
// covered. Also the paint of hair.
import type { Headwear } from "./appearance.js";
import { COLUMNS, COSINES, type GridMesh, headRows, LONGITUDES, ROWS, SINES } from "./headMesh.js";
import type { HairStyle } from "./identity.js";
import type { Likeness } from "./likeness.js";
import { cellNoise, clamp, mix, mixColour, ramp, smoothNoise } from "./numeric.js";
import type { Painter } from "./paint.js";

/** A shell over the skull. Painter coordinates: column counted from the face's middle (-36..36), and y. */
export interface Shell {
  mesh: GridMesh;
  keep: (column: number, y: number) => boolean;
  open: boolean; // long enough that its inside may show
}

/** How far down a shell reaches, by longitude in degrees, 0 at the face's middle. */
type CutLine = readonly (readonly [degrees: number, y: number])[];

interface Cut {
  line: CutLine;
  skew: number; // lowers the line on one side of the forehead and raises it on the other
  top: number; // thickness over the crown, at the sides, at the hairline
  side: number;
  edge: number;
  bottom: number; // y of the lowest vertices
  flare: number; // widening per unit below the eyes
  ragged: number; // depth of strand ends
  tufts: number; // how far the line wanders up and down
  open: boolean; // long enough that its inside may show
  rough: number; // bumps of the surface
}

const HALF = (COLUMNS - 1) / 2;

/** The hair of this picture, or null for a bald head. */
export function hairShell(face: Likeness): Shell | null {
  if (face.hairStyle === "bald") return null;
  const { headwear, hair } = face.appearance;
  const cut = hairCut(face.hairStyle, face);
  const flat = headwear === null ? hair.volume : 0.3; // a hat presses hair down
  const pressed: Cut = {
    ...cut,
    top: cut.top * flat,
    side: cut.side * mix(1, flat, 0.6),
    edge: cut.edge * flat,
  };
  return buildShell(face, headwear === null ? pressed : { ...pressed, rough: 0.2 * cut.rough }, hair.seed);
}

function hairCut(style: HairStyle, face: Likeness): Cut {
  const { hairline, recession, curl } = face.identity.hair;
  const { part } = face.appearance.hair;
  const temple = hairline - 11 * recession;
  const burn = face.beard === "full" ? 16 : face.identity.masculinity > 0.5 ? 8 : 2;
  const cropped: CutLine = [
    [0, hairline],
    [16, hairline + 0.6],
    [34, temple],
    [50, hairline + 5],
    [61, -20],
    [66, -6],
    [70, burn],
    [82, burn + 1],
    [87, -3],
    [104, -3],
    [112, 22],
    [140, 38],
    [180, 44],
  ];
  const overEars = cropped.map(([d, y]): [number, number] => [d, d >= 66 && d < 115 ? Math.min(y, -5) : y]);
  const curtain = (length: number): CutLine => [
    [0, hairline + 1],
    [18, hairline + 3],
    [36, hairline + 9],
    [48, -18],
    [56, 2],
    [61, 24],
    [65, length],
    [180, length],
  ];
  const front = (line: CutLine, y: number): CutLine => [
    [0, y],
    [30, y + 0.5],
    [44, y + 2],
    [52, Math.max(y, -14)],
    ...line.filter(([d]) => d > 56),
  ];
  const wave = 0.6 + 1.6 * curl;
  const plain = { skew: 0, flare: 0, ragged: 2.5, tufts: 1.6, rough: wave * 0.5, open: false };
  switch (style) {
    case "buzzed":
      return { ...plain, line: cropped, top: 1, side: 0.8, edge: 0.3, bottom: 50, ragged: 1, rough: 0.1 };
    case "sidePart":
      return { ...plain, line: cropped, skew: 5 * part, top: 7, side: 2.6, edge: 2.6, bottom: 50 };
    case "swept":
      return { ...plain, line: cropped, top: 9, side: 3.5, edge: 3, bottom: 52, skew: 1.5 * part };
    case "fringe":
      return face.identity.masculinity > 0.5
        ? {
            ...plain,
            line: front(cropped, -21),
            skew: 7 * part,
            top: 6,
            side: 3,
            edge: 3,
            bottom: 50,
            ragged: 6,
            tufts: 7,
          }
        : {
            ...plain,
            line: front(curtain(62), -14),
            skew: 6 * part,
            top: 6,
            side: 6,
            edge: 3,
            bottom: 64,
            ragged: 5,
            tufts: 5,
            open: true,
          };
    case "bob":
      return {
        ...plain,
        line: curtain(44),
        skew: 7 * part,
        top: 6,
        side: 7,
        edge: 2,
        bottom: 48,
        flare: 0.06,
        open: true,
      };
    case "long":
      return {
        ...plain,
        line: curtain(116),
        skew: 7 * part,
        top: 6,
        side: 5.5,
        edge: 2,
        bottom: 118,
        flare: 0.02,
        rough: wave,
        open: true,
      };
    case "tied":
      return {
        ...plain,
        line: overEars,
        top: 3,
        side: 1.6,
        edge: 0.8,
        bottom: 48,
        ragged: 1.6,
        rough: 0.3,
      };
    case "curly":
      return face.identity.masculinity > 0.5
        ? { ...plain, line: overEars, top: 11, side: 5, edge: 3, bottom: 52, ragged: 4, rough: 2.6 }
        : {
            ...plain,
            line: curtain(52),
            top: 13,
            side: 14,
            edge: 5,
            bottom: 58,
            flare: 0.12,
            ragged: 6,
            rough: 3.4,
            open: true,
          };
    default:
      return { ...plain, line: cropped, top: 4.5, side: 2, edge: 1.6, bottom: 50 };
  }
}

/** The hat or scarf of this picture. */
export function hatShell(face: Likeness, headwear: Headwear): Shell {
  const { edge } = headwear;
  const cap: CutLine = [
    [0, edge],
    [40, edge + 2],
    [70, edge + 9],
    [100, edge + 15],
    [180, edge + 24],
  ];
  const wrap = (open: number): CutLine => [
    [0, edge - 3],
    [26, edge - 1],
    [42, edge + 8],
    [open, 0],
    [open + 5, 30],
    [open + 9, 116],
    [180, 116],
  ];
  const plain = { skew: 0, flare: 0, ragged: 0, tufts: 0, rough: 0.4, bottom: 30, open: false };
  const cut: Cut = {
    beanie: { ...plain, line: cap, top: 6, side: 5.5, edge: 4, rough: 0.7 },
    cap: { ...plain, line: cap, top: 7, side: 4.2, edge: 3 },
    headscarf: {
      ...plain,
      line: wrap(52),
      top: 5,
      side: 6,
      edge: 2.5,
      bottom: 118,
      rough: 1.2,
      flare: -0.05,
      open: true,
    },
    hood: { ...plain, line: wrap(60), top: 13, side: 13, edge: 8, bottom: 118, rough: 1.5, open: true },
  }[headwear.kind];
  return buildShell(face, cut, face.appearance.hair.seed + 17);
}

function buildShell(face: Likeness, cut: Cut, seed: number): Shell {
  const skull = headRows(face);
  const rows: number[][] = [];
  for (let row = 0; row < ROWS; row++) {
    if (skull[row * 7]! > 1) break;
    rows.push(Array.from(skull.subarray(row * 7, row * 7 + 7)));
  }
  const level = rows.at(-1)!; // hair falls straight from the widest row
  const above = rows.length;
  const steps = Math.max(2, Math.ceil((cut.bottom - level[0]!) / 5));
  for (let i = 1; i <= steps; i++) {
    const y = level[0]! + ((cut.bottom - level[0]!) * i) / steps;
    const widen = 1 + (cut.flare * (y - level[0]!)) / 40;
    rows.push([y, y, level[2]! * widen, level[3]!, level[4]!, level[5]!, level[6]!]);
  }
  const line = lineByColumn(cut, seed);
  const positions = new Float32Array(rows.length * COLUMNS * 3);
  const features = new Float32Array(rows.length * COLUMNS * 2);
  const live = new Uint8Array(rows.length * COLUMNS);
  for (const [row, outline] of rows.entries()) {
    const [y, , width, zFront, zWide, zBack] = outline as [number, number, number, number, number, number];
    const crown = ramp(-30, -66, y);
    for (let column = 0; column < COLUMNS; column++) {
      const front = COSINES[column]!;
      const inset = line[column]! - y; // distance above the cut
      const body = mix(cut.side, cut.top, Math.max(crown, ramp(-6, -34, y)));
      const bumps = cut.rough * (smoothNoise(column * 0.5 + seed, y * 0.13) - 0.4) * 2.2;
      const thick = Math.max(
        0.25,
        mix(cut.edge, body + bumps, row < above || !cut.open ? ramp(0, 11, inset) : 1),
      );
      const vertex = row * COLUMNS + column;
      const reach = front > 0 ? zFront - zWide : zWide - zBack;
      positions[vertex * 3] = (width + thick * (1 - 0.2 * crown)) * SINES[column]!;
      positions[vertex * 3 + 1] = y - thick * crown;
      positions[vertex * 3 + 2] = zWide + (reach + thick) * front;
      features[vertex * 2] = column - HALF;
      features[vertex * 2 + 1] = y;
      live[vertex] = inset > -9 ? 1 : 0;
    }
  }
  const limits = strandEnds(line, cut.ragged, seed);
  const keep = (column: number, y: number): boolean => y < limits[Math.floor((column + HALF) * STRANDS)]!;
  return { mesh: { rows: rows.length, columns: COLUMNS, positions, features, live }, keep, open: cut.open };
}

/** Strand ends a column of the grid. */
const STRANDS = 9;

/** How far down each single strand reaches. */
function strandEnds(line: Float64Array, ragged: number, seed: number): Float32Array {
  return Float32Array.from({ length: COLUMNS * STRANDS }, (_, strand) => {
    const at = Math.min(strand / STRANDS, COLUMNS - 1.001);
    const left = Math.floor(at);
    const limit = mix(line[left]!, line[left + 1]!, at - left);
    // Where the line runs steeply down, ends would look like holes beside it.
    const depth = ragged / (1 + 0.25 * Math.abs(line[left + 1]! - line[left]!));
    return limit - depth * (0.6 * smoothNoise(at * 2.3 + seed, 5) + 0.4 * cellNoise(strand, seed) - 0.3);
  });
}

function lineByColumn(cut: Cut, seed: number): Float64Array {
  return LONGITUDES.map((longitude, column) => {
    const degrees = (longitude * 180) / Math.PI;
    const across = degrees < 0 ? -degrees : degrees;
    let i = 1;
    while (i < cut.line.length - 1 && cut.line[i]![0] < across) i++;
    const [d0, y0] = cut.line[i - 1]!;
    const [d1, y1] = cut.line[i]!;
    const t = clamp((across - d0) / (d1 - d0), 0, 1);
    const tilt = cut.skew * clamp(degrees / 40, -1, 1) * ramp(70, 45, across);
    const tuft =
      cut.tufts * (smoothNoise(column * 0.45 + seed, 11) + smoothNoise(column * 0.9 + seed, 27) - 1);
    return mix(y0, y1, t * t * (3 - 2 * t) * 0.5 + 0.5 * t) + tilt + tuft;
  });
}

/** Paints hair at (column, y) of a shell. */
export function hairPainter(face: Likeness): Painter {
  const { hair } = face.appearance;
  const curl = face.hairStyle === "curly" ? 1 : 0.6 * face.identity.hair.curl;
  const base = face.hairColour;
  const grey = face.appearance.hair.dye === null ? face.grey : 0;
  const silver = mixColour(base, [0.78, 0.77, 0.76], 0.7);
  const lean = 0.12 * hair.part;
  const seed = hair.seed % 251;
  return (paint) => {
    const { x: column, y } = paint;
    const along = y + 3 * curl * smoothNoise(column * 0.4 + seed, y * 0.12);
    const across = column + lean * y + curl * 2.4 * smoothNoise(column * 0.3, y * 0.16 + seed);
    const coarse = smoothNoise(across * 1.1 + seed, along * mix(0.05, 0.3, curl));
    const fine = smoothNoise(across * 4.3 + seed, along * mix(0.1, 0.4, curl));
    paint.set(base, 0.5 - 0.25 * curl, 0.15);
    const strand = 0.55 + 0.5 * coarse + 0.42 * fine;
    if (grey > 0) {
      const streak = smoothNoise(across * 6.5 + 40, along * 0.1);
      paint.blend(silver, 0.5 * ramp(1 - grey, 1.35 - grey, 0.75 * streak + 0.25 * coarse));
    }
    paint.dim(strand);
  };
}
