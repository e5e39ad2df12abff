// The head as a surface: a grid of longitudes (columns, 0 at the face's middle) and of rows from the crown down to the
// neck, shaped by an outline per row and by relief (nose, sockets, lips, cheeks, chin) on the front.
// Face units, see identity.ts. Hair and things worn: shells.ts.
import type { Likeness } from "./likeness.js";
import { clamp, cosine, hill, mix, mound, ramp, sine } from "./numeric.js";

/** A grid of vertices, row by row, each row closed into a ring by a repeated first column unless it is a patch. */
export interface GridMesh {
  rows: number;
  columns: number;
  positions: Float32Array; // [rows * columns, 3]
  features: Float32Array; // [rows * columns, 2]: where painters find this vertex (x, y before relief, or column, y)
  /** 0 for vertices far from anything that is shown; absent: all count. Cells with four such vertices are skipped. */
  live?: Uint8Array;
}

export const COLUMNS = 73;

/** Longitude of each column in radians, -pi .. pi, dense around the face. */
export const LONGITUDES = Float64Array.from({ length: COLUMNS }, (_, i) => {
  const u = (i - (COLUMNS - 1) / 2) / ((COLUMNS - 1) / 2);
  return Math.PI * (0.42 * u + 0.58 * u * u * u);
});
export const SINES = LONGITUDES.map((angle) => sine(angle));
export const COSINES = LONGITUDES.map((angle) => cosine(angle));
/** Factors that turn the circle of a row into a rounded square (a superellipse of exponent 4). */
const SQUARING = LONGITUDES.map((_, i) => {
  const s2 = SINES[i]! * SINES[i]!;
  const c2 = COSINES[i]! * COSINES[i]!;
  return 1 / Math.sqrt(Math.sqrt(s2 * s2 + c2 * c2));
});

/** Outline of one row: y in front and at the side, half width, z in front, at the widest place and behind, squareness. */
type RowKnot = readonly [
  yFront: number,
  ySide: number,
  width: number,
  zFront: number,
  zWide: number,
  zBack: number,
  square: number,
];

const ROWS_PER_SEGMENT = [2, 2, 3, 3, 3, 6, 5, 6, 6, 6, 5, 3, 3, 2, 2, 3];
export const ROWS = ROWS_PER_SEGMENT.reduce((sum, count) => sum + count, 1);

/** Segment and Catmull-Rom weights of every row. */
const ROW_WEIGHTS: { segment: number; weights: [number, number, number, number] }[] = [];
for (const [segment, count] of ROWS_PER_SEGMENT.entries()) {
  const last = segment === ROWS_PER_SEGMENT.length - 1;
  for (let i = 0; i < count + (last ? 1 : 0); i++)
    ROW_WEIGHTS.push({ segment, weights: catmullRom(i / count) });
}

function catmullRom(t: number): [number, number, number, number] {
  const t2 = t * t;
  const t3 = t2 * t;
  return [(-t3 + 2 * t2 - t) / 2, (3 * t3 - 5 * t2 + 2) / 2, (-3 * t3 + 4 * t2 + t) / 2, (t3 - t2) / 2];
}

/** The outline of every row, [ROWS, 7] in the order of RowKnot. */
export function headRows(face: Likeness): Float64Array {
  const knots = rowKnots(face);
  const rows = new Float64Array(ROWS * 7);
  for (let row = 0; row < ROWS; row++) {
    const { segment, weights } = ROW_WEIGHTS[row]!;
    const before = knots[Math.max(0, segment - 1)]!;
    const from = knots[segment]!;
    const to = knots[segment + 1]!;
    const after = knots[Math.min(knots.length - 1, segment + 2)]!;
    for (let k = 0; k < 7; k++) {
      rows[row * 7 + k] =
        weights[0] * before[k]! + weights[1] * from[k]! + weights[2] * to[k]! + weights[3] * after[k]!;
    }
  }
  return rows;
}

function rowKnots(face: Likeness): RowKnot[] {
  const { head } = face.identity;
  const { chinY } = face;
  const slope = head.foreheadSlope;
  const temple = head.templeWidth;
  const cheek = head.cheekWidth;
  const drop = 0.5 * face.jawDrop;
  const jaw = head.jawWidth + 1.2 * Math.max(0, face.smile);
  const chin = head.chinWidth;
  const square = head.squareness;
  return [
    [-72, -72, 0.4, -43, -43.5, -44, 0],
    [-69.5, -69.5, 17, -28, -44, -62, 0],
    [-63, -63, 27.5, -16 - 0.4 * slope, -45, -78, 0],
    [-52, -52, 34.5, -5 - slope, -45, -90, 0.1],
    [-38, -38, temple - 0.6, 1.5 - 0.8 * slope, -44, -95, 0.2],
    [-24, -24, temple + 0.3, 4.2 - 0.35 * slope, -43, -97, 0.25],
    [-10, -10, temple, 4.6, -42, -97, 0.25],
    [0, 0, cheek - 0.7, 2.4, -41, -96, 0.18],
    [13, 12, cheek, 2, -40, -92, 0.1],
    [26, 24, mix(cheek, jaw, 0.5), 2.2, -39, -86, 0.04],
    [39, 35 + 0.3 * drop, jaw - 0.4, 2.6, -38, -80, 0.04 + 0.1 * square],
    [
      mix(39, chinY, 0.55),
      43 + 0.6 * drop,
      mix(jaw, chin, 0.5 - 0.16 * square),
      1.4,
      -33,
      -76,
      0.06 + 0.16 * square,
    ],
    [chinY - 4, 49.5 + 0.8 * drop, chin, 1.8, -27, -74, 0.05 + 0.2 * square],
    [chinY, 52.5 + drop, chin * 0.78, -4, -28, -74, 0.1],
    [chinY + 1.5, 54 + drop, chin * 0.8, -16, -36, -76, 0],
    [chinY + 5, 60 + drop, head.neckWidth, -27, -50, -80, 0],
    [chinY + 48, 108 + drop, head.neckWidth + 4, -25, -50, -80, 0],
  ];
}

/** Builds the head's vertices. */
export function buildHead(face: Likeness): GridMesh {
  const rows = headRows(face);
  const positions = new Float32Array(ROWS * COLUMNS * 3);
  const features = new Float32Array(ROWS * COLUMNS * 2);
  const relief = reliefOf(face);
  for (let row = 0; row < ROWS; row++) {
    for (let column = 0; column < COLUMNS; column++) {
      const vertex = row * COLUMNS + column;
      placeOnRow(rows, row, column, positions, vertex);
      const x = positions[vertex * 3]!;
      const y = positions[vertex * 3 + 1]!;
      features[vertex * 2] = x;
      features[vertex * 2 + 1] = y;
      const front = COSINES[column]!;
      if (front > 0.05 && y > -34 && y < 80) {
        positions[vertex * 3 + 2]! += relief(x, y) * ramp(0.05, 0.45, front);
      }
    }
  }
  return { rows: ROWS, columns: COLUMNS, positions, features };
}

/** Writes the point of a row's outline at a column, without relief. */
export function placeOnRow(
  rows: Float64Array,
  row: number,
  column: number,
  positions: Float32Array,
  vertex: number,
): void {
  const at = row * 7;
  const front = COSINES[column]!;
  const square = 1 + (SQUARING[column]! - 1) * rows[at + 6]!;
  const zWide = rows[at + 4]!;
  const reach = front > 0 ? rows[at + 3]! - zWide : zWide - rows[at + 5]!;
  positions[vertex * 3] = rows[at + 2]! * SINES[column]! * square;
  positions[vertex * 3 + 1] = mix(rows[at]!, rows[at + 1]!, clamp(1 - front, 0, 1));
  positions[vertex * 3 + 2] = zWide + reach * front * square;
}

/** The relief of the front of the face: how far (x, y) lies before the smooth outline. */
function reliefOf(face: Likeness): (x: number, y: number) => number {
  const { head, eyes, brows, nose } = face.identity;
  const { mouth } = face;
  const grin = Math.max(0, face.smile);
  const base = nose.tipY + 5.6; // where the nose meets the lip
  const root = -4.5;
  const lipTop = mouth.y - mouth.upper - mouth.gapUpper;
  const lipBottom = mouth.y + mouth.lower + mouth.gapLower;
  const lipMiddle = (lipTop + lipBottom) / 2;
  const lipReach = (lipBottom - lipTop) / 2;
  const browY = -brows.height - face.browLift;
  return (x, y) => {
    const side = x < 0 ? -x : x;
    let z = 0;
    if (y < 14) {
      z -= eyes.depth * mound(side - eyes.spacing + 1, y + 1, 14, 9.5); // sockets
      z += 2.4 * mound(side - eyes.spacing, y + 0.5, 10, 6.5); // the eyeball under the lids
      z += head.browRidge * mound(side - 13, y - browY, 17, 6.5);
      z += 0.5 * head.browRidge * mound(side, y - browY - 1, 10, 6);
    }
    if (y > -14 && y < 44) {
      z += (head.cheekbone + 0.5) * mound(side - 26, y - 13, 15, 10);
      z += (2.2 * grin + 0.9 * head.fullness) * mound(side - 21, y - 22 + 3 * grin, 13, 12);
      z -= Math.max(0, -head.fullness) * 2.4 * mound(side - 27, y - 32, 12, 13); // hollow cheeks
    }
    if (y > -16 && y < base + 5 && side < 18) z += noseRelief(x - nose.shift * ramp(-4, 18, y), y);
    if (y > 22) {
      z += 3.4 * mound(side, y - lipMiddle, 25, 17 + lipReach); // the muzzle around the teeth
      z -= 1.6 * grin * mound(side - mouth.width - 4.5, y - mouth.y + 2, 5, 10); // smile folds
      const reach = side / (mouth.width + 1);
      if (reach < 1) {
        const taper = 1 - reach * reach;
        z += 1.8 * taper * mound(0, y - (lipTop + mouth.upper * 0.55), 1, mouth.upper * 0.9 + 1.2);
        z += 2.4 * taper * mound(0, y - (lipBottom - mouth.lower * 0.5), 1, mouth.lower * 0.8 + 1.2);
      }
      z -= 1.7 * mound(side, y - lipBottom - 3.2, 14, 4); // hollow under the lower lip
      z -= 0.8 * mound(side, y - (base + lipTop) / 2, 2.4, 5); // philtrum
      z += (head.chinProjection + 1) * mound(side, y - face.chinY + 5, 14, 9);
      if (head.chinCleft > 0) z -= 1.3 * head.chinCleft * mound(side, y - face.chinY + 5, 2.6, 5);
    }
    return z;
  };

  function noseRelief(x: number, y: number): number {
    const side = x < 0 ? -x : x;
    const t = clamp((y - root) / (nose.tipY - root), 0, 1);
    const rise = ramp(root - 9, root + 2, y);
    let height = mix(nose.bridgeHeight * rise, nose.projection - 2.2, t * (0.55 + 0.45 * t));
    height += nose.hump * hill(((t - 0.45) / 0.4) * ((t - 0.45) / 0.4));
    const below = y - nose.tipY;
    if (below > 0) height *= 1 - ramp(0.6 + 0.8 * nose.turn, base - nose.tipY + 0.6, below);
    const width = mix(nose.bridgeWidth * 1.75, nose.width * 0.98, t * t * (3 - 2 * t));
    const flank = side / width;
    const profile = flank >= 1 ? 0 : (1 - flank * flank) * (1 - 0.55 * flank * flank);
    let z = height * profile;
    z += 2.8 * mound(side, y - nose.tipY + 0.2 * nose.turn, nose.tipSize, nose.tipSize * 0.95);
    z += 5 * mound(side - nose.width + 2.9, y - base + 3.9 - 0.4 * face.smile, 4.1, 4.6); // wings
    return z;
  }
}

/** The point of the surface whose painter coordinates are (x, y): landmarks sit there. */
export function surfacePoint(mesh: GridMesh, x: number, y: number): [number, number, number] {
  let nearest = 0;
  let least = Infinity;
  const { positions, features, columns, rows } = mesh;
  for (let row = 0; row < rows; row++) {
    for (let column = 16; column < columns - 16; column++) {
      const vertex = row * columns + column;
      const dx = features[vertex * 2]! - x;
      const dy = features[vertex * 2 + 1]! - y;
      const distance = dx * dx + dy * dy;
      if (distance < least) {
        least = distance;
        nearest = vertex;
      }
    }
  }
  // Go from the nearest vertex to (x, y) along the two grid directions.
  const along = features[nearest * 2]! < x ? 1 : -1;
  const down = features[nearest * 2 + 1]! < y ? columns : -columns;
  const spanX = features[(nearest + along) * 2]! - features[nearest * 2]!;
  const spanY = features[(nearest + down) * 2 + 1]! - features[nearest * 2 + 1]!;
  const u = clamp((x - features[nearest * 2]!) / spanX, 0, 1);
  const v = clamp((y - features[nearest * 2 + 1]!) / spanY, 0, 1);
  const z = positions[nearest * 3 + 2]!;
  const zAlong = positions[(nearest + along) * 3 + 2]!;
  const zDown = positions[(nearest + down) * 3 + 2]!;
  return [x, y, z + u * (zAlong - z) + v * (zDown - z)];
}
