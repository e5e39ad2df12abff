// Persistence landscapes: a diagram as a sequence of functions, which can be averaged and compared by their norms.

import type { PersistenceDiagram } from "../diagram.js";
import { TopologyError } from "../error.js";
import { type EssentialOptions, finiteBars } from "./bars.js";

/**
 * The first `levels` landscapes at each scale: level k is the k-th largest of the bars' tents
 * max(0, min(scale - birth, death - scale)). Exact at the scales. O(bars x scales).
 * Source: Bubenik 2015, with tents of slope 1.
 *
 * @param scales in the unit of the diagram, finite, any order.
 * @returns `[levels, scales]` row-major, the largest tent first.
 * @throws TopologyError `E_DIAGRAM` for points that are none; `E_OPTION` for a scale that is not finite or `levels`
 *   below 1.
 */
export function persistenceLandscape(
  diagram: PersistenceDiagram,
  scales: ArrayLike<number>,
  { levels = 5, ...essential }: EssentialOptions & { readonly levels?: number } = {},
): Float64Array {
  if (!Number.isSafeInteger(levels) || levels < 1) {
    throw new TopologyError("E_OPTION", `levels is ${levels}; a whole number of at least 1 expected`);
  }
  const { births, deaths } = finiteBars(diagram, essential);
  const width = scales.length;
  const landscape = new Float64Array(levels * width);
  const largest = new Float64Array(levels); // descending
  for (let s = 0; s < width; s++) {
    const scale = scales[s]!;
    if (!Number.isFinite(scale))
      throw new TopologyError("E_OPTION", `scale ${s} is ${scale}; finite expected`);
    largest.fill(0);
    for (let k = 0; k < births.length; k++) {
      const height = Math.min(scale - births[k]!, deaths[k]! - scale);
      if (!(height > largest[levels - 1]!)) continue;
      let place = levels - 1;
      for (; place > 0 && largest[place - 1]! < height; place--) largest[place] = largest[place - 1]!;
      largest[place] = height;
    }
    for (let level = 0; level < levels; level++) landscape[level * width + s] = largest[level]!;
  }
  return landscape;
}
