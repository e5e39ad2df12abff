// Vietoris-Rips persistence of whatever the caller has: the public door. It checks, calls a core (rips/core.ts), and
// brings the pairs into one order. Degree 0 of a matrix in float64, zero bars included: ripsDegree0 in diagram.ts.

import type { PersistenceDiagram } from "./diagram.js";
import { TopologyError } from "./error.js";
import type { RipsCore, RipsPairs } from "./rips/core.js";
import { diagramsOf } from "./rips/diagrams.js";
import { enclosingRadius, type RipsInput, ripsDistances, triangleOfList } from "./rips/input.js";
import { DEFAULT_MEMORY_LIMIT, MemoryBudget } from "./rips/memory.js";
import { portableRips } from "./rips/portable.js";

export interface PersistenceOptions {
  /** Highest degree of homology, 0 to 3; 1 when left out. Cost rises steeply with it. */
  readonly maxDimension?: number;
  /**
   * The largest scale (a diameter) that is looked at; what dies later is essential. When left out: the enclosing
   * radius, beyond which nothing happens, and for a list all of it.
   */
  readonly threshold?: number;
  /** Coefficients are in Z/modulus, a prime below 2^16; 2 when left out. */
  readonly modulus?: number;
  /** Whether to return a cocycle of each class. */
  readonly cocycles?: boolean;
  /** What computes; {@link portableRips} when left out. */
  readonly core?: RipsCore;
  /** Bytes that the distances and edges may take; 4 GiB when left out. The reduction itself comes on top. */
  readonly memoryLimit?: number;
}

/**
 * Persistent homology of the Vietoris-Rips filtration, degrees 0 to `maxDimension`.
 *
 * Distances are rounded to float32, as in Ripser, and so are births and deaths. Scales are diameters, not radii.
 * Classes that die where they are born are left out. Every diagram names for each class the simplex that creates it
 * and the one that kills it, and their longest edges, whose lengths are birth and death.
 *
 * @returns one diagram for each degree: finite classes by (birth, death), then the essential ones by birth.
 * @throws TopologyError before work starts: `E_DISTANCES` (no points, NaN, infinite, negative, asymmetric, a diagonal
 *   that is not zero, a repeated pair), `E_OPTION`, `E_TOO_LARGE` (memory, or simplices beyond exact numbering: the
 *   message says what would fit).
 */
export function persistence(input: RipsInput, options: PersistenceOptions = {}): PersistenceDiagram[] {
  const { modulus = 2, cocycles = false, core = portableRips, memoryLimit = DEFAULT_MEMORY_LIMIT } = options;
  const maxDimension = checkedDimension(options.maxDimension ?? 1);
  const limit = checkedThreshold(options.threshold ?? Infinity);
  if (!isPrime(modulus)) {
    throw new TopologyError("E_OPTION", `modulus is ${modulus}; a prime below 65536 expected`);
  }
  const budget = new MemoryBudget(memoryLimit, maxDimension);
  const distances = ripsDistances(input, limit, budget);
  const { n } = distances;
  // Beyond the enclosing radius the complex is a cone: a higher threshold adds work and no classes.
  const threshold = "triangle" in distances ? Math.min(limit, enclosingRadius(distances)) : limit;
  const question = { n, maxDimension, threshold, modulus, representatives: true, cocycles };
  let pairs: RipsPairs[];
  if ("triangle" in distances) pairs = core({ ...question, distances: distances.triangle });
  else if (core.sparse) pairs = core.sparse({ ...question, ...distances });
  else {
    budget.assertTriangleFits(n);
    pairs = core({ ...question, distances: triangleOfList(distances) });
  }
  return diagramsOf(pairs, distances);
}

function checkedDimension(maxDimension: number): 0 | 1 | 2 | 3 {
  if (maxDimension === 0 || maxDimension === 1 || maxDimension === 2 || maxDimension === 3)
    return maxDimension;
  throw new TopologyError("E_OPTION", `maxDimension is ${maxDimension}; 0, 1, 2 or 3 expected`);
}

/** Rounded as distances are, so that a distance equal to the threshold stays within it. */
function checkedThreshold(threshold: number): number {
  if (threshold >= 0) return Math.fround(threshold);
  throw new TopologyError("E_OPTION", `threshold is ${threshold}; a number of at least 0 expected`);
}

function isPrime(value: number): boolean {
  if (!Number.isInteger(value) || value < 2 || value > 0xffff) return false;
  for (let factor = 2; factor * factor <= value; factor++) if (value % factor === 0) return false;
  return true;
}
