// Maxmin landmarks: few points that cover all others, and what persistence of the few says about that of all.
// In diameter scale, diagrams of the landmarks lie within 2r of those of the whole set in bottleneck distance, r the
// covering radius (stability of Vietoris-Rips persistence: Chazal, de Silva, Oudot 2014). The bound is tight.

import type { PersistenceDiagram } from "../diagram.js";
import { TopologyError } from "../error.js";
import type { PointSpace } from "./space.js";
import { assertDistance } from "./sparseDistances.js";

export interface Landmarks {
  /** The chosen points, in the order of choice. */
  readonly indices: Uint32Array;
  /** Distance of each landmark to those before it, when it was chosen; Infinity for the first. Descending. */
  readonly insertionRadii: Float64Array;
  /** For each point of the space, the place in `indices` of its nearest landmark. */
  readonly nearest: Uint32Array;
  /** No point is farther than this from its nearest landmark. */
  readonly coveringRadius: number;
}

/**
 * Farthest-point sampling: each landmark is the point farthest from those before, the lower index among equals.
 * O(n · count) distances.
 *
 * @param options.count landmarks at most; all points unless given.
 * @param options.radius stop as soon as the covering radius is no more than this.
 * @param options.first index of the first landmark; 0 unless given.
 * @throws TopologyError `E_OPTION` for options out of range; `E_DISTANCES` for a distance that is none.
 */
export function maxminLandmarks(
  space: PointSpace,
  { count = space.size, radius = 0, first = 0 }: { count?: number; radius?: number; first?: number } = {},
): Landmarks {
  const { size } = space;
  if (!Number.isSafeInteger(count) || count < Math.min(1, size)) {
    throw new TopologyError(
      "E_OPTION",
      `landmarks: count is ${count}; a whole number of at least 1 expected`,
    );
  }
  if (!(radius >= 0))
    throw new TopologyError("E_OPTION", `landmarks: radius is ${radius}; 0 or more expected`);
  if (size > 0 && !(Number.isSafeInteger(first) && first >= 0 && first < size)) {
    throw new TopologyError("E_OPTION", `landmarks: first is ${first}; a point of 0 to ${size - 1} expected`);
  }
  const nearest = new Uint32Array(size);
  const reach = new Float64Array(size).fill(Infinity); // to the nearest landmark; -1 for landmarks
  const indices: number[] = [];
  const insertionRadii: number[] = [];
  let [next, coveringRadius] = [first, size > 0 ? Infinity : 0];
  while (indices.length < Math.min(count, size) && (indices.length === 0 || coveringRadius > radius)) {
    const place = indices.length;
    indices.push(next);
    insertionRadii.push(coveringRadius);
    const landmark = next;
    reach[landmark] = -1;
    nearest[landmark] = place;
    coveringRadius = 0;
    let farthest = -1;
    for (let i = 0; i < size; i++) {
      if (reach[i]! < 0) continue;
      const distance = space.distance(landmark, i);
      assertDistance(distance, landmark, i);
      if (distance < reach[i]! || place === 0) {
        reach[i] = distance;
        nearest[i] = place;
      }
      if (reach[i]! > farthest) {
        farthest = reach[i]!;
        next = i;
      }
    }
    coveringRadius = Math.max(0, farthest);
  }
  return {
    indices: Uint32Array.from(indices),
    insertionRadii: Float64Array.from(insertionRadii),
    nearest,
    coveringRadius,
  };
}

export interface LandmarkClaim {
  /** 2r: how far, in bottleneck distance, the landmarks' diagrams may lie from those of all points. */
  readonly bound: number;
  /** The longest finite bar. */
  readonly longestBar: number;
  /** Whether the diagram says anything about all points: some bar is longer than the bound. */
  readonly informative: boolean;
  /** Bars longer than twice the bound: each stands for a bar of all points, of a length within twice the bound. */
  readonly certainBars: number;
  /** One sentence to print beside the diagram. */
  readonly note: string;
}

/**
 * What a diagram of landmarks allows to say about the whole set.
 *
 * @param diagram Vietoris-Rips persistence of the landmarks, in diameter scale.
 */
export function landmarkClaim(
  diagram: PersistenceDiagram,
  { indices, nearest, coveringRadius }: Pick<Landmarks, "indices" | "nearest" | "coveringRadius">,
): LandmarkClaim {
  const bound = 2 * coveringRadius;
  const lengths = diagram.deaths
    .map((death, k) => death - diagram.births[k]!)
    .filter((length) => length < Infinity);
  const longestBar = lengths.reduce((longest, length) => Math.max(longest, length), 0);
  const certainBars = lengths.filter((length) => length > 2 * bound).length;
  const informative = bound < longestBar;
  const short = (value: number) => String(Number(value.toPrecision(3)));
  const degree = `degree ${diagram.dimension}`;
  const sample = `${indices.length} landmarks of ${nearest.length} points, 2r = ${short(bound)}`;
  const certain =
    certainBars === 0
      ? `no bar is longer than 4r, so that none is certain to be a bar of all points`
      : `${certainBars} ${certainBars === 1 ? "bar is" : "bars are"} longer than 4r and so certain to be there in all points`;
  const note = informative
    ? `${sample}: in ${degree} every bar's ends are within 2r of those of all points; ${certain}.`
    : `${sample}: in ${degree} that reaches the longest bar (${short(longestBar)}), so nothing is claimed about all points.`;
  return { bound, longestBar, informative, certainBars, note };
}
