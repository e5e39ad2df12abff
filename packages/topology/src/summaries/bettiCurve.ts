// Betti curve of a diagram: how many classes are alive at a scale. In degree 0, the number of components.

import type { PersistenceDiagram } from "../diagram.js";
import { TopologyError } from "../error.js";

/**
 * Number of classes with birth <= scale < death, for each scale. O((n + s) log n).
 *
 * @param scales in the unit of the diagram, any order, no NaN.
 * @throws TopologyError `E_DIAGRAM` for a NaN in the diagram or in `scales`.
 */
export function bettiCurve(diagram: PersistenceDiagram, scales: ArrayLike<number>): Uint32Array {
  const births = Float64Array.from(diagram.births).sort();
  const deaths = Float64Array.from(diagram.deaths).sort();
  if (Number.isNaN(births.at(-1)) || Number.isNaN(deaths.at(-1))) {
    throw new TopologyError("E_DIAGRAM", "the diagram holds a NaN birth or death");
  }
  return Uint32Array.from(scales, (scale, index) => {
    if (Number.isNaN(scale)) throw new TopologyError("E_DIAGRAM", `scale ${index} is NaN`);
    return countUpTo(births, scale) - countUpTo(deaths, scale);
  });
}

/** How many of the ascending values are <= limit. */
function countUpTo(values: Float64Array, limit: number): number {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (values[middle]! <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}
