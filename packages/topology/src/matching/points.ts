// A diagram as the matchings need it: finite points off the diagonal, those on it, and essential classes, apart.

import type { PersistenceDiagram } from "../diagram.js";
import { TopologyError } from "../error.js";

/** Finite points with birth < death. */
export interface PlanePoints {
  readonly births: Float64Array;
  readonly deaths: Float64Array;
  /** L-infinity distance to the diagonal: half the persistence. */
  readonly half: Float64Array;
  /** Place of each in the diagram. */
  readonly index: Uint32Array;
}

export interface SplitDiagram {
  readonly points: PlanePoints;
  /** Places of points with birth = death: they match the diagonal at no cost. */
  readonly onDiagonal: readonly number[];
  /** Places of the classes that never die, by ascending birth. */
  readonly essential: readonly number[];
}

/** @throws TopologyError `E_DIAGRAM` for a point that is none: NaN, an infinite birth, a death before the birth. */
export function splitDiagram(diagram: PersistenceDiagram, which: "first" | "second"): SplitDiagram {
  const { births, deaths } = diagram;
  if (births.length !== deaths.length) {
    throw new TopologyError(
      "E_DIAGRAM",
      `the ${which} diagram has ${births.length} births and ${deaths.length} deaths; equal numbers expected`,
    );
  }
  const finite: number[] = [];
  const onDiagonal: number[] = [];
  const essential: number[] = [];
  for (let k = 0; k < births.length; k++) {
    const [birth, death] = [births[k]!, deaths[k]!];
    if (!Number.isFinite(birth) || !(death >= birth)) {
      throw new TopologyError(
        "E_DIAGRAM",
        `the ${which} diagram's point ${k} is (${birth}, ${death}); a finite birth and a death no earlier expected ` +
          "(for a filtration from above, negate both)",
      );
    }
    if (death === Infinity) essential.push(k);
    else if (death === birth) onDiagonal.push(k);
    else finite.push(k);
  }
  essential.sort((i, j) => births[i]! - births[j]! || i - j);
  return {
    points: {
      births: Float64Array.from(finite, (k) => births[k]!),
      deaths: Float64Array.from(finite, (k) => deaths[k]!),
      half: Float64Array.from(finite, (k) => (deaths[k]! - births[k]!) / 2),
      index: Uint32Array.from(finite),
    },
    onDiagonal,
    essential,
  };
}

/** L-infinity distance of point i of `a` and point j of `b`. */
export function groundDistance(a: PlanePoints, i: number, b: PlanePoints, j: number): number {
  return Math.max(Math.abs(a.births[i]! - b.births[j]!), Math.abs(a.deaths[i]! - b.deaths[j]!));
}
