// Degree 0 of sets of any size: the lengths of the minimum spanning tree, with distances computed when they are needed.
import type { PersistenceDiagram, RowDistance } from "@topofr/topology";

const REPORT_EVERY = 256; // points

/**
 * Prim's algorithm without a matrix: O(n²) distances, each computed once, O(n) memory.
 *
 * @returns the edges' lengths, ascending; Infinity for each gap between parts that are never joined
 */
export function treeLengths(
  count: number,
  distance: RowDistance,
  onProgress: (done: number, total: number) => void,
): Float64Array {
  const lengths = new Float64Array(Math.max(0, count - 1));
  const outside = Int32Array.from({ length: lengths.length }, (_, k) => k + 1);
  const reach = new Float64Array(lengths.length).fill(Infinity); // of outside[k], to the tree
  let newest = 0;
  for (let left = lengths.length; left > 0; left--) {
    let best = 0;
    for (let k = 0; k < left; k++) {
      const length = distance(newest, outside[k]!);
      if (length < reach[k]!) reach[k] = length;
      if (reach[k]! < reach[best]!) best = k;
    }
    newest = outside[best]!;
    lengths[lengths.length - left] = reach[best]!;
    outside[best] = outside[left - 1]!;
    reach[best] = reach[left - 1]!;
    if (left % REPORT_EVERY === 0) onProgress(lengths.length - left, lengths.length);
  }
  return lengths.sort();
}

/** The diagram as `persistence` makes it: float32 lengths, none that is 0, what is longer than the threshold essential. */
export function treeDiagram(lengths: Float64Array, threshold = Infinity): PersistenceDiagram {
  const rounded = lengths.map(Math.fround);
  const finite = rounded.filter((length) => length > 0 && length <= threshold && length < Infinity);
  const essential = 1 + rounded.filter((length) => !(length <= threshold && length < Infinity)).length;
  const deaths = new Float64Array(finite.length + essential).fill(Infinity);
  deaths.set(finite);
  return { dimension: 0, births: new Float64Array(deaths.length), deaths };
}
