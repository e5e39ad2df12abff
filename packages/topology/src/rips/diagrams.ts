// From the pairs of a core to diagrams: one order for all cores, and the edges that give birth and death their values.

import type { PairSimplices, PersistenceDiagram } from "../diagram.js";
import type { Edges } from "../minimumSpanningTree.js";
import { NO_VERTEX, type RipsPairs } from "./core.js";
import type { RipsDistances } from "./input.js";

type EdgeLength = (u: number, v: number) => number;

/** @param pairs with their simplices. */
export function diagramsOf(pairs: readonly RipsPairs[], distances: RipsDistances): PersistenceDiagram[] {
  const lengthOf = edgeLength(distances);
  return pairs.map((ofDegree) => diagramOf(ofDegree, lengthOf));
}

function diagramOf(pairs: RipsPairs, lengthOf: EdgeLength): PersistenceDiagram {
  const { dimension, cocycles } = pairs;
  const order = inOrder(pairs);
  const birth = rowsOf(pairs.birthSimplices!, dimension + 1, order);
  const death = rowsOf(pairs.deathSimplices!, dimension + 2, order);
  const deathEdges = longestEdges(death, dimension + 2, lengthOf);
  const simplices: PairSimplices = {
    birth,
    death,
    birthEdges: longestEdges(birth, dimension + 1, lengthOf),
    deathEdges,
  };
  const deaths = Float64Array.from(order, (k) => pairs.deaths[k]!);
  return {
    dimension,
    births: Float64Array.from(order, (k) => pairs.births[k]!),
    deaths,
    simplices,
    ...(dimension === 0 && { edges: finiteEdges(deathEdges, deaths) }),
    ...(cocycles && { cocycles: Array.from(order, (k) => cocycles[k]!) }),
  };
}

/** Finite pairs by (birth, death, death simplex, birth simplex), then essential ones by (birth, birth simplex). */
function inOrder({ dimension, births, deaths, birthSimplices, deathSimplices }: RipsPairs): Uint32Array {
  const order = Uint32Array.from(births, (_, k) => k);
  const byRow = (rows: Uint32Array, width: number, i: number, j: number): number => {
    for (let k = 0; k < width; k++) {
      const difference = rows[i * width + k]! - rows[j * width + k]!;
      if (difference !== 0) return difference;
    }
    return 0;
  };
  return order.sort((i, j) => {
    const [essentialI, essentialJ] = [deaths[i] === Infinity, deaths[j] === Infinity];
    if (essentialI !== essentialJ) return essentialI ? 1 : -1;
    if (births[i] !== births[j]) return births[i]! - births[j]!;
    if (deaths[i] !== deaths[j]) return deaths[i]! - deaths[j]!;
    return byRow(deathSimplices!, dimension + 2, i, j) || byRow(birthSimplices!, dimension + 1, i, j);
  });
}

function rowsOf(rows: Uint32Array, width: number, order: Uint32Array): Uint32Array {
  const sorted = new Uint32Array(rows.length);
  order.forEach((from, to) => {
    sorted.set(rows.subarray(from * width, (from + 1) * width), to * width);
  });
  return sorted;
}

/** `[simplices, 2]`: the last edge of each by (length, u, v); rows of NO_VERTEX where there is none. */
function longestEdges(simplices: Uint32Array, width: number, lengthOf: EdgeLength): Uint32Array {
  const count = simplices.length / width;
  const edges = new Uint32Array(2 * count).fill(NO_VERTEX);
  for (let k = 0; k < count; k++) {
    const vertices = simplices.subarray(k * width, (k + 1) * width);
    if (vertices[0] === NO_VERTEX) continue;
    let longest = -1;
    for (let i = 0; i < width; i++) {
      for (let j = i + 1; j < width; j++) {
        const length = lengthOf(vertices[i]!, vertices[j]!);
        if (length < longest) continue; // of equal ones the later pair, which is what the loops end with
        longest = length;
        edges.set([vertices[i]!, vertices[j]!], 2 * k);
      }
    }
  }
  return edges;
}

function finiteEdges(deathEdges: Uint32Array, deaths: Float64Array): Edges {
  const weight = deaths.filter((death) => death < Infinity);
  return {
    u: Uint32Array.from(weight, (_, k) => deathEdges[2 * k]!),
    v: Uint32Array.from(weight, (_, k) => deathEdges[2 * k + 1]!),
    weight,
  };
}

/** The length of the edge u < v, which must be there. */
function edgeLength(distances: RipsDistances): EdgeLength {
  if ("triangle" in distances) return (u, v) => distances.triangle[(v * (v - 1)) / 2 + u]!;
  const { n, u: from, v: to, lengths } = distances;
  const starts = new Int32Array(n + 1);
  for (const x of from) starts[x + 1]!++;
  for (let x = 0; x < n; x++) starts[x + 1]! += starts[x]!;
  const entries = new Int32Array(from.length);
  const next = starts.slice();
  for (let k = 0; k < from.length; k++) entries[next[from[k]!]!++] = k;
  return (u, v) => {
    let place = starts[u]!;
    while (to[entries[place]!] !== v) place++;
    return lengths[entries[place]!]!;
  };
}
