// The Gaussian-uniform mixture of prediction entropies (paper, equations 3 to 7): the Gaussian holds the easy samples, the
// uniform the hard ones. Plain numbers, fitted by EM; equal to the reference code under the options of "official".
import type { RandomStream } from "../random/stream.js";
import type { MixtureOptions } from "./objectiveOptions.js";

/** Start values and guards of the reference code; the paper gives none. */
const INITIAL_MIXING = 0.1; // pi
const INITIAL_UNIFORM_DENSITY = 0.2;
export const VARIANCE_FLOOR = 1e-3; // added to Sigma in the Gaussian's density
const SMALLEST_SPREAD = 1e-3; // below this squared half-width the uniform's density is set to it

export interface MixtureFit {
  /** Per sample, the posterior of the Gaussian: 1 - h, the probability of being easy. */
  easy: Float64Array;
  /** pi, the Gaussian's share. */
  mixing: number;
  /** Sigma, the Gaussian's variance (of the standardised series when the options standardise). */
  variance: number;
  /** Density of the uniform component. */
  uniformDensity: number;
  iterations: number;
}

/** The series that is fitted: entropies with flipped signs, so that a one-sided distribution becomes symmetric. */
export function signedEntropies(
  entropies: ArrayLike<number>,
  sign: MixtureOptions["sign"],
  stream: RandomStream,
): Float64Array {
  return Float64Array.from(entropies, (entropy, index) => {
    const flip = sign === "alternate" ? index % 2 === 0 : stream.bernoulli(0.5);
    return flip ? -entropy : entropy;
  });
}

/** Zero mean and unit (population) variance; a constant series becomes zero. */
function standardise(series: Float64Array): Float64Array {
  const mean = series.reduce((sum, value) => sum + value, 0) / series.length;
  const variance = series.reduce((sum, value) => sum + (value - mean) ** 2, 0) / series.length;
  const deviation = Math.sqrt(variance) || 1;
  return series.map((value) => (value - mean) / deviation);
}

/** Fits the mixture to a signed series. An empty series gives an empty fit. */
export function fitMixture(signed: Float64Array, options: MixtureOptions): MixtureFit {
  const series = options.standardise ? standardise(signed) : signed;
  const count = series.length;
  const easy = new Float64Array(count);
  let mixing = INITIAL_MIXING;
  let variance = count === 0 ? 0 : series.reduce((sum, value) => sum + value * value, 0) / count;
  let uniformDensity = INITIAL_UNIFORM_DENSITY;
  let previous = Number.NEGATIVE_INFINITY;
  let iterations = 0;

  while (count > 0 && iterations < options.maxIterations) {
    iterations += 1;
    // E step, equation 7 (first line): posterior of each component.
    const spread = variance + VARIANCE_FLOOR;
    const peak = 1 / Math.sqrt(2 * Math.PI * spread);
    const density = series.map((value) => peak * Math.exp((-value * value) / (2 * spread)));
    for (let i = 0; i < count; i++) {
      const gaussian = density[i]! * mixing;
      easy[i] = gaussian / (gaussian + (1 - mixing) * uniformDensity);
    }

    // M step: the Gaussian.
    let easySum = 0;
    let easySquares = 0;
    for (let i = 0; i < count; i++) {
      easySum += easy[i]!;
      easySquares += easy[i]! * series[i]! ** 2;
    }
    variance = easySquares / easySum;
    mixing = Math.min(easySum / count, options.mixingCap ?? 1);

    // M step: the uniform, from the first two moments of the hard samples.
    let first = 0; // eta_1
    let second = 0; // eta_2
    for (let i = 0; i < count; i++) {
      const weight = (1 - easy[i]!) / (1 - mixing + 1e-10) / easySum;
      first += weight * series[i]!;
      second += weight * series[i]! ** 2;
    }
    // Omega², or the reference code's version of it, which misses the factor 3 on the second term.
    const spreadSquared =
      options.omega === "paper" ? 3 * (second - first * first) : 3 * second - first * first;
    uniformDensity =
      spreadSquared < SMALLEST_SPREAD ? SMALLEST_SPREAD : 1 / (2 * Math.sqrt(spreadSquared) + 1e-10);

    let total = 0;
    for (let i = 0; i < count; i++) total += mixing * density[i]! + (1 - mixing) * uniformDensity;
    if (Math.abs(total - previous) < options.tolerance) break;
    previous = total;
  }
  return { easy, mixing, variance, uniformDensity, iterations };
}
