// The ArcFace five-point template and the similarity transform that carries found points onto it, as face aligners
// do. Coordinates are pixels of the 112x112 crop; y grows downwards.

export type Point = readonly [number, number];

export const CROP_SIZE = 112;

/** Eye on the picture's left, eye on its right, nose tip, mouth corner left, mouth corner right. */
export const ARCFACE_TEMPLATE: readonly [Point, Point, Point, Point, Point] = [
  [38.2946, 51.6963],
  [73.5318, 51.5014],
  [56.0252, 71.7366],
  [41.5493, 92.3655],
  [70.7299, 92.2041],
];

/** x' = a x - b y + tx, y' = b x + a y + ty: rotation, scale and shift. */
export interface Similarity {
  a: number;
  b: number;
  tx: number;
  ty: number;
}

/** The least-squares similarity from `points` to `targets` (Umeyama 1991, two dimensions, no reflection). */
export function fitSimilarity(points: readonly Point[], targets: readonly Point[]): Similarity {
  let px = 0;
  let py = 0;
  let qx = 0;
  let qy = 0;
  const n = points.length;
  for (let i = 0; i < n; i++) {
    px += points[i]![0] / n;
    py += points[i]![1] / n;
    qx += targets[i]![0] / n;
    qy += targets[i]![1] / n;
  }
  let aligned = 0;
  let crossed = 0;
  let spread = 0;
  for (let i = 0; i < n; i++) {
    const dx = points[i]![0] - px;
    const dy = points[i]![1] - py;
    const ex = targets[i]![0] - qx;
    const ey = targets[i]![1] - qy;
    aligned += dx * ex + dy * ey;
    crossed += dx * ey - dy * ex;
    spread += dx * dx + dy * dy;
  }
  const a = aligned / spread;
  const b = crossed / spread;
  return { a, b, tx: qx - a * px + b * py, ty: qy - b * px - a * py };
}

export function applySimilarity(transform: Similarity, x: number, y: number): Point {
  return [transform.a * x - transform.b * y + transform.tx, transform.b * x + transform.a * y + transform.ty];
}
