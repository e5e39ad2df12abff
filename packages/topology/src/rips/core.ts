// The contract between `persistence` and the code that computes it: what a core is given and what it returns.
// Two cores exist: portable.ts (TypeScript, Node and browsers) and the native one of @topofr/torch.

/** Fills the rows of `deathSimplices` that belong to essential classes: nothing kills them. */
export const NO_VERTEX = 0xffffffff;

/** What both forms of a problem have in common. */
interface RipsQuestion {
  /** Number of points, at least 1. */
  readonly n: number;
  /** Highest degree of homology. */
  readonly maxDimension: 0 | 1 | 2 | 3;
  /** Longer edges are not in the filtration. Diameter scale; may be Infinity. */
  readonly threshold: number;
  /** Prime p < 2^16: coefficients are in Z/p. */
  readonly modulus: number;
  /** Whether the simplices of each pair are wanted. */
  readonly representatives: boolean;
  /** Whether a cocycle of each pair is wanted. */
  readonly cocycles: boolean;
}

/** Distances are float32, as in Ripser: not negative, no NaN, no -0. */
export interface RipsProblem extends RipsQuestion {
  /** Lower triangle by rows: d(i, j), i > j, at i (i - 1) / 2 + j. Pairs that are never joined are +Infinity. */
  readonly distances: Float32Array;
}

/** The same for a list of edges; pairs that it does not name are never joined. */
export interface SparseRipsProblem extends RipsQuestion {
  /** Ends of edge k: u[k] < v[k]; no pair twice. */
  readonly u: Int32Array;
  readonly v: Int32Array;
  readonly lengths: Float32Array;
}

/**
 * The pairs of one degree, without those of zero persistence, in any order.
 *
 * Which simplices make a pair depends on how ties are broken. The order that the portable core uses, and that makes
 * its answer unique: edges by (length, smaller vertex, larger vertex); other simplices by their last edge in that
 * order, then by their remaining vertices, ascending, compared lexicographically. A core with another order returns
 * the same births and deaths.
 */
export interface RipsPairs {
  readonly dimension: number;
  readonly births: Float32Array;
  /** Infinity: an essential class. */
  readonly deaths: Float32Array;
  /** `[pairs, dimension + 1]` vertices, ascending in each row. */
  readonly birthSimplices?: Uint32Array;
  /** `[pairs, dimension + 2]` vertices, ascending in each row; rows of {@link NO_VERTEX} for essential classes. */
  readonly deathSimplices?: Uint32Array;
  /** One for each pair. */
  readonly cocycles?: readonly Cocycle[];
}

/** A cochain whose class lives from birth to death. Simplices are oriented by ascending vertices. */
export interface Cocycle {
  /** `[simplices, dimension + 1]` vertices, ascending in each row. */
  readonly simplices: Uint32Array;
  /** In 1 .. modulus - 1, one for each simplex. */
  readonly coefficients: Uint32Array;
}

/** Returns the pairs of degrees 0 .. maxDimension. */
export interface RipsCore {
  (problem: RipsProblem): RipsPairs[];
  /** For lists of edges. A core without it is given a triangle with infinities instead. */
  readonly sparse?: (problem: SparseRipsProblem) => RipsPairs[];
}
