// Collects the points of a file into one diagram for each degree.

import type { PersistenceDiagram } from "../diagram.js";

/** Degrees above this in a file are taken for damage. */
const HIGHEST_DIMENSION = 1000;

export class DiagramPoints {
  readonly #points = new Map<number, { births: number[]; deaths: number[] }>();

  /** Adds a point; returns what is wrong with it, if anything is. */
  add(dimension: number, birth: number, death: number): string | undefined {
    if (!Number.isInteger(dimension) || dimension < 0 || dimension > HIGHEST_DIMENSION) {
      return `dimension ${dimension}; a whole number of 0 to ${HIGHEST_DIMENSION} expected`;
    }
    if (!Number.isFinite(birth) || !(death >= birth)) {
      return `point (${birth}, ${death}); a finite birth and a death no earlier expected`;
    }
    const ofDegree = this.#points.get(dimension) ?? { births: [], deaths: [] };
    this.#points.set(dimension, ofDegree);
    ofDegree.births.push(birth);
    ofDegree.deaths.push(death);
    return undefined;
  }

  /** By ascending degree; points in the order of adding. */
  finish(): PersistenceDiagram[] {
    return [...this.#points.entries()]
      .sort(([one], [other]) => one - other)
      .map(([dimension, { births, deaths }]) => ({
        dimension,
        births: Float64Array.from(births),
        deaths: Float64Array.from(deaths),
      }));
  }
}
