// A filtered graph: what sparse Rips and edge collapse produce, and Vietoris-Rips persistence takes.

import { TopologyError } from "../error.js";

/** Edge k joins u[k] < v[k] from the scale distance[k] on; pairs not listed are never joined. No pair twice. */
export interface SparseDistances {
  /** Number of vertices; all are there from scale 0 on. */
  readonly n: number;
  readonly u: Uint32Array;
  readonly v: Uint32Array;
  readonly distance: Float64Array;
}

/**
 * All pairs of a space up to a threshold.
 *
 * @throws TopologyError `E_DISTANCES` for a distance that is none.
 */
export function sparseDistancesOf(
  space: { readonly size: number; distance(i: number, j: number): number },
  { threshold = Infinity }: { threshold?: number } = {},
): SparseDistances {
  const edges = new EdgeList(space.size);
  for (let i = 0; i < space.size; i++) {
    for (let j = i + 1; j < space.size; j++) {
      const distance = space.distance(i, j);
      assertDistance(distance, i, j);
      if (distance <= threshold && distance < Infinity) edges.add(i, j, distance);
    }
  }
  return edges.finish();
}

/** @throws TopologyError `E_DISTANCES` unless the list is one: lengths, vertices, order, values, no pair twice. */
export function assertSparseDistances({ n, u, v, distance }: SparseDistances): void {
  const refuse = (message: string) => {
    throw new TopologyError("E_DISTANCES", `sparse distances: ${message}`);
  };
  if (!Number.isSafeInteger(n) || n < 0) refuse(`n is ${n}; a whole number of at least 0 expected`);
  if (u.length !== v.length || u.length !== distance.length) {
    refuse(`${u.length} u, ${v.length} v and ${distance.length} distances; equal numbers expected`);
  }
  const seen = new Set<number>();
  for (let k = 0; k < u.length; k++) {
    const [from, to] = [u[k]!, v[k]!];
    if (!(from < to && to < n)) refuse(`edge ${k} is (${from}, ${to}); u < v < ${n} expected`);
    assertDistance(distance[k]!, from, to);
    seen.add(from * n + to);
    if (seen.size <= k) refuse(`edge ${k}, (${from}, ${to}), is there twice`);
  }
}

export function assertDistance(distance: number, i: number, j: number): void {
  if (!(distance >= 0)) {
    throw new TopologyError(
      "E_DISTANCES",
      `the distance of points ${i} and ${j} is ${distance}; distances must not be negative or NaN`,
    );
  }
}

/** Collects edges. */
export class EdgeList {
  readonly #n: number;
  readonly #u: number[] = [];
  readonly #v: number[] = [];
  readonly #distance: number[] = [];

  constructor(n: number) {
    this.#n = n;
  }

  add(i: number, j: number, distance: number): void {
    this.#u.push(Math.min(i, j));
    this.#v.push(Math.max(i, j));
    this.#distance.push(distance);
  }

  finish(): SparseDistances {
    return {
      n: this.#n,
      u: Uint32Array.from(this.#u),
      v: Uint32Array.from(this.#v),
      distance: Float64Array.from(this.#distance),
    };
  }
}
