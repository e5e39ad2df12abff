// Subsample bands: Betti curves of many small samples of a set that is too large for its own. Each sample is a
// smaller set, not the set: the curves describe what a sample of that size looks like, and that is what the band is
// of (Chazal et al. 2015, "Subsampling methods for persistent homology").

import type { PersistenceDiagram } from "../diagram.js";
import { TopologyError } from "../error.js";
import { bettiCurve } from "../summaries/bettiCurve.js";
import { quantile } from "../summaries/statistics.js";

/** A source of random whole numbers of 0 .. n - 1, such as a seeded stream. */
export interface RandomIntegers {
  integer(n: number): number;
}

export interface SubsampleOptions {
  /** Points of the whole set. */
  readonly size: number;
  /** Points of a sample, drawn without replacement. */
  readonly sampleSize: number;
  /** Number of samples, at least 2. */
  readonly samples: number;
  readonly random: RandomIntegers;
  /** Diagrams of the points of one sample, each degree at most once. Indices ascend. */
  readonly diagramsOf: (indices: Uint32Array) => readonly PersistenceDiagram[];
  /** Scales of the curves, in the unit of the diagrams. */
  readonly scales: ArrayLike<number>;
  /** Share of samples inside the spread, and confidence of the mean's band; 0.95 unless given. */
  readonly level?: number;
  /** Called after each sample. */
  readonly onProgress?: (done: number, samples: number) => void;
}

/** Betti curves of one degree over the samples; every array has one entry for each scale. */
export interface BettiBand {
  readonly dimension: number;
  readonly scales: Float64Array;
  readonly sampleSize: number;
  readonly samples: number;
  readonly level: number;
  readonly mean: Float64Array;
  /** At each scale, the middle `level` of the samples' curves. */
  readonly spread: { readonly low: Float64Array; readonly high: Float64Array };
  /**
   * Holds the whole expected curve with probability about `level`: the mean plus and minus a multiple of its standard
   * error at each scale, the multiple being the bootstrapped `level` quantile of the largest studentized deviation.
   */
  readonly confidence: { readonly low: Float64Array; readonly high: Float64Array };
}

const BOOTSTRAPS = 1000;

/**
 * Draws the samples, computes their diagrams and summarises the Betti curves, a band for each degree that occurs.
 * A degree that a sample's diagrams lack counts as empty there.
 *
 * @throws TopologyError `E_OPTION` for options out of range; `E_DIAGRAM` for diagrams that `bettiCurve` refuses.
 */
export function subsampleBands(options: SubsampleOptions): BettiBand[] {
  const { size, sampleSize, samples, random, diagramsOf, level = 0.95, onProgress } = options;
  const scales = Float64Array.from(options.scales);
  const refuse = (what: string, found: number, expected: string) => {
    throw new TopologyError("E_OPTION", `subsamples: ${what} is ${found}; ${expected} expected`);
  };
  if (!Number.isSafeInteger(size) || size < 1) refuse("size", size, "a whole number of at least 1");
  if (!Number.isSafeInteger(sampleSize) || sampleSize < 1 || sampleSize > size) {
    refuse("sampleSize", sampleSize, `a whole number of 1 to ${size}`);
  }
  if (!Number.isSafeInteger(samples) || samples < 2)
    refuse("samples", samples, "a whole number of at least 2");
  if (!(level > 0 && level < 1)) refuse("level", level, "a number between 0 and 1");

  const curves = new Map<number, (Uint32Array | undefined)[]>();
  for (let sample = 0; sample < samples; sample++) {
    for (const diagram of diagramsOf(drawSample(size, sampleSize, random))) {
      const ofDegree = curves.get(diagram.dimension) ?? [];
      ofDegree[sample] = bettiCurve(diagram, scales);
      curves.set(diagram.dimension, ofDegree);
    }
    onProgress?.(sample + 1, samples);
  }
  return [...curves.entries()]
    .sort(([one], [other]) => one - other)
    .map(([dimension, found]) => {
      const complete = Array.from({ length: samples }, (_, k) => found[k] ?? new Uint32Array(scales.length));
      return { dimension, scales, sampleSize, samples, level, ...summarized(complete, level, random) };
    });
}

/** `count` distinct whole numbers below `size`, all sets equally likely, ascending (Floyd's algorithm). */
export function drawSample(size: number, count: number, random: RandomIntegers): Uint32Array {
  const chosen = new Set<number>();
  for (let last = size - count; last < size; last++) {
    const drawn = random.integer(last + 1);
    chosen.add(chosen.has(drawn) ? last : drawn);
  }
  return Uint32Array.from(chosen).sort();
}

function summarized(
  curves: readonly Uint32Array[],
  level: number,
  random: RandomIntegers,
): Pick<BettiBand, "mean" | "spread" | "confidence"> {
  const mean = meanOf(curves);
  const tail = (1 - level) / 2;
  const atScales = Array.from(mean, (_, s) => Float64Array.from(curves, (curve) => curve[s]!).sort());
  const error = Float64Array.from(mean, (center, s) => {
    const squares = curves.reduce((sum, curve) => sum + (curve[s]! - center) ** 2, 0);
    return Math.sqrt(squares / (curves.length - 1) / curves.length);
  });
  const deviations = Float64Array.from({ length: BOOTSTRAPS }, () => {
    const resampled = meanOf(curves.map(() => curves[random.integer(curves.length)]!));
    return resampled.reduce(
      (most, value, s) => (error[s]! > 0 ? Math.max(most, Math.abs(value - mean[s]!) / error[s]!) : most),
      0,
    );
  }).sort();
  const multiple = quantile(deviations, level);
  return {
    mean,
    spread: {
      low: Float64Array.from(atScales, (values) => quantile(values, tail)),
      high: Float64Array.from(atScales, (values) => quantile(values, 1 - tail)),
    },
    confidence: {
      low: mean.map((value, s) => Math.max(0, value - multiple * error[s]!)),
      high: mean.map((value, s) => value + multiple * error[s]!),
    },
  };
}

function meanOf(curves: readonly Uint32Array[]): Float64Array {
  const mean = new Float64Array(curves[0]!.length);
  for (const curve of curves) for (let s = 0; s < mean.length; s++) mean[s]! += curve[s]!;
  return mean.map((total) => total / curves.length);
}
