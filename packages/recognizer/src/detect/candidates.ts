// What a detector's decoder finds before overlaps are removed, and their removal.
import type { Face } from "../types.js";

/** Intersection over union of two boxes. */
export function overlap(a: Face["box"], b: Face["box"]): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  if (width <= 0 || height <= 0) return 0;
  const shared = width * height;
  return shared / (a.width * a.height + b.width * b.height - shared);
}

/** Of boxes that overlap by more than `limit` the one of the best score stays (non-maximum suppression). Best score first. */
export function suppress(faces: readonly Face[], limit: number): Face[] {
  const kept: Face[] = [];
  for (const face of [...faces].sort((a, b) => b.score - a.score))
    if (kept.every(({ box }) => overlap(box, face.box) <= limit)) kept.push(face);
  return kept;
}
