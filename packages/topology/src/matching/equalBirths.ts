// Matchings of two diagrams whose points are all born at one scale, as in degree 0 of a Vietoris-Rips filtration,
// in closed form. With L-infinity as the ground metric a point is its persistence d: two points lie |d - d'|
// apart, and d lies d/2 from the diagonal.

import type { PlanePoints } from "./points.js";

/** Bytes of the Wasserstein alignment's table at most; larger problems go to the general solver. */
const LARGEST_TABLE = 1 << 27;

/** Whether all finite points of both have one birth. */
export function haveEqualBirths(a: PlanePoints, b: PlanePoints): boolean {
  const birth = a.births[0] ?? b.births[0];
  return a.births.every((value) => value === birth) && b.births.every((value) => value === birth);
}

/**
 * Bottleneck: the k-th longest of one with the k-th longest of the other, or both to the diagonal if that is
 * nearer. The cost is max over k of min(|a_k - b_k|, max(a_k, b_k) / 2). O(n log n).
 *
 * @returns partner of each point of `a`, -1 for the diagonal.
 */
export function bottleneckAlignment(a: PlanePoints, b: PlanePoints): Int32Array {
  const [first, second] = [longestFirst(a), longestFirst(b)];
  const partner = new Int32Array(first.length).fill(-1);
  for (let k = 0; k < Math.min(first.length, second.length); k++) {
    const [i, j] = [first[k]!, second[k]!];
    const apart = Math.abs(a.deaths[i]! - b.deaths[j]!);
    if (apart <= Math.max(a.half[i]!, b.half[j]!)) partner[i] = j;
  }
  return partner;
}

/** Whether {@link wassersteinAlignment} has the memory for it. */
export function fitsAlignment(a: PlanePoints, b: PlanePoints): boolean {
  return (a.half.length + 1) * (b.half.length + 1) <= LARGEST_TABLE;
}

const MATCH = 0;
const SKIP_A = 1; // a point of the first list goes to the diagonal
const SKIP_B = 2;

/**
 * Wasserstein of order p: costs are convex on the line, so that an optimal matching keeps the order of the deaths:
 * an alignment of two sorted lists. O(n m) time, n m bytes.
 *
 * @returns partner of each point of `a`, -1 for the diagonal.
 */
export function wassersteinAlignment(a: PlanePoints, b: PlanePoints, p: number): Int32Array {
  const [first, second] = [longestFirst(a), longestFirst(b)];
  const steps = alignmentSteps(
    Float64Array.from(first, (i) => 2 * a.half[i]!),
    Float64Array.from(second, (j) => 2 * b.half[j]!),
    p,
  );
  const partner = new Int32Array(first.length).fill(-1);
  const width = second.length + 1;
  for (let [i, j] = [first.length, second.length]; i > 0 || j > 0; ) {
    const step = steps[i * width + j]!;
    if (step !== SKIP_B) i--;
    if (step !== SKIP_A) j--;
    if (step === MATCH) partner[first[i]!] = second[j]!;
  }
  return partner;
}

/**
 * The cheapest alignment of two descending lists: entry `i * (m + 1) + j` is the last step of the cheapest alignment
 * of the first i with the first j.
 */
function alignmentSteps(a: Float64Array, b: Float64Array, p: number): Uint8Array {
  const [n, m] = [a.length, b.length];
  const width = m + 1;
  const steps = new Uint8Array((n + 1) * width);
  const skipB = b.map((persistence) => (persistence / 2) ** p);
  // costs[j]: cheapest alignment of the first i entries of a with the first j of b, row after row.
  const costs = new Float64Array(width);
  for (let j = 1; j <= m; j++) {
    costs[j] = costs[j - 1]! + skipB[j - 1]!;
    steps[j] = SKIP_B;
  }
  for (let i = 1; i <= n; i++) {
    const persistence = a[i - 1]!;
    const skipA = (persistence / 2) ** p;
    let diagonal = costs[0]!;
    costs[0] = diagonal + skipA;
    steps[i * width] = SKIP_A;
    for (let j = 1; j <= m; j++) {
      let cheapest = diagonal + Math.abs(persistence - b[j - 1]!) ** p;
      let step = MATCH;
      const withoutA = costs[j]! + skipA;
      if (withoutA < cheapest) {
        cheapest = withoutA;
        step = SKIP_A;
      }
      const withoutB = costs[j - 1]! + skipB[j - 1]!;
      if (withoutB < cheapest) {
        cheapest = withoutB;
        step = SKIP_B;
      }
      diagonal = costs[j]!;
      costs[j] = cheapest;
      steps[i * width + j] = step;
    }
  }
  return steps;
}

function longestFirst({ half }: PlanePoints): number[] {
  return [...half.keys()].sort((i, j) => half[j]! - half[i]! || i - j);
}
