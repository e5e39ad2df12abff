// Persistence images: a diagram as a picture of fixed size, each bar a weighted Gaussian over (birth, persistence).

import type { PersistenceDiagram } from "../diagram.js";
import { TopologyError } from "../error.js";
import { type EssentialOptions, finiteBars } from "./bars.js";
import { normalDistribution } from "./normalDistribution.js";

export interface PersistenceImageOptions extends EssentialOptions {
  /** Pixels along birth and along persistence. */
  readonly resolution: readonly [width: number, height: number];
  /** The picture's edges; give the same ones for pictures to be compared. */
  readonly birthRange: readonly [low: number, high: number];
  readonly persistenceRange: readonly [low: number, high: number];
  /** Standard deviation of the Gaussians, in the unit of the diagram; above 0. */
  readonly sigma: number;
  /** Weight of a bar from its persistence; the persistence itself unless given. 0 at 0 keeps the image stable. */
  readonly weight?: (persistence: number) => number;
}

/**
 * The integral over each pixel of the sum of the bars' Gaussians. Mass beyond the edges is lost, as usual.
 * O(bars x pixels). Source: Adams et al. 2017.
 *
 * @returns `[height, width]` row-major; row 0 holds the smallest persistence.
 * @throws TopologyError `E_DIAGRAM` for points that are none; `E_OPTION` for options out of range.
 */
export function persistenceImage(
  diagram: PersistenceDiagram,
  {
    resolution: [width, height],
    birthRange,
    persistenceRange,
    sigma,
    weight = (persistence) => persistence,
    ...essential
  }: PersistenceImageOptions,
): Float64Array {
  const refuse = (what: string, found: unknown, expected: string) => {
    throw new TopologyError("E_OPTION", `persistence image: ${what} is ${found}; ${expected} expected`);
  };
  for (const [name, pixels] of Object.entries({ width, height })) {
    if (!Number.isSafeInteger(pixels) || pixels < 1)
      refuse(name, pixels, "a whole number of pixels, at least 1,");
  }
  for (const [name, range] of Object.entries({ birthRange, persistenceRange })) {
    const [low, high] = range;
    if (!(Number.isFinite(low) && Number.isFinite(high) && low < high)) {
      refuse(name, `[${range}]`, "a finite low below a finite high");
    }
  }
  if (!(sigma > 0 && sigma < Infinity)) refuse("sigma", sigma, "a finite number above 0");

  const { births, deaths } = finiteBars(diagram, essential);
  const image = new Float64Array(width * height);
  const columns = new Float64Array(width);
  const rows = new Float64Array(height);
  births.forEach((birth, k) => {
    const persistence = deaths[k]! - birth;
    const mass = weight(persistence);
    fillShares(columns, birth, sigma, birthRange);
    fillShares(rows, persistence, sigma, persistenceRange);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) image[y * width + x]! += mass * rows[y]! * columns[x]!;
    }
  });
  return image;
}

/** Share of a normal distribution in each of equal cells of a range. */
function fillShares(
  shares: Float64Array,
  mean: number,
  sigma: number,
  [low, high]: readonly [number, number],
): void {
  let below = normalDistribution((low - mean) / sigma);
  for (let k = 0; k < shares.length; k++) {
    const edge = low + ((high - low) * (k + 1)) / shares.length;
    const upTo = normalDistribution((edge - mean) / sigma);
    shares[k] = upTo - below;
    below = upTo;
  }
}
