// IJB-B and IJB-C 1:1 verification from scores, as insightface's eval_ijbc reads it. Before it: ijbMeta.ts (files), ijbTemplates.ts
// (image features to templates), ijbScores.ts (pairs to scores). 1:N: identification.ts.

import { farNote } from "@topofr/recognizer";
import {
  areaUnderCurve,
  equalErrorRate,
  type RatePoint,
  rocCurve,
  tarsAtNearestFars,
  thinCurve,
} from "./roc.js";

/** FAR targets of the published tables. */
export const IJB_FAR_TARGETS = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1] as const;

export interface IjbReport {
  auc: number;
  eer: number;
  /** TAR at the nearest FAR of the ROC, for `IJB_FAR_TARGETS`; `note` says why a number should not be trusted, or is null. */
  tarAtFar: (RatePoint & { note: string | null })[];
  genuines: number;
  impostors: number;
  /** ROC points for plotting, thinned. */
  roc: { far: number; tar: number }[];
}

/**
 * The 1:1 protocol: AUC, and TAR at the nearest FAR of the ROC.
 *
 * @param scores one per pair, higher is more alike
 * @param same 1 for pairs of one subject, else 0
 * @throws E_DATA for NaN, or when one kind of pair is missing
 */
export function verifyTemplates(scores: Float32Array | Float64Array, same: Uint8Array): IjbReport {
  const curve = rocCurve(scores, same);
  const { genuines, impostors } = curve;
  return {
    auc: areaUnderCurve(curve),
    eer: equalErrorRate(curve),
    tarAtFar: tarsAtNearestFars(curve, IJB_FAR_TARGETS).map((point) => ({
      ...point,
      note: farNote(point.far, impostors),
    })),
    genuines,
    impostors,
    roc: thinCurve(curve),
  };
}
