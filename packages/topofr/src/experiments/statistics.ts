// Means over seeds and the paired t test between two methods trained with the same seeds. Pure numbers; no outliers are removed.

/** Of one quantity over seeds. */
export interface Spread {
  n: number;
  mean: number;
  /** Over n - 1; null for one value. */
  std: number | null;
  /** 95 % confidence interval of the mean, by Student's t; null for one value. */
  interval: [low: number, high: number] | null;
}

/** Of the differences value - baseline, seed by seed. */
export interface PairedTest {
  n: number;
  meanDifference: number;
  /** 95 % confidence interval of the mean difference. */
  interval: [low: number, high: number];
  /** Student's t with n - 1 degrees of freedom; null when all differences are the same. */
  t: number | null;
  /** Two-sided; null with `t`. */
  p: number | null;
}

const CONFIDENCE = 0.95;

/** @param values at least one, finite */
export function spreadOf(values: readonly number[]): Spread {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  if (n < 2) return { n, mean, std: null, interval: null };
  const std = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1));
  return { n, mean, std, interval: intervalOf(mean, std, n) };
}

/**
 * The paired t test: are the differences between two methods, seed by seed, other than 0? It takes them as normal, which a few
 * seeds cannot show. Null for fewer than two pairs.
 *
 * @param values, baseline of the same seeds, in the same order
 */
export function pairedTest(values: readonly number[], baseline: readonly number[]): PairedTest | null {
  const differences = values.map((value, index) => value - baseline[index]!);
  const { n, mean, std } = spreadOf(differences);
  if (n < 2 || std === null) return null;
  // Differences that are equal but for rounding have no spread to compare with.
  const isConstant = std <= 1e-12 * Math.max(...values.map(Math.abs), ...baseline.map(Math.abs));
  const t = isConstant ? null : mean / (std / Math.sqrt(n));
  const p = t === null ? null : twoSidedP(t, n - 1);
  return { n, meanDifference: mean, interval: intervalOf(mean, std, n), t, p };
}

/** Probability of |T| >= |t| under Student's t with `degrees` of freedom. */
export function twoSidedP(t: number, degrees: number): number {
  return incompleteBeta(degrees / (degrees + t * t), degrees / 2, 0.5);
}

/** The t with |T| below it with probability `confidence`. */
export function tQuantile(confidence: number, degrees: number): number {
  let [low, high] = [0, 1];
  while (twoSidedP(high, degrees) > 1 - confidence) high *= 2;
  for (let i = 0; i < 100; i++) {
    const middle = (low + high) / 2;
    if (twoSidedP(middle, degrees) > 1 - confidence) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

function intervalOf(mean: number, std: number, n: number): [number, number] {
  const half = (tQuantile(CONFIDENCE, n - 1) * std) / Math.sqrt(n);
  return [mean - half, mean + half];
}

/** Regularised incomplete beta function I_x(a, b), by its continued fraction (Abramowitz and Stegun 26.5.8), Lentz's method. */
export function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a); // where the fraction converges quickly
  const front = Math.exp(
    a * Math.log(x) + b * Math.log1p(-x) - Math.log(a) - (logGamma(a) + logGamma(b) - logGamma(a + b)),
  );
  const tiny = 1e-300;
  let c = 1;
  let d = 1 / nonZero(1 - ((a + b) * x) / (a + 1), tiny);
  let fraction = d;
  for (let m = 1; m <= 1000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    for (const coefficient of [even, odd]) {
      d = 1 / nonZero(1 + coefficient * d, tiny);
      c = nonZero(1 + coefficient / c, tiny);
      fraction *= c * d;
    }
    if (Math.abs(c * d - 1) < 1e-15) break;
  }
  return front * fraction;
}

const nonZero = (value: number, tiny: number): number => (Math.abs(value) < tiny ? tiny : value);

/** Lanczos, g = 7; relative error below 1e-14 for positive arguments. */
function logGamma(z: number): number {
  if (z < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * z)) - logGamma(1 - z);
  const [first, ...rest] = LANCZOS;
  const sum = rest.reduce<number>((total, coefficient, k) => total + coefficient / (z + k), first);
  const t = z + 6.5;
  return 0.5 * Math.log(2 * Math.PI) + (z - 0.5) * Math.log(t) - t + Math.log(sum);
}

const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
] as const;
