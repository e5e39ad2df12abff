// Receiver operating characteristic of verification scores: FAR (false accept rate) against TAR (true
// accept rate), area under it, equal error rate, and two ways to read TAR at a FAR. Pure numbers.
// The fold-wise "val" rule of insightface is in validationRate.ts.

import { TopofrError } from "@topofr/formats";
import { sortScores } from "./sortScores.js";

/** Similarity of pairs, in the precision in which they were computed. */
export type Scores = Float32Array | Float64Array;
/** Numbers of pairs; float64 where they may pass 2^32. */
export type Counts = Uint32Array | Float64Array;

/**
 * One point per distinct score, from strict to lenient, after a first point that accepts nothing. A pair is
 * accepted when its score is at least the threshold, so pairs with equal scores enter together.
 */
export interface RocCurve {
  /** Threshold of each point; the first is +infinity. */
  thresholds: Scores;
  /** Accepted pairs of one person and of two people at each point. */
  trueAccepts: Counts;
  falseAccepts: Counts;
  /** Pairs of one person, and of two people, in all. */
  genuines: number;
  impostors: number;
}

/** TAR read off a curve at a FAR target. */
export interface RatePoint {
  /** The FAR asked for. */
  far: number;
  /** The FAR of the point that was read. */
  farReached: number;
  tar: number;
  threshold: number;
}

/**
 * The curve of `scores` (higher is more alike) with `same` 1 for pairs of one person and 0 otherwise.
 * E_DATA when a score is NaN or when either kind of pair is missing, since no rate exists then.
 */
export function rocCurve(scores: Scores, same: Uint8Array): RocCurve {
  if (scores.length !== same.length) {
    throw new TopofrError("E_DATA", `${scores.length} scores for ${same.length} same/different flags`);
  }
  let genuines = 0;
  for (let k = 0; k < same.length; k++) if (same[k] !== 0) genuines += 1;
  const impostors = same.length - genuines;
  if (genuines === 0 || impostors === 0) {
    throw new TopofrError(
      "E_DATA",
      `${genuines} same and ${impostors} different pairs: a ROC, AUC or TAR at FAR needs both kinds`,
    );
  }
  // Two sorted lists, merged: typed-array sort is fast and 16 million IJB-C pairs need no index array.
  const Values = scores instanceof Float32Array ? Float32Array : Float64Array;
  const own = new Values(genuines);
  const other = new Values(impostors);
  let ownCount = 0;
  for (let k = 0; k < scores.length; k++) {
    const score = scores[k]!;
    if (Number.isNaN(score)) throw new TopofrError("E_DATA", `pair ${k}: score is NaN`);
    if (same[k] === 0) other[k - ownCount] = score;
    else own[ownCount++] = score;
  }
  sortScores(own);
  sortScores(other);

  const thresholds = new Values(scores.length + 1);
  const trueAccepts = new Uint32Array(scores.length + 1);
  const falseAccepts = new Uint32Array(scores.length + 1);
  thresholds[0] = Number.POSITIVE_INFINITY;
  let i = genuines - 1;
  let j = impostors - 1;
  let points = 1;
  while (i >= 0 || j >= 0) {
    const score = i < 0 ? other[j]! : j < 0 ? own[i]! : Math.max(own[i]!, other[j]!);
    while (i >= 0 && own[i] === score) i -= 1;
    while (j >= 0 && other[j] === score) j -= 1;
    thresholds[points] = score;
    trueAccepts[points] = genuines - 1 - i;
    falseAccepts[points] = impostors - 1 - j;
    points += 1;
  }
  return {
    thresholds: thresholds.subarray(0, points),
    trueAccepts: trueAccepts.subarray(0, points),
    falseAccepts: falseAccepts.subarray(0, points),
    genuines,
    impostors,
  };
}

/**
 * Area under the curve by trapezoids: the probability that a pair of one person scores higher than a pair
 * of two people, ties counted one half (Mann-Whitney).
 */
export function areaUnderCurve(curve: RocCurve): number {
  let doubled = 0;
  for (let k = 1; k < curve.thresholds.length; k++) {
    const width = curve.falseAccepts[k]! - curve.falseAccepts[k - 1]!;
    doubled += width * (curve.trueAccepts[k]! + curve.trueAccepts[k - 1]!);
  }
  return doubled / (2 * curve.genuines * curve.impostors);
}

/** Where FAR equals 1 - TAR, with a straight line between the two points around the crossing. */
export function equalErrorRate(curve: RocCurve): number {
  // gap = FAR - (1 - TAR) rises from -1 at the first point to +1 at the last.
  const gap = (k: number) =>
    curve.falseAccepts[k]! / curve.impostors + curve.trueAccepts[k]! / curve.genuines - 1;
  let k = 1;
  while (gap(k) < 0) k += 1;
  const before = gap(k - 1);
  const share = -before / (gap(k) - before);
  const far = curve.falseAccepts[k - 1]! + share * (curve.falseAccepts[k]! - curve.falseAccepts[k - 1]!);
  return far / curve.impostors;
}

/**
 * TAR at the most lenient threshold whose FAR does not exceed the target. Nothing is interpolated, so the
 * rate is one that a system with this threshold reaches on these pairs.
 */
export function tarAtFar(curve: RocCurve, farTarget: number): RatePoint {
  // FAR never falls along the curve: the answer is the last point at or below the target.
  let low = 0;
  let high = curve.thresholds.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (curve.falseAccepts[middle]! / curve.impostors <= farTarget) low = middle;
    else high = middle - 1;
  }
  return ratePoint(curve, low, farTarget);
}

/**
 * TAR at the point of the curve with the nearest FAR to each target, the rule of insightface's IJB-B/C scripts, on
 * the curve without its collinear points, as scikit-learn's `roc_curve` gives it by default. Of equally
 * near points the most lenient one counts. It may read a FAR above the target.
 */
export function tarsAtNearestFars(curve: RocCurve, farTargets: readonly number[]): RatePoint[] {
  const corners = dropCollinear(curve);
  return farTargets.map((farTarget) => {
    let best = 0;
    let bestGap = Number.POSITIVE_INFINITY;
    for (let k = corners.thresholds.length - 1; k >= 0; k--) {
      const gap = Math.abs(corners.falseAccepts[k]! / corners.impostors - farTarget);
      if (gap < bestGap) {
        best = k;
        bestGap = gap;
      }
    }
    return ratePoint(corners, best, farTarget);
  });
}

function ratePoint(curve: RocCurve, k: number, far: number): RatePoint {
  return {
    far,
    farReached: curve.falseAccepts[k]! / curve.impostors,
    tar: curve.trueAccepts[k]! / curve.genuines,
    threshold: curve.thresholds[k]!,
  };
}

/**
 * The curve without the points that lie between two equal steps, as scikit-learn's `drop_intermediate`
 * does: a point goes when the counts grow by the same amounts before and after it. The first point (nothing
 * accepted), the one after it, and the last stay.
 */
export function dropCollinear(curve: RocCurve): RocCurve {
  const { trueAccepts, falseAccepts, thresholds } = curve;
  const last = thresholds.length - 1;
  const kept = new Uint32Array(thresholds.length);
  let count = 0;
  for (let k = 0; k <= last; k++) {
    if (k <= 1 || k === last || bends(trueAccepts, k) || bends(falseAccepts, k)) kept[count++] = k;
  }
  const points = kept.subarray(0, count);
  return {
    ...curve,
    thresholds: pick(thresholds, points),
    trueAccepts: pick(trueAccepts, points),
    falseAccepts: pick(falseAccepts, points),
  };
}

function pick(values: Scores | Counts, points: Uint32Array): Float64Array {
  const result = new Float64Array(points.length);
  for (let k = 0; k < points.length; k++) result[k] = values[points[k]!]!;
  return result;
}

function bends(counts: Counts, k: number): boolean {
  return counts[k + 1]! - counts[k]! !== counts[k]! - counts[k - 1]!;
}

/**
 * Points for a plot, at most about `2·resolution`: a point is kept when TAR, or FAR on a logarithmic axis
 * from 1/impostors to 1, has moved by 1/resolution since the last one kept. Both ends are kept.
 */
export function thinCurve(curve: RocCurve, resolution = 200): { far: number; tar: number }[] {
  const { impostors, genuines } = curve;
  // log10 of FAR in units of the axis; a FAR of 0 sits one decade left of the smallest measurable one.
  const decades = Math.log10(impostors) + 1;
  const place = (falseAccepts: number) =>
    falseAccepts === 0 ? 0 : (Math.log10(falseAccepts) + 1) / Math.max(decades, 1);
  const last = curve.thresholds.length - 1;
  const kept: { far: number; tar: number }[] = [];
  let keptPlace = 0;
  let keptTar = 0;
  for (let k = 0; k <= last; k++) {
    const tar = curve.trueAccepts[k]! / genuines;
    const here = place(curve.falseAccepts[k]!);
    const moved = here - keptPlace >= 1 / resolution || tar - keptTar >= 1 / resolution;
    if (k !== 0 && k !== last && !moved) continue;
    kept.push({ far: curve.falseAccepts[k]! / impostors, tar });
    keptPlace = here;
    keptTar = tar;
  }
  return kept;
}
