// From the scores of an evaluation to the threshold of a product: the cosine from which two faces are called one person's. From its
// report: reportThreshold.ts.
import { TopofrError } from "@topofr/formats/error";
import { farNote } from "./farNote.js";

export interface Calibration {
  /** Cosine; two faces are one person's when their similarity is at least this. */
  threshold: number;
  /** The false accept rate asked for, and the one of this threshold on these scores. */
  far: number;
  farReached: number;
  /** Share of the pairs of one person that this threshold accepts. */
  tar: number;
  /** Pairs of two people and of one that were measured; null where a report does not say. */
  impostors: number | null;
  genuines: number | null;
  /** Why the number should not be trusted, or null. */
  note: string | null;
}

/** Cosines of pairs. */
export interface PairSimilarities {
  /** Of two people. */
  impostor: ArrayLike<number>;
  /** Of one person. */
  genuine: ArrayLike<number>;
}

/**
 * The most lenient threshold whose false accept rate on these scores does not exceed `far`. It is one of the scores, and nothing is
 * interpolated: the rule of `topofr evaluate` for LFW and groups.
 *
 * @throws E_USAGE for a FAR outside 0..1; E_DATA when a kind of pair is missing, a score is not finite, or every threshold that
 *   accepts anything has a higher FAR
 */
export function calibrateThreshold(
  { impostor, genuine }: PairSimilarities,
  { far }: { far: number },
): Calibration {
  checkFar(far);
  const impostors = impostor.length;
  const genuines = genuine.length;
  if (impostors === 0 || genuines === 0)
    throw new TopofrError(
      "E_DATA",
      `${genuines} pairs of one person and ${impostors} of two: a threshold needs both`,
    );
  const others = sorted(impostor, "impostor");
  const own = sorted(genuine, "genuine");
  let allowed = Math.min(impostors, Math.floor(far * impostors) + 1);
  while (allowed / impostors > far) allowed -= 1; // rounding of the product may be one off, either way
  // The first false accept too many; the threshold is the lowest score above it.
  const excess = allowed === impostors ? Number.NEGATIVE_INFINITY : others[impostors - 1 - allowed]!;
  const [first, firstOwn] = [firstAbove(others, excess), firstAbove(own, excess)];
  const threshold = Math.min(
    others[first] ?? Number.POSITIVE_INFINITY,
    own[firstOwn] ?? Number.POSITIVE_INFINITY,
  );
  if (threshold === Number.POSITIVE_INFINITY)
    throw new TopofrError(
      "E_DATA",
      `no threshold has a FAR of at most ${far}: the most alike pair of ${impostors + genuines} (${excess}) is of two people; ` +
        "ask for a higher FAR or take more pairs",
    );
  return {
    threshold,
    far,
    farReached: (impostors - first) / impostors,
    tar: (genuines - firstOwn) / genuines,
    impostors,
    genuines,
    note: farNote(far, impostors),
  };
}

/** @throws E_USAGE outside 0..1 */
export function checkFar(far: number): void {
  if (!(far >= 0 && far <= 1)) throw new TopofrError("E_USAGE", `far ${far}: expected a rate, 0 to 1`);
}

function sorted(scores: ArrayLike<number>, kind: string): Float64Array {
  const values = Float64Array.from(scores);
  const broken = values.findIndex((score) => !Number.isFinite(score));
  if (broken >= 0) throw new TopofrError("E_DATA", `${kind} score ${broken} is ${values[broken]}`);
  return values.sort();
}

/** Index of the first of the ascending `values` that is above `limit`; their number when none is. */
function firstAbove(values: Float64Array, limit: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (values[middle]! > limit) high = middle;
    else low = middle + 1;
  }
  return low;
}
