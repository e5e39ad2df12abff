// The distribution function of the standard normal, which JavaScript lacks.

/** Where the series and the continued fraction meet; both are good to 1e-14 there. */
const SERIES_REACH = 3;

/** P(Z <= z), to about 1e-14 absolute. */
export function normalDistribution(z: number): number {
  if (Math.abs(z) < SERIES_REACH) return 0.5 + density(z) * series(z);
  const tail = density(z) * fraction(Math.abs(z));
  return z < 0 ? tail : 1 - tail;
}

function density(z: number): number {
  return Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
}

/** z + z^3 / 3 + z^5 / (3 5) + …: (P - 1/2) / density. Source: Abramowitz and Stegun 26.2.11. */
function series(z: number): number {
  let term = z;
  let total = z;
  for (let k = 3; Math.abs(term) > 1e-17 * Math.abs(total); k += 2) {
    term *= (z * z) / k;
    total += term;
  }
  return total;
}

/** 1 / (z + 1 / (z + 2 / (z + …))): the upper tail / density, z > 0. Source: Abramowitz and Stegun 26.2.14. */
function fraction(z: number): number {
  let value = z;
  for (let k = 80; k >= 1; k--) value = z + k / value;
  return 1 / value;
}
