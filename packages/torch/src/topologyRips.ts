// The native core of persistent homology: Vietoris-Rips, degrees 0 to 3, on all processors. It is a `RipsCore` of
// @topofr/topology, whose `persistence(input, { core: nativeRips })` is what most callers want: that one checks its
// input, takes points and matrices, and returns diagrams.
//
// The types below are those of @topofr/topology (rips/core.ts), which this package must not import.
import { native } from "./native.js";
import { finished, limitsOf, type TopologyOptions, withErrors } from "./topologyComputation.js";

interface RipsQuestion {
  /** Number of points. */
  readonly n: number;
  /** Highest degree of homology. */
  readonly maxDimension: 0 | 1 | 2 | 3;
  /** Longer edges are not in the filtration. Diameter scale; may be Infinity. */
  readonly threshold: number;
  /** Prime p < 2^16: coefficients are in Z/p. */
  readonly modulus: number;
  /** Whether the simplices of each pair are wanted. */
  readonly representatives: boolean;
  /** Whether a cocycle of each pair is wanted; the reduction then runs on one thread. */
  readonly cocycles: boolean;
}

export interface NativeRipsProblem extends RipsQuestion {
  /** Lower triangle by rows: d(i, j), i > j, at i (i - 1) / 2 + j. Pairs that are never joined are +Infinity. */
  readonly distances: Float32Array;
}

export interface NativeSparseRipsProblem extends RipsQuestion {
  /** Ends of edge k: u[k] < v[k]; no pair twice. Pairs that are not named are never joined. */
  readonly u: Int32Array;
  readonly v: Int32Array;
  readonly lengths: Float32Array;
}

/** A cochain whose class lives from birth to death. Simplices are oriented by ascending vertices. */
export interface NativeCocycle {
  /** `[simplices, dimension + 1]` vertices, ascending in each row. */
  readonly simplices: Uint32Array;
  /** In 1 .. modulus - 1. */
  readonly coefficients: Uint32Array;
}

/** The pairs of one degree, without those of zero persistence. */
export interface NativeRipsPairs {
  readonly dimension: number;
  readonly births: Float32Array;
  /** Infinity: an essential class. */
  readonly deaths: Float32Array;
  /** `[pairs, dimension + 1]` vertices, ascending in each row. */
  readonly birthSimplices?: Uint32Array;
  /** `[pairs, dimension + 2]` vertices, ascending in each row; rows of 0xffffffff for essential classes. */
  readonly deathSimplices?: Uint32Array;
  readonly cocycles?: readonly NativeCocycle[];
}

/** Where a computation is. Columns differ much in cost: `done` of `total` is no estimate of time. */
export interface RipsProgress {
  /** Degree being computed. */
  readonly dimension: number;
  /** "columns": simplices are looked through; "reduction": columns are reduced. */
  readonly stage: "columns" | "reduction";
  readonly done: number;
  readonly total: number;
}

/**
 * Vietoris-Rips persistence on the calling thread and its helpers; blocks until it is done. Pairs, and with ties their
 * simplices, are those of the portable core; cocycles may differ from its by coboundaries.
 *
 * Distances are float32, as in Ripser. Memory: 4 n² + 4 n² bytes (matrix and sorted edges), plus the columns.
 *
 * @throws TopofrError `E_USAGE` for input that is no such problem, `E_DATA` when memory or the 2^63 numbers for
 *   simplices do not suffice.
 */
export const nativeRips: {
  (problem: NativeRipsProblem): NativeRipsPairs[];
  readonly sparse: (problem: NativeSparseRipsProblem) => NativeRipsPairs[];
} = Object.assign((problem: NativeRipsProblem) => solve(problem), {
  sparse: (problem: NativeSparseRipsProblem) => solve(problem),
});

/** As {@link nativeRips}, off the main thread, with progress and an end by `signal`. */
export async function nativeRipsAsync(
  problem: NativeRipsProblem | NativeSparseRipsProblem,
  options: TopologyOptions & { readonly onProgress?: (progress: RipsProgress) => void } = {},
): Promise<NativeRipsPairs[]> {
  const { onProgress, signal } = options;
  const pairs = await finished(
    () => native.startRips(problem, limitsOf(options)),
    signal,
    onProgress &&
      ((stage, done, total) =>
        onProgress({
          dimension: stage >> 1,
          stage: stage % 2 === 0 ? "columns" : "reduction",
          done,
          total,
        })),
  );
  return pairs as NativeRipsPairs[];
}

function solve(problem: NativeRipsProblem | NativeSparseRipsProblem): NativeRipsPairs[] {
  return withErrors(() => native.rips(problem, limitsOf({})) as NativeRipsPairs[]);
}
