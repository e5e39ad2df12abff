// Degree-0 persistence of a batch of faces: of the pixels, and of a network's normalised embeddings.
import { type PersistenceDiagram, pairwiseDistances, ripsDegree0 } from "@topofr/topology";
import { normalizeRows } from "../evaluate/embeddings.js";

/** Diagram of points [count, dimension], each scaled to length 1 (after centring, when `centre`), so that spaces compare. */
export function unitSphereDiagram(
  points: Float32Array,
  dimension: number,
  centre: boolean,
): PersistenceDiagram {
  const count = points.length / dimension;
  const rows = Float32Array.from(points);
  if (centre) {
    for (let column = 0; column < dimension; column++) {
      let mean = 0;
      for (let row = 0; row < count; row++) mean += rows[row * dimension + column]! / count;
      for (let row = 0; row < count; row++) rows[row * dimension + column]! -= mean;
    }
  }
  return ripsDegree0(pairwiseDistances(normalizeRows(rows, dimension), count, dimension), count);
}
