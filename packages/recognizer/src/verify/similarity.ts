// How alike two embeddings are.
import { TopofrError } from "@topofr/formats/error";

/**
 * Cosine, -1..1, of two embeddings of any length but zero.
 *
 * @throws E_USAGE when they have different numbers of numbers; E_DATA when one is zero or not finite
 */
export function similarity(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length)
    throw new TopofrError(
      "E_USAGE",
      `embeddings of ${a.length} and of ${b.length} numbers cannot be compared; are they of one model?`,
    );
  let [product, squaresA, squaresB] = [0, 0, 0];
  for (let k = 0; k < a.length; k++) {
    product += a[k]! * b[k]!;
    squaresA += a[k]! ** 2;
    squaresB += b[k]! ** 2;
  }
  const cosine = product / Math.sqrt(squaresA * squaresB);
  if (!Number.isFinite(cosine)) throw new TopofrError("E_DATA", "an embedding is zero or not finite");
  return Math.min(1, Math.max(-1, cosine));
}
