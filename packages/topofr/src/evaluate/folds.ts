// K-fold accuracy of pair verification as the field reports it on LFW, CFP-FP, AgeDB-30, CALFW and CPLFW
// (arcface_torch's eval/verification). The ROC over all pairs is in roc.ts.
// Each pair is put in the histogram bin of the first threshold that accepts it, per fold, so that every
// count at every threshold is a running sum: O(pairs + folds·thresholds).

import { TopofrError } from "@topofr/formats";

/** Thresholds i·0.01 for i = 0..399 on the squared Euclidean distance, numpy's `arange(0, 4, 0.01)`. */
export const ACCURACY_THRESHOLD_STEP = 0.01;
export const ACCURACY_THRESHOLD_COUNT = 400;

export interface FoldResult {
  /** Share of right decisions on the held-out fold. */
  accuracy: number;
  /** Squared distance below which a pair was called the same, chosen on the other folds. */
  threshold: number;
  /** Pairs in the held-out fold. */
  pairs: number;
}

export interface FoldedAccuracy {
  /** Mean of the folds' accuracies. */
  accuracy: number;
  /** Standard deviation over folds, ddof 0 (divided by the number of folds). */
  accuracyStd: number;
  perFold: FoldResult[];
  /** The threshold that is right most often on all pairs together (the lowest, if several are). */
  bestThreshold: number;
  /** Mean over folds of the held-out true and false positive rate, one per threshold; 0 without such pairs. */
  truePositiveRate: Float64Array;
  falsePositiveRate: Float64Array;
}

/** Half-open ranges of `count` items in `folds` contiguous parts; the first `count % folds` have one more. */
export function contiguousFolds(count: number, folds: number): { start: number; end: number }[] {
  if (!Number.isInteger(folds) || folds < 2) {
    throw new TopofrError("E_USAGE", `${folds} folds: expected a whole number of 2 or more`);
  }
  if (count < folds) {
    throw new TopofrError("E_DATA", `${count} pairs cannot be divided into ${folds} folds`);
  }
  const small = Math.floor(count / folds);
  const larger = count % folds;
  return Array.from({ length: folds }, (_, k) => ({
    start: k * small + Math.min(k, larger),
    end: (k + 1) * small + Math.min(k + 1, larger),
  }));
}

/** Refuses distances and flags that do not belong together, NaN distances and flags other than 0 and 1. */
export function checkPairs(distances: Float64Array, same: Uint8Array): void {
  if (distances.length !== same.length) {
    throw new TopofrError("E_DATA", `${distances.length} distances for ${same.length} same/different flags`);
  }
  for (let k = 0; k < distances.length; k++) {
    if (!(distances[k]! >= 0 && distances[k]! < Number.POSITIVE_INFINITY)) {
      throw new TopofrError("E_DATA", `pair ${k}: distance is ${distances[k]}`);
    }
    if (same[k]! > 1) {
      throw new TopofrError("E_DATA", `pair ${k}: flag is ${same[k]}, expected 1 (same) or 0 (different)`);
    }
  }
}

/**
 * Counts of accepted pairs per fold and threshold. `counts.same[fold·thresholds + t]` is how many pairs of
 * one person in that fold have a distance strictly below `t·step`.
 */
export interface AcceptCounts {
  folds: number;
  thresholds: number;
  step: number;
  same: Uint32Array;
  different: Uint32Array;
  sameTotal: Uint32Array;
  differentTotal: Uint32Array;
}

/** Accepted pairs per contiguous fold at thresholds 0, step, 2·step … (strictly below). */
export function countAccepted(
  distances: Float64Array,
  same: Uint8Array,
  options: { folds: number; step: number; thresholds: number },
): AcceptCounts {
  checkPairs(distances, same);
  const { folds, step, thresholds } = options;
  const counts: AcceptCounts = {
    folds,
    thresholds,
    step,
    same: new Uint32Array(folds * thresholds),
    different: new Uint32Array(folds * thresholds),
    sameTotal: new Uint32Array(folds),
    differentTotal: new Uint32Array(folds),
  };
  contiguousFolds(distances.length, folds).forEach(({ start, end }, fold) => {
    for (let k = start; k < end; k++) {
      const isSame = same[k] === 1;
      (isSame ? counts.sameTotal : counts.differentTotal)[fold]! += 1;
      const bin = firstThresholdAbove(distances[k]!, step);
      if (bin < thresholds) (isSame ? counts.same : counts.different)[fold * thresholds + bin]! += 1;
    }
    for (let t = fold * thresholds + 1; t < (fold + 1) * thresholds; t++) {
      counts.same[t]! += counts.same[t - 1]!;
      counts.different[t]! += counts.different[t - 1]!;
    }
  });
  return counts;
}

/** The smallest i with distance < i·step, the product rounded to float64 as numpy's arange does. */
function firstThresholdAbove(distance: number, step: number): number {
  let i = Math.floor(distance / step);
  while (i > 0 && distance < (i - 1) * step) i -= 1;
  while (distance >= i * step) i += 1;
  return i;
}

/**
 * Verification accuracy of `distances` (squared Euclidean, of L2-normalised embeddings) under K-fold
 * cross-validation: folds are contiguous, a pair is called the same when its distance is strictly below the
 * threshold, the threshold is the first that is right most often on the other folds, and the accuracy is
 * that of the held-out fold. `same` holds 1 for a pair of one person, 0 otherwise.
 */
export function foldedAccuracy(
  distances: Float64Array,
  same: Uint8Array,
  options: { folds?: number } = {},
): FoldedAccuracy {
  const folds = options.folds ?? 10;
  const thresholds = ACCURACY_THRESHOLD_COUNT;
  const step = ACCURACY_THRESHOLD_STEP;
  const counts = countAccepted(distances, same, { folds, step, thresholds });

  // Right decisions: same pairs accepted plus different pairs refused.
  const right = (fold: number, t: number) =>
    counts.same[fold * thresholds + t]! +
    counts.differentTotal[fold]! -
    counts.different[fold * thresholds + t]!;
  const rightInAll = Uint32Array.from({ length: thresholds }, (_, t) => {
    let sum = 0;
    for (let fold = 0; fold < folds; fold++) sum += right(fold, t);
    return sum;
  });

  const perFold = Array.from({ length: folds }, (_, fold): FoldResult => {
    const pairs = counts.sameTotal[fold]! + counts.differentTotal[fold]!;
    const best = firstMaximum(thresholds, (t) => rightInAll[t]! - right(fold, t));
    return { accuracy: right(fold, best) / pairs, threshold: best * step, pairs };
  });
  const accuracies = perFold.map((fold) => fold.accuracy);
  const accuracy = mean(accuracies);
  return {
    accuracy,
    accuracyStd: Math.sqrt(mean(accuracies.map((value) => (value - accuracy) ** 2))),
    perFold,
    bestThreshold: firstMaximum(thresholds, (t) => rightInAll[t]!) * step,
    truePositiveRate: meanRate(counts.same, counts.sameTotal, thresholds),
    falsePositiveRate: meanRate(counts.different, counts.differentTotal, thresholds),
  };
}

function firstMaximum(count: number, value: (index: number) => number): number {
  let best = 0;
  for (let i = 1; i < count; i++) if (value(i) > value(best)) best = i;
  return best;
}

function meanRate(accepted: Uint32Array, totals: Uint32Array, thresholds: number): Float64Array {
  return Float64Array.from({ length: thresholds }, (_, t) => {
    let sum = 0;
    totals.forEach((total, fold) => {
      if (total > 0) sum += accepted[fold * thresholds + t]! / total;
    });
    return sum / totals.length;
  });
}

function mean(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
