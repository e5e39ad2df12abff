// How far apart two alignments of one face are, measured on their pixels: the similarity transform that brings one picture onto the
// other (Gauss-Newton on blurred grey, after Lucas and Kanade), applied to the template's points. For pictures a few pixels apart. The
// name keeps it out of the published package.
import { ARCFACE_TEMPLATE, TEMPLATE_SIZE } from "./template.js";

const SIZE = TEMPLATE_SIZE;
const CENTRE = SIZE / 2;
const STEPS = 60;
/** Rows and columns that are compared: the face without hair and background. */
const [TOP, BOTTOM, LEFT, RIGHT] = [24, 100, 24, 88];

/** Mean distance, in pixels of the 112x112 pictures, between where the two have the five points. */
export function landmarkDistance(first: Uint8Array, second: Uint8Array): number {
  const [reference, moving] = [blurredGrey(first), blurredGrey(second)];
  // x' = a x - b y + u, y' = b x + a y + v, from the centre.
  let [a, b, u, v] = [1, 0, 0, 0];
  for (let step = 0; step < STEPS; step++) {
    const normal = Array.from({ length: 4 }, () => [0, 0, 0, 0, 0]);
    for (let y = TOP; y < BOTTOM; y++) {
      for (let x = LEFT; x < RIGHT; x++) {
        const [px, py] = [x - CENTRE, y - CENTRE];
        const [qx, qy] = [a * px - b * py + u + CENTRE, b * px + a * py + v + CENTRE];
        const slopeX = sample(moving, qx + 0.5, qy) - sample(moving, qx - 0.5, qy);
        const slopeY = sample(moving, qx, qy + 0.5) - sample(moving, qx, qy - 0.5);
        const difference = reference[y * SIZE + x]! - sample(moving, qx, qy);
        if (!Number.isFinite(difference + slopeX + slopeY)) continue;
        const row = [slopeX * px + slopeY * py, slopeY * px - slopeX * py, slopeX, slopeY, difference];
        for (let i = 0; i < 4; i++) for (let j = 0; j < 5; j++) normal[i]![j]! += row[i]! * row[j]!;
      }
    }
    const [da, db, du, dv] = solve(normal);
    [a, b, u, v] = [a + da!, b + db!, u + du!, v + dv!];
    if (CENTRE * (Math.abs(da!) + Math.abs(db!)) + Math.abs(du!) + Math.abs(dv!) < 1e-3) break;
  }
  const distances = ARCFACE_TEMPLATE.map(([x, y]) => {
    const [px, py] = [x - CENTRE, y - CENTRE];
    return Math.hypot(a * px - b * py + u - px, b * px + a * py + v - py);
  });
  return distances.reduce((sum, value) => sum + value, 0) / distances.length;
}

function blurredGrey(pixels: Uint8Array): Float64Array {
  let grey = Float64Array.from(
    { length: SIZE * SIZE },
    (_, i) => pixels[3 * i]! + 2 * pixels[3 * i + 1]! + pixels[3 * i + 2]!,
  );
  for (let pass = 0; pass < 2; pass++) {
    const source = grey;
    grey = source.map((value, i) => {
      const [x, y] = [i % SIZE, Math.floor(i / SIZE)];
      if (x === 0 || y === 0 || x === SIZE - 1 || y === SIZE - 1) return value;
      let sum = 0;
      for (const row of [i - SIZE, i, i + SIZE]) sum += source[row - 1]! + source[row]! + source[row + 1]!;
      return sum / 9;
    });
  }
  return grey;
}

/** Bilinear; NaN outside. */
function sample(grey: Float64Array, x: number, y: number): number {
  const [left, top] = [Math.floor(x), Math.floor(y)];
  if (left < 0 || top < 0 || left >= SIZE - 1 || top >= SIZE - 1) return Number.NaN;
  const [right, down] = [x - left, y - top];
  const i = top * SIZE + left;
  const upper = grey[i]! * (1 - right) + grey[i + 1]! * right;
  const lower = grey[i + SIZE]! * (1 - right) + grey[i + SIZE + 1]! * right;
  return upper * (1 - down) + lower * down;
}

/** Gauss-Jordan on [n, n + 1] with the right side as last column. */
function solve(rows: number[][]): number[] {
  const n = rows.length;
  for (let i = 0; i < n; i++) {
    const pivot = rows.reduce(
      (best, row, k) => (k >= i && Math.abs(row[i]!) > Math.abs(rows[best]![i]!) ? k : best),
      i,
    );
    [rows[i], rows[pivot]] = [rows[pivot]!, rows[i]!];
    for (let k = 0; k < n; k++) {
      if (k === i) continue;
      const factor = rows[k]![i]! / rows[i]![i]!;
      for (let j = i; j <= n; j++) rows[k]![j]! -= factor * rows[i]![j]!;
    }
  }
  return rows.map((row, i) => row[n]! / row[i]!);
}
