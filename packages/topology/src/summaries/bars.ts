// The bars of a diagram as summaries read them: checked, and with the essential classes apart.

import type { PersistenceDiagram } from "../diagram.js";
import { TopologyError } from "../error.js";

export interface Bars {
  /** Finite bars. */
  readonly births: Float64Array;
  readonly deaths: Float64Array;
  /** Classes that never die. */
  readonly essentialCount: number;
}

export interface EssentialOptions {
  /**
   * Where classes that never die are taken to end: for example the threshold of the filtration. Left out unless
   * given.
   */
  readonly essentialDeath?: number;
}

/** @throws TopologyError `E_DIAGRAM` for a NaN, an infinite birth, or a death before the birth. */
export function finiteBars(diagram: PersistenceDiagram, { essentialDeath }: EssentialOptions = {}): Bars {
  if (essentialDeath !== undefined && !Number.isFinite(essentialDeath)) {
    throw new TopologyError("E_OPTION", `essentialDeath is ${essentialDeath}; a finite scale expected`);
  }
  if (diagram.births.length !== diagram.deaths.length) {
    throw new TopologyError(
      "E_DIAGRAM",
      `the diagram has ${diagram.births.length} births and ${diagram.deaths.length} deaths; equal numbers expected`,
    );
  }
  const births: number[] = [];
  const deaths: number[] = [];
  diagram.births.forEach((birth, k) => {
    let death = diagram.deaths[k]!;
    if (death === Infinity && essentialDeath !== undefined) death = Math.max(birth, essentialDeath);
    if (!Number.isFinite(birth) || !(death >= birth)) {
      throw new TopologyError(
        "E_DIAGRAM",
        `the diagram's point ${k} is (${birth}, ${death}); a finite birth and a death no earlier expected`,
      );
    }
    if (death === Infinity) return;
    births.push(birth);
    deaths.push(death);
  });
  return {
    births: Float64Array.from(births),
    deaths: Float64Array.from(deaths),
    essentialCount: diagram.births.length - births.length,
  };
}
