// One report from embeddings and pairs: 10-fold accuracy, AUC, EER, TAR at FAR, ROC and distance
// histograms. The decisions are in folds.ts and roc.ts; text for people is in report.ts.

import { TopofrError } from "@topofr/formats";
import { farNote } from "@topofr/recognizer";
import { normalizeRows, pairDistances } from "./embeddings.js";
import { type FoldResult, foldedAccuracy } from "./folds.js";
import type { PairSet } from "./pairs.js";
import { areaUnderCurve, equalErrorRate, rocCurve, tarAtFar, thinCurve } from "./roc.js";

/** FAR targets of a report. */
export const FAR_TARGETS = [1e-1, 1e-2, 1e-3, 1e-4] as const;
/** Squared distances of unit vectors lie in 0..4. */
const HISTOGRAM_BINS = 80;
const LARGEST_DISTANCE = 4;

export interface TarAtFar {
  /** The FAR asked for, and the FAR at the threshold (at or below it). */
  far: number;
  farReached: number;
  tar: number;
  /** Squared distance up to which pairs are accepted; -infinity (null in JSON) when no pair may be. */
  threshold: number;
  /** Pairs of two people the FAR was measured on. */
  impostors: number;
  /** Why the number should not be trusted, or null. */
  note: string | null;
}

export interface DistanceHistogram {
  /** Width of a bin on the squared distance; bin k is [k·width, (k+1)·width), the last one closed. */
  binWidth: number;
  /** Pairs of one person, and of two, per bin. */
  same: number[];
  different: number[];
}

/** All thresholds are squared Euclidean distances of L2-normalised embeddings: 2 - 2·cosine. */
export interface VerificationReport {
  pairs: number;
  samePairs: number;
  /** Null when only scores were given. */
  images: number | null;
  dimension: number | null;
  /** Mean and standard deviation (ddof 0) of the folds' held-out accuracies, 0..1. */
  accuracy: number;
  accuracyStd: number;
  perFold: FoldResult[];
  bestThreshold: number;
  auc: number;
  eer: number;
  tarAtFar: TarAtFar[];
  /** ROC points for plotting, thinned. */
  roc: { far: number; tar: number }[];
  distances: DistanceHistogram;
}

/** Pairs by the places of their images; what an image is does not matter here. */
export type IndexedPairs = Pick<PairSet, "first" | "second" | "same" | "folds"> & {
  images: { readonly length: number };
};

/**
 * Verifies `pairs` by `embeddings` [images, dimension] (one row per `pairs.images`, in that order; image plus
 * mirror image where there is a flip test). Rows are L2-normalised here.
 *
 * E_DATA when the sizes do not fit, a value is NaN or infinite, or one kind of pair is missing.
 */
export function verifyPairs(embeddings: Float32Array, pairs: IndexedPairs): VerificationReport {
  const distances = distancesOfPairs(embeddings, pairs);
  const images = pairs.images.length;
  return { ...verifyDistances(distances, pairs), images, dimension: embeddings.length / images };
}

/** Squared Euclidean distance of each pair's normalised rows, 0..4. Errors as `verifyPairs`. */
export function distancesOfPairs(embeddings: Float32Array, pairs: IndexedPairs): Float64Array {
  const images = pairs.images.length;
  const dimension = embeddings.length / images;
  if (images === 0 || dimension === 0 || !Number.isInteger(dimension)) {
    throw new TopofrError(
      "E_DATA",
      `${embeddings.length} embedding numbers for ${images} images: expected the same number for each image`,
    );
  }
  return pairDistances(normalizeRows(embeddings, dimension), dimension, pairs.first, pairs.second);
}

/** The report on pairs whose squared distances (0..4) are known, in the order of the list. */
export function verifyDistances(
  distances: Float64Array,
  pairs: { same: Uint8Array; folds: number },
): VerificationReport {
  const curve = rocCurve(
    distances.map((distance) => -distance),
    pairs.same,
  );
  const { accuracy, accuracyStd, perFold, bestThreshold } = foldedAccuracy(distances, pairs.same, {
    folds: pairs.folds,
  });
  return {
    pairs: pairs.same.length,
    samePairs: curve.genuines,
    images: null,
    dimension: null,
    accuracy,
    accuracyStd,
    perFold,
    bestThreshold,
    auc: areaUnderCurve(curve),
    eer: equalErrorRate(curve),
    tarAtFar: FAR_TARGETS.map((far) => {
      const { farReached, tar, threshold } = tarAtFar(curve, far);
      const { impostors } = curve;
      return { far, farReached, tar, threshold: 0 - threshold, impostors, note: farNote(far, impostors) };
    }),
    roc: thinCurve(curve),
    distances: histogram(distances, pairs.same),
  };
}

function histogram(distances: Float64Array, same: Uint8Array): DistanceHistogram {
  const binWidth = LARGEST_DISTANCE / HISTOGRAM_BINS;
  const result = {
    binWidth,
    same: new Array<number>(HISTOGRAM_BINS).fill(0),
    different: new Array<number>(HISTOGRAM_BINS).fill(0),
  };
  distances.forEach((distance, k) => {
    const bin = Math.min(HISTOGRAM_BINS - 1, Math.floor(distance / binWidth));
    (same[k] === 1 ? result.same : result.different)[bin]! += 1;
  });
  return result;
}
