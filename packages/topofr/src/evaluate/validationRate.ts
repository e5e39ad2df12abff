// The "val" number of insightface's verification script: TAR at a FAR target, with the threshold read off
// the other folds by interpolation. For TAR at FAR on all pairs at once see roc.ts.

import { TopofrError } from "@topofr/formats";
import { type AcceptCounts, countAccepted } from "./folds.js";

/** Thresholds i·0.001 for i = 0..3999 on the squared distance, numpy's `arange(0, 4, 0.001)`. */
const STEP = 0.001;
const THRESHOLDS = 4000;

export interface ValidationRate {
  /** Mean over folds of the share of same pairs accepted ("val"), and its standard deviation (ddof 0). */
  validationRate: number;
  validationRateStd: number;
  /** Mean over folds of the share of different pairs accepted on the held-out fold. */
  far: number;
}

/**
 * TAR at `farTarget` by insightface's rule. Per contiguous fold: the FAR of the other folds at each
 * threshold; the threshold where it crosses the target, by linear interpolation between the first threshold
 * that reaches the target and the one before (0 when none reaches it); then TAR and FAR of the held-out fold
 * strictly below that threshold. Every fold needs pairs of both kinds, else E_DATA.
 */
export function validationRateAtFar(
  distances: Float64Array,
  same: Uint8Array,
  options: { farTarget: number; folds?: number },
): ValidationRate {
  const folds = options.folds ?? 10;
  const counts = countAccepted(distances, same, { folds, step: STEP, thresholds: THRESHOLDS });
  const rates: number[] = [];
  let farSum = 0;
  let start = 0;
  for (let fold = 0; fold < folds; fold++) {
    const sameTotal = counts.sameTotal[fold]!;
    const differentTotal = counts.differentTotal[fold]!;
    if (sameTotal === 0 || differentTotal === 0) {
      throw new TopofrError(
        "E_DATA",
        `fold ${fold + 1} of ${folds} has ${sameTotal} same and ${differentTotal} different pairs; ` +
          "TAR at FAR by folds needs both in each",
      );
    }
    const threshold = interpolatedThreshold(counts, fold, options.farTarget);
    let accepted = 0;
    let falselyAccepted = 0;
    const end = start + sameTotal + differentTotal;
    for (let k = start; k < end; k++) {
      if (distances[k]! >= threshold) continue;
      if (same[k] === 1) accepted += 1;
      else falselyAccepted += 1;
    }
    start = end;
    rates.push(accepted / sameTotal);
    farSum += falselyAccepted / differentTotal;
  }
  const rate = rates.reduce((sum, value) => sum + value, 0) / folds;
  return {
    validationRate: rate,
    validationRateStd: Math.sqrt(rates.reduce((sum, value) => sum + (value - rate) ** 2, 0) / folds),
    far: farSum / folds,
  };
}

function interpolatedThreshold(counts: AcceptCounts, heldOut: number, farTarget: number): number {
  let total = 0;
  for (let fold = 0; fold < counts.folds; fold++) {
    if (fold !== heldOut) total += counts.differentTotal[fold]!;
  }
  const farAt = (t: number): number => {
    let accepted = 0;
    for (let fold = 0; fold < counts.folds; fold++) {
      if (fold !== heldOut) accepted += counts.different[fold * counts.thresholds + t]!;
    }
    return accepted / total;
  };
  let above = 0;
  while (above < counts.thresholds && farAt(above) < farTarget) above += 1;
  if (above === 0 || above === counts.thresholds) return 0;
  const low = farAt(above - 1);
  const share = (farTarget - low) / (farAt(above) - low);
  return (above - 1 + share) * counts.step;
}
