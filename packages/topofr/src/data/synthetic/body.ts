// Meshes besides the skull: ears, clothes, the beard's body, masks and a cap's peak. And the paint of ears and cloth.
import type { Headwear, Mask } from "./appearance.js";
import { beardRegion } from "./brows.js";
import { COLUMNS, COSINES, type GridMesh, headRows, placeOnRow, ROWS, SINES } from "./headMesh.js";
import type { Likeness } from "./likeness.js";
import { type Colour, cosine, hill, mix, mound, ramp, sine, smoothNoise } from "./numeric.js";
import type { Painter } from "./paint.js";

// Factors of skin colour.
const EAR_BLUSH: Colour = [1.02, 0.84, 0.82];
const EAR_HOLLOW: Colour = [0.5, 0.38, 0.36];
const EAR_FOLD: Colour = [0.7, 0.58, 0.56];

const EAR_RINGS = 8;
const EAR_COLUMNS = 21;

/** One ear, `side` -1 or 1. Painter coordinates: forwards-backwards and up-down within the ear, -1..1. */
export function earMesh(face: Likeness, side: -1 | 1): GridMesh {
  const { head } = face.identity;
  const positions = new Float32Array(EAR_RINGS * EAR_COLUMNS * 3);
  const features = new Float32Array(EAR_RINGS * EAR_COLUMNS * 2);
  const outX = side * sine(head.earSpread);
  const backZ = -cosine(head.earSpread);
  for (let ring = 0; ring < EAR_RINGS; ring++) {
    const radius = ring / (EAR_RINGS - 1);
    // Centre flat, then the hollow's edge, then the folded rim.
    const rise =
      2.4 * hill(((radius - 0.82) / 0.3) * ((radius - 0.82) / 0.3)) -
      1.6 * hill((radius / 0.55) * (radius / 0.55));
    for (let column = 0; column < EAR_COLUMNS; column++) {
      const angle = (2 * Math.PI * column) / (EAR_COLUMNS - 1);
      const u = radius * cosine(angle);
      const v = radius * sine(angle);
      const taper = v > 0 ? 1 - 0.38 * v * v : 1 - 0.05 * v * v; // narrower at the lobe
      const along = (u * taper + 0.75) * head.earSize * 0.56;
      const vertex = ring * EAR_COLUMNS + column;
      positions[vertex * 3] = side * (head.cheekWidth - 1.4) + outX * along + side * rise;
      positions[vertex * 3 + 1] = 12 + v * head.earSize - 0.12 * along;
      positions[vertex * 3 + 2] = -39 + backZ * along;
      features[vertex * 2] = u;
      features[vertex * 2 + 1] = v;
    }
  }
  return { rows: EAR_RINGS, columns: EAR_COLUMNS, positions, features };
}

export function earPainter(face: Likeness): Painter {
  return (paint) => {
    const { x: u, y: v } = paint;
    paint.set(face.tone, 0.25, 1);
    paint.stain(EAR_BLUSH, 0.15 + 0.4 * face.flush);
    paint.stain(EAR_HOLLOW, 0.75 * mound(u + 0.1, v - 0.15, 0.5, 0.5));
    const radius = Math.sqrt(u * u + v * v);
    paint.stain(EAR_FOLD, 0.55 * mound(0, radius - 0.66, 1, 0.17) * ramp(0.5, 0, v));
  };
}

/** Shoulders and collar. Painter coordinates: column from the middle, y. */
export function clothesMesh(face: Likeness): GridMesh {
  const collar = face.appearance.clothes.collar;
  const top = face.identity.head.chinY + 22 - 13 * collar;
  const neck = face.identity.head.neckWidth;
  const outline: [y: number, width: number, front: number][] = [
    [top, neck + 3.5, 26],
    [top + 6, neck + 6, 30],
    [top + 16, neck + 24, 34],
    [top + 26, neck + 48, 40],
    [top + 44, neck + 66, 46],
    [top + 90, neck + 72, 52],
  ];
  const positions = new Float32Array(outline.length * COLUMNS * 3);
  const features = new Float32Array(outline.length * COLUMNS * 2);
  for (const [row, [y, width, depth]] of outline.entries()) {
    for (let column = 0; column < COLUMNS; column++) {
      const vertex = row * COLUMNS + column;
      const front = COSINES[column]!;
      positions[vertex * 3] = width * SINES[column]!;
      positions[vertex * 3 + 1] = y + (row < 2 ? 5 * front : 0);
      positions[vertex * 3 + 2] = -52 + depth * front;
      features[vertex * 2] = column - (COLUMNS - 1) / 2;
      features[vertex * 2 + 1] = y;
    }
  }
  return { rows: outline.length, columns: COLUMNS, positions, features };
}

/** Cloth with a weave and, where `pattern` > 0, stripes of the accent colour. */
export function clothPainter(
  colour: readonly [number, number, number],
  accent: readonly [number, number, number],
  pattern: number,
  ribbed: boolean,
): Painter {
  return (paint) => {
    const { x: column, y } = paint;
    paint.set(colour, 0.05, 0);
    if (pattern > 0) {
      const phase = (y + 100) / mix(4, 13, pattern);
      const within = phase - Math.floor(phase);
      paint.blend(accent, 0.85 * ramp(0.5, 0.56, within) * ramp(1, 0.94, within));
    }
    const weave = smoothNoise(column * (ribbed ? 1.6 : 2.7), y * (ribbed ? 0.1 : 0.9)) - 0.5;
    paint.dim(1 + (ribbed ? 0.42 : 0.16) * weave + 0.25 * (smoothNoise(column * 0.35, y * 0.09) - 0.5));
  };
}

/** The head's own grid, pushed out where a full beard or goatee grows; `keep` cuts it to the beard's outline. */
export function beardShell(
  face: Likeness,
  head: GridMesh,
): { mesh: GridMesh; keep: (x: number, y: number) => boolean } {
  const region = beardRegion(face);
  const positions = Float32Array.from(head.positions);
  const growth = face.identity.hair.beardGrowth;
  const length = (face.beard === "full" ? 4.2 : 3) * (0.45 + 0.6 * growth);
  const lip = face.mouth.y + face.mouth.lower;
  const seed = face.appearance.hair.seed % 199;
  const live = new Uint8Array(positions.length / 3);
  for (let vertex = 0; vertex < positions.length / 3; vertex++) {
    const x = head.features[vertex * 2]!;
    const y = head.features[vertex * 2 + 1]!;
    if (y < 10 || y > face.chinY + 20) continue;
    const share = region(x, y);
    if (share > 0) live[vertex] = 1;
    const amount =
      share *
        length *
        mix(0.35, 1, ramp(lip - 5, lip + 6, y)) *
        (0.75 + 0.5 * smoothNoise(x * 0.4 + seed, y * 0.4)) -
      0.3;
    const dx = positions[vertex * 3]!;
    const dy = Math.max(0, (y - 30) * 0.9);
    const dz = positions[vertex * 3 + 2]! + 36;
    const scale = amount / (Math.sqrt(dx * dx + dy * dy + dz * dz) || 1);
    positions[vertex * 3] = dx + dx * scale;
    positions[vertex * 3 + 1]! += dy * scale;
    positions[vertex * 3 + 2]! += dz * scale;
  }
  const keep = (x: number, y: number): boolean =>
    region(x, y) > 0.22 + 0.5 * smoothNoise(x * 1.7 + seed, y * 0.5 + seed);
  return { mesh: { ...head, positions, live }, keep };
}

/** A face mask: the outline of the lower face, stretched over the nose. Painter coordinates: x, y in face units. */
export function maskMesh(
  face: Likeness,
  head: GridMesh,
  mask: Mask,
): { mesh: GridMesh; keep: (x: number, y: number) => boolean } {
  const rows = headRows(face);
  const positions = Float32Array.from(head.positions);
  const { nose, head: skull } = face.identity;
  const bottom = face.chinY + 4;
  const live = new Uint8Array(positions.length / 3);
  for (let row = 0; row < ROWS; row++) {
    for (let column = 0; column < COLUMNS; column++) {
      const vertex = row * COLUMNS + column;
      const y = head.features[vertex * 2 + 1]!;
      if (COSINES[column]! < 0.05 || y < -20 || y > bottom + 12) continue;
      live[vertex] = 1;
      const own = head.positions[vertex * 3 + 2]!;
      placeOnRow(rows, row, column, positions, vertex);
      const x = positions[vertex * 3]!;
      const tent =
        (nose.projection + 0.5) * mound(x, y - nose.tipY - 1, 24, 24) +
        6 * mound(x, y - 42, 30, 22) +
        nose.bridgeHeight * mound(x, y - 6, 9, 14);
      const stretched = positions[vertex * 3 + 2]! + tent;
      positions[vertex * 3 + 2] = Math.max(own, stretched) + 1.2;
    }
  }
  const keep = (x: number, y: number): boolean => {
    const side = x < 0 ? -x : x;
    const upper = mask.top + 0.011 * side * side;
    const lower = bottom - 0.004 * side * side;
    if (y > upper && y < lower && side < skull.jawWidth - 0.5) return true;
    // Ear loops.
    return side >= skull.jawWidth - 0.5 && ((y > upper - 0.3 && y < upper + 1) || (y > 36 && y < 37.2));
  };
  return { mesh: { ...head, positions, live }, keep };
}

export function maskPainter(face: Likeness, mask: Mask): Painter {
  const surgical = mask.kind === "surgical";
  return (paint) => {
    const { x, y } = paint;
    paint.set(mask.colour, 0.04, 0.2);
    if (surgical) {
      const pleat = (y - 4) / 9.5;
      const within = pleat - Math.floor(pleat);
      if (y > 18 && y < face.chinY - 4) paint.dim(1 - 0.17 * ramp(0.16, 0, within) - 0.06 * within);
      const side = x < 0 ? -x : x;
      const top = y - mask.top - 0.011 * side * side;
      paint.dim(1 - 0.16 * mound(0, top - 2.4, 1, 1));
    }
    paint.dim(1 + 0.08 * (smoothNoise(x * 0.4, y * 0.3) - 0.5));
  };
}

/** The peak of a cap. Painter coordinates: across, outwards. */
export function peakMesh(face: Likeness, headwear: Headwear): GridMesh {
  const rows = 7;
  const columns = 21;
  const positions = new Float32Array(rows * columns * 3);
  const features = new Float32Array(rows * columns * 2);
  const width = face.identity.head.templeWidth * 0.93;
  for (let row = 0; row < rows; row++) {
    const t = row / (rows - 1);
    for (let column = 0; column < columns; column++) {
      const s = (column / (columns - 1)) * 2 - 1;
      const angle = s * 1.05;
      const vertex = row * columns + column;
      const out = 25 * t * Math.sqrt(1 - 0.85 * s * s);
      positions[vertex * 3] = width * sine(angle) * (1 + 0.06 * t);
      positions[vertex * 3 + 1] = headwear.edge - 1 + 4.5 * t + 7 * s * s * (0.4 + 0.6 * t);
      positions[vertex * 3 + 2] = -42 + 48.5 * cosine(angle) + out;
      features[vertex * 2] = s * 30;
      features[vertex * 2 + 1] = t * 20 - 60;
    }
  }
  return { rows, columns, positions, features };
}
