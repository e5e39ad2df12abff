// Scores of all pairs among chosen rows of an embedding matrix, counted into histograms block by block; no score is kept. Which rows
// make a group and what is read from the counts: groups.ts.

import { TopofrError } from "@topofr/formats";
import { tensor } from "@topofr/torch";
import { rowCount } from "./embeddings.js";
import { rowProducts } from "./rowProducts.js";
import type { ScoreHistogram } from "./scoreHistogram.js";

/** Rows and columns of a block: 16 MiB of scores. */
const BLOCK = 2048;

/** Embeddings with the length of each row, so that rows can be normalised when they are used. */
export interface ScoredRows {
  /** [count, dimension], of any length but zero. */
  embeddings: Float32Array;
  dimension: number;
  identityIds: Int32Array;
  /** 1 / Euclidean length of each row. */
  scales: Float64Array;
}

/** @throws E_DATA for a row with NaN, infinity or only zeros, or a wrong number of identities */
export function scoredRows(embeddings: Float32Array, dimension: number, identityIds: Int32Array): ScoredRows {
  const count = rowCount(embeddings, dimension);
  if (identityIds.length !== count) {
    throw new TopofrError("E_DATA", `${identityIds.length} identities for ${count} embeddings`);
  }
  const scales = new Float64Array(count);
  for (let row = 0; row < count; row++) {
    let squared = 0;
    for (let i = row * dimension; i < (row + 1) * dimension; i++) squared += embeddings[i]! * embeddings[i]!;
    if (!Number.isFinite(squared) || squared === 0) {
      throw new TopofrError(
        "E_DATA",
        `embeddings: row ${row} of ${count} holds ${squared === 0 ? "only zeros" : "NaN or infinity"}; ` +
          "the network or its input is broken",
      );
    }
    scales[row] = 1 / Math.sqrt(squared);
  }
  return { embeddings, dimension, identityIds, scales };
}

/** Two lists of rows whose pairs are counted; "triangle": the lists are one, and each pair of different rows counts once. */
export interface BlockPair {
  rows: Int32Array;
  columns: Int32Array;
  triangle: boolean;
}

/** Cuts all pairs among `rows` into blocks. */
export function* pairsAmong(rows: Int32Array): Generator<BlockPair> {
  for (let r = 0; r < rows.length; r += BLOCK) {
    const block = rows.subarray(r, r + BLOCK);
    yield { rows: block, columns: block, triangle: true };
    for (let c = r + BLOCK; c < rows.length; c += BLOCK) {
      yield { rows: block, columns: rows.subarray(c, c + BLOCK), triangle: false };
    }
  }
}

/** Cuts all pairs of one row of each list into blocks. The lists share no row. */
export function* pairsBetween(rows: Int32Array, columns: Int32Array): Generator<BlockPair> {
  for (let r = 0; r < rows.length; r += BLOCK) {
    for (let c = 0; c < columns.length; c += BLOCK) {
      yield { rows: rows.subarray(r, r + BLOCK), columns: columns.subarray(c, c + BLOCK), triangle: false };
    }
  }
}

export function pairCount({ rows, columns, triangle }: BlockPair): number {
  return triangle ? (rows.length * (rows.length - 1)) / 2 : rows.length * columns.length;
}

/** Counts the cosines of a block's pairs into every histogram; pairs of one identity are genuine. */
export function countBlock(
  source: ScoredRows,
  block: BlockPair,
  histograms: readonly ScoreHistogram[],
): void {
  const { identityIds, dimension } = source;
  const left = unitRows(source, block.rows);
  const right = tensor(block.triangle ? left : unitRows(source, block.columns), {
    shape: [block.columns.length, dimension],
  });
  let scores: Float32Array;
  try {
    scores = rowProducts(left, right, dimension);
  } finally {
    right.dispose();
  }
  const columnIds = Int32Array.from(block.columns, (row) => identityIds[row]!);
  for (const histogram of histograms) {
    block.rows.forEach((row, r) => {
      const from = block.triangle ? r + 1 : 0;
      histogram.add(scores, r * columnIds.length, columnIds, from, identityIds[row]!);
    });
    histogram.raiseFloor();
  }
}

function unitRows({ embeddings, dimension, scales }: ScoredRows, rows: Int32Array): Float32Array {
  const result = new Float32Array(rows.length * dimension);
  for (let k = 0; k < rows.length; k++) {
    const row = rows[k]!;
    const scale = scales[row]!;
    const from = row * dimension;
    const to = k * dimension;
    for (let d = 0; d < dimension; d++) result[to + d] = embeddings[from + d]! * scale;
  }
  return result;
}
