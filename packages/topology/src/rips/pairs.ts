// Collects the pairs of one degree while it is computed.

import { type Cocycle, NO_VERTEX, type RipsPairs } from "./core.js";

export class PairCollector {
  readonly #dimension: number;
  readonly #births: number[] = [];
  readonly #deaths: number[] = [];
  readonly #birthSimplices: number[] = [];
  readonly #deathSimplices: number[] = [];
  readonly #cocycles: Cocycle[] = [];

  constructor(dimension: number) {
    this.#dimension = dimension;
  }

  /** Vertices ascending; `deathSimplex` null for an essential class. Copies what it is given. */
  add(
    birth: number,
    death: number,
    birthSimplex: ArrayLike<number>,
    deathSimplex: ArrayLike<number> | null,
    cocycle: Cocycle | null,
  ): void {
    this.#births.push(birth);
    this.#deaths.push(death);
    for (let k = 0; k <= this.#dimension; k++) this.#birthSimplices.push(birthSimplex[k]!);
    for (let k = 0; k <= this.#dimension + 1; k++) this.#deathSimplices.push(deathSimplex?.[k] ?? NO_VERTEX);
    if (cocycle !== null) this.#cocycles.push(cocycle);
  }

  result(options: { representatives: boolean; cocycles: boolean }): RipsPairs {
    return {
      dimension: this.#dimension,
      births: Float32Array.from(this.#births),
      deaths: Float32Array.from(this.#deaths),
      ...(options.representatives && {
        birthSimplices: Uint32Array.from(this.#birthSimplices),
        deathSimplices: Uint32Array.from(this.#deathSimplices),
      }),
      ...(options.cocycles && { cocycles: this.#cocycles }),
    };
  }
}
