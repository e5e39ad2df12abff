// Sparse Vietoris-Rips filtrations: few edges, whose persistence is that of all edges up to a factor of 1 + epsilon.
// Sheehy 2013, in the form of Cavanna, Jahanseir and Sheehy 2015. The number of edges grows with the intrinsic
// dimension: about n for curves and surfaces, nearly all for points in general position in 512 dimensions.
//
// Why no simplices need be removed. Let L be a point's insertion radius, A = (1 + eps) / eps. A point's ball grows
// to radius L A, stands still, and at radius L A (1 + eps) the point is deleted: no edges come to it after that. At
// that moment some point q of insertion radius >= L (1 + eps), within L (1 + eps), has a ball that contains it, so
// that every neighbour of the point is one of q: in a flag complex the point is dominated, then and for ever after,
// since edges only come. Taking deleted points away in the order of deletion collapses the complex to the living
// ones, and so does it to the filtration of Cavanna et al., which leaves out simplices on deleted points: both have
// one persistence.

import { TopologyError } from "../error.js";
import { maxminLandmarks } from "./landmarks.js";
import type { PointSpace } from "./space.js";
import { EdgeList, type SparseDistances } from "./sparseDistances.js";

/**
 * The sparse filtration of a space. Births and deaths of its Vietoris-Rips persistence match those of the whole
 * space within a factor of 1 + epsilon: in bottleneck distance of the logarithms, log(1 + epsilon). Births and deaths
 * are never too small by more than that factor, nor too large. O(n²) distances, memory for the edges only.
 *
 * @param options.epsilon above 0; 1 doubles scales at most.
 * @param options.threshold edges that appear later are left out.
 * @throws TopologyError `E_OPTION` for options out of range; `E_DISTANCES` for a distance that is none.
 */
export function sparseRips(
  space: PointSpace,
  { epsilon, threshold = Infinity }: { epsilon: number; threshold?: number },
): SparseDistances {
  if (!(epsilon > 0 && epsilon < Infinity)) {
    throw new TopologyError(
      "E_OPTION",
      `sparse Rips: epsilon is ${epsilon}; a finite number above 0 expected`,
    );
  }
  if (!(threshold >= 0)) {
    throw new TopologyError("E_OPTION", `sparse Rips: threshold is ${threshold}; 0 or more expected`);
  }
  const { indices, insertionRadii, nearest } = maxminLandmarks(space);
  const growth = (1 + epsilon) / epsilon; // A
  const edges = new EdgeList(space.size);
  for (let second = 1; second < indices.length; second++) {
    const radius = insertionRadii[second]!; // the smaller of the two
    const full = radius * growth; // where the later point's ball stops
    for (let first = 0; first < second; first++) {
      // They meet when both balls' radii add up to the distance, if by then neither stands still nor is deleted.
      const distance = space.distance(indices[first]!, indices[second]!);
      const reach = Math.min(full + insertionRadii[first]! * growth, full * (2 + epsilon));
      if (distance > reach) continue;
      const appears = distance <= 2 * full ? distance : 2 * (distance - full);
      if (appears <= threshold) edges.add(indices[first]!, indices[second]!, appears);
    }
  }
  // Duplicates are no landmarks: each hangs on the one it equals.
  nearest.forEach((place, i) => {
    if (indices[place] !== i) edges.add(indices[place]!, i, 0);
  });
  return edges.finish();
}
