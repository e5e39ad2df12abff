// How much memory a problem takes before its reduction begins, and whether that is allowed. What the reduction itself
// adds depends on the data and cannot be known.

import { TopologyError } from "../error.js";

/** Bytes for each pair of points: the triangle, and in degree 0 only the square matrix. */
const BYTES_PER_PAIR_DEGREE_0 = 4 + 8;
/** Also: the edges, sorted, with their first apexes (16) and the matrix of ranks (8). */
const BYTES_PER_PAIR = 4 + 16 + 8;
/** The list, what sorting it needs, and neighbour lists. */
const BYTES_PER_LISTED_EDGE = 12 + 28 + 16;
const BYTES_PER_LISTED_POINT = 40;

export const DEFAULT_MEMORY_LIMIT = 4 * 2 ** 30;

export class MemoryBudget {
  readonly #limit: number;
  readonly #bytesPerPair: number;

  constructor(limit: number, maxDimension: number) {
    if (!(limit > 0)) {
      throw new TopologyError("E_OPTION", `memoryLimit is ${limit}; a positive number of bytes expected`);
    }
    this.#limit = limit;
    this.#bytesPerPair = maxDimension === 0 ? BYTES_PER_PAIR_DEGREE_0 : BYTES_PER_PAIR;
  }

  /** @throws TopologyError `E_TOO_LARGE` when the distances of all pairs would not fit. */
  assertTriangleFits(n: number): void {
    const bytes = ((n * (n - 1)) / 2) * this.#bytesPerPair;
    if (bytes <= this.#limit) return;
    const most = Math.floor(Math.sqrt((2 * this.#limit) / this.#bytesPerPair));
    throw new TopologyError(
      "E_TOO_LARGE",
      `${n} points need about ${gigabytes(bytes)} for their distances, the limit is ${gigabytes(this.#limit)}: ` +
        `${most} points would fit. Take landmarks, give a threshold that leaves few distances, or raise memoryLimit`,
    );
  }

  /** @param what is said in the error, such as "a list of 70 distances". */
  assertListFits(n: number, edges: number, what: string): void {
    const bytes = edges * BYTES_PER_LISTED_EDGE + n * BYTES_PER_LISTED_POINT;
    if (bytes <= this.#limit) return;
    const most = Math.max(0, Math.floor((this.#limit - n * BYTES_PER_LISTED_POINT) / BYTES_PER_LISTED_EDGE));
    throw new TopologyError(
      "E_TOO_LARGE",
      `${what} of ${n} points: ${gigabytes(bytes)} needed, the limit is ${gigabytes(this.#limit)}, in which ${most} ` +
        "distances would fit. Take landmarks or a lower threshold, or raise memoryLimit",
    );
  }
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toPrecision(2)} GB`;
}
