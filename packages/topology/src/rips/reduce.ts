// The reduction of one degree: persistent cohomology, column by column from the last simplex to the first, as in
// Ripser, with one difference. The coboundary of a column is not enumerated whole: only the cofacets up to a certain
// rank, the window, go to the queue, and the window widens when the queue is empty. Pivots only rise, most classes
// die early, and so most cofacets are never queued. A window that starts at the simplex's own rank makes Ripser's
// shortcut for emergent pairs a part of the general step.
//
// Not here: which columns there are (apparent.ts), degree 0 (degree0.ts).

import type { ApparentPairs } from "./apparent.js";
import type { Cocycle } from "./core.js";
import { CofacetBuffer, type EdgeGraph } from "./edgeGraph.js";
import { EntryList } from "./growing.js";
import type { PairCollector } from "./pairs.js";
import { PivotQueue } from "./pivotQueue.js";
import { PivotTable } from "./pivotTable.js";
import { Simplex } from "./simplex.js";
import type { SortedEdges } from "./sortedEdges.js";

/** The first widening of a window adds 1/256 of the ranks, each further one twice as many as the one before. */
const FIRST_WIDENING = 1 / 256;

export interface Filtration {
  readonly edges: SortedEdges;
  readonly graph: EdgeGraph;
  readonly apparent: ApparentPairs;
  readonly modulus: number;
  readonly withCocycles: boolean;
}

/**
 * Reduces the coboundaries of `columns`, simplices of dimension `degree`, ascending keys. Adds their pairs of
 * positive persistence to `pairs`.
 *
 * @returns the pivots: simplices of dimension degree + 1 that kill a class.
 */
export function reduceDegree(
  filtration: Filtration,
  degree: number,
  columns: Float64Array,
  pairs: PairCollector,
): PivotTable {
  const pivots = new PivotTable();
  const reduction = new Reduction(filtration, degree, columns, pivots);
  const { edges, withCocycles } = filtration;
  const [birthSimplex, deathSimplex] = [new Simplex(edges), new Simplex(edges)];
  for (let column = columns.length - 1; column >= 0; column--) {
    const pivot = reduction.reduce(column);
    birthSimplex.loadVertices(columns[column]!, degree);
    const birth = edges.length[birthSimplex.rank]!;
    if (pivot < 0) {
      const cocycle = withCocycles ? reduction.cocycle() : null;
      pairs.add(birth, Infinity, birthSimplex.vertices, null, cocycle);
      continue;
    }
    deathSimplex.loadVertices(pivot, degree + 1);
    const death = edges.length[deathSimplex.rank]!;
    if (death > birth) {
      const cocycle = withCocycles ? reduction.cocycle() : null;
      pairs.add(birth, death, birthSimplex.vertices, deathSimplex.vertices, cocycle);
    }
  }
  return pivots;
}

class Reduction {
  readonly #filtration: Filtration;
  readonly #degree: number;
  readonly #columns: Float64Array;
  readonly #pivots: PivotTable;
  readonly #inverse: Uint16Array;
  readonly #simplex: Simplex;
  readonly #cofacets: CofacetBuffer;
  readonly #queue: PivotQueue;
  /** What has been added up so far: cochains whose coboundary, up to the window, is in the queue. */
  readonly #working = new EntryList();
  readonly #sorter: PivotQueue;
  /** Ranks above are not in the queue. */
  #window = 0;

  /** What was added to each column: stored entries starts[c] to ends[c]; the column itself is not among them. */
  readonly #stored = new EntryList();
  readonly #starts: Float64Array;
  readonly #ends: Float64Array;
  readonly #pivotCoefficients: Uint16Array;

  constructor(filtration: Filtration, degree: number, columns: Float64Array, pivots: PivotTable) {
    const { edges, modulus } = filtration;
    this.#filtration = filtration;
    this.#degree = degree;
    this.#columns = columns;
    this.#pivots = pivots;
    this.#inverse = inverses(modulus);
    this.#simplex = new Simplex(edges);
    this.#cofacets = new CofacetBuffer(edges.n);
    this.#queue = new PivotQueue(modulus);
    this.#sorter = new PivotQueue(modulus);
    this.#starts = new Float64Array(columns.length);
    this.#ends = new Float64Array(columns.length);
    this.#pivotCoefficients = new Uint16Array(columns.length);
  }

  /** Returns the pivot of the column's reduced coboundary, -1 when that is zero. */
  reduce(column: number): number {
    const { edges, apparent, modulus } = this.#filtration;
    const key = this.#columns[column]!;
    this.#queue.clear();
    this.#working.length = 0;
    this.#window = Math.floor(key / edges.n ** (this.#degree - 1));
    let widening = Math.max(1, Math.floor(edges.count * FIRST_WIDENING));
    this.#add(key, 1, -1);
    for (;;) {
      const pivot = this.#queue.pop();
      if (pivot < 0) {
        if (this.#window >= edges.count - 1) return -1;
        this.#widen(this.#window + widening);
        widening *= 2;
        continue;
      }
      const coefficient = this.#queue.coefficient;
      const facet = apparent.facet(pivot, this.#degree + 1);
      if (facet >= 0) {
        this.#addFacet(facet, pivot, coefficient);
        continue;
      }
      const other = this.#pivots.get(pivot);
      if (other < 0) {
        this.#store(column, pivot, coefficient);
        return pivot;
      }
      const factor = modulus - ((coefficient * this.#inverse[this.#pivotCoefficients[other]!]!) % modulus);
      this.#add(this.#columns[other]!, factor, pivot);
      const { keys, coefficients } = this.#stored;
      for (let k = this.#starts[other]!; k < this.#ends[other]!; k++) {
        this.#add(keys[k]!, (coefficients[k]! * factor) % modulus, pivot);
      }
    }
  }

  /** The cochain that the last call of `reduce` ended with. */
  cocycle(): Cocycle {
    this.#consolidate();
    const { keys, coefficients, length } = this.#working;
    const size = this.#degree + 1;
    const simplices = new Uint32Array(length * size);
    for (let k = 0; k < length; k++) {
      this.#simplex.loadVertices(keys[k]!, this.#degree);
      simplices.set(this.#simplex.vertices.subarray(0, size), k * size);
    }
    return { simplices, coefficients: Uint32Array.from(coefficients.subarray(0, length)) };
  }

  /** Adds a multiple of a simplex's coboundary. What lies up to key `after` is known to cancel, and is left out. */
  #add(key: number, coefficient: number, after: number): void {
    this.#simplex.load(key, this.#degree);
    this.#working.push(key, coefficient);
    this.#queueCofacets(coefficient, after);
  }

  /** Adds the multiple of an apparent pair's facet that cancels its cofacet, the pivot. */
  #addFacet(facet: number, pivot: number, coefficient: number): void {
    const { n } = this.#filtration.edges;
    this.#simplex.load(facet, this.#degree);
    const { vertices, size, radix } = this.#simplex;
    const added = Math.floor((pivot % radix) / (radix / n));
    let below = 0;
    while (below < size && vertices[below]! < added) below++;
    const factor = below % 2 === 0 ? this.#filtration.modulus - coefficient : coefficient;
    this.#working.push(facet, factor);
    this.#queueCofacets(factor, pivot);
  }

  /** Queues the cofacets of the loaded simplex between `after` and the window. */
  #queueCofacets(coefficient: number, after: number): void {
    const { keys, odd } = this.#cofacets;
    const opposite = this.#filtration.modulus - coefficient;
    const count = this.#filtration.graph.cofacets(this.#simplex, after, this.#window, this.#cofacets);
    for (let k = 0; k < count; k++) this.#queue.push(keys[k]!, odd[k] === 0 ? coefficient : opposite);
  }

  #widen(window: number): void {
    const after = (this.#window + 1) * this.#filtration.edges.n ** this.#degree - 1;
    this.#window = Math.min(window, this.#filtration.edges.count - 1);
    this.#consolidate();
    const { keys, coefficients, length } = this.#working;
    for (let k = 0; k < length; k++) {
      this.#simplex.load(keys[k]!, this.#degree);
      this.#queueCofacets(coefficients[k]!, after);
    }
  }

  /** Adds up equal entries of what has been added. */
  #consolidate(): void {
    const working = this.#working;
    if (working.length === 1) return;
    for (let k = 0; k < working.length; k++) this.#sorter.push(working.keys[k]!, working.coefficients[k]!);
    working.length = 0;
    for (let key = this.#sorter.pop(); key >= 0; key = this.#sorter.pop()) {
      working.push(key, this.#sorter.coefficient);
    }
  }

  #store(column: number, pivot: number, coefficient: number): void {
    this.#pivots.set(pivot, column);
    this.#pivotCoefficients[column] = coefficient;
    this.#starts[column] = this.#stored.length;
    this.#consolidate();
    const { keys, coefficients, length } = this.#working;
    for (let k = 0; k < length; k++) {
      if (keys[k] !== this.#columns[column]) this.#stored.push(keys[k]!, coefficients[k]!);
    }
    this.#ends[column] = this.#stored.length;
  }
}

/** Inverses modulo p: a · inverse[a] = 1 for a = 1 .. p - 1. */
function inverses(p: number): Uint16Array {
  const inverse = new Uint16Array(p);
  inverse[1] = 1;
  // p = a · floor(p / a) + p mod a, multiplied by the inverses of a and of p mod a
  for (let a = 2; a < p; a++) inverse[a] = p - ((inverse[p % a]! * Math.floor(p / a)) % p);
  return inverse;
}
