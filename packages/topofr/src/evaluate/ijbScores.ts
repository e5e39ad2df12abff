// Scores of IJB template pairs. A pair list takes few templates against many (IJB-C: 15.7 million pairs of 3,531 gallery and 19,593
// probe templates), so a matrix product of the two sets is far faster than a dot product per pair, although it computes more.

import { TopofrError } from "@topofr/formats";
import { tensor } from "@topofr/torch";
import type { Templates } from "./ijbTemplates.js";
import { gatherRows, rowDot, rowProducts } from "./rowProducts.js";

export interface TemplatePairs {
  /** Template ids of each pair. */
  first: ArrayLike<number>;
  second: ArrayLike<number>;
  /** 1 for one subject, 0 for two. */
  same: Uint8Array;
}

/** Cells of the product that are computed at a time: 16 MiB. */
const PRODUCT_CELLS = 2 ** 22;
/** So many cells of a matrix product take less time than one dot product (67 to 135 measured, two cores, 512 dimensions). */
const PRODUCT_ADVANTAGE = 60;

/**
 * Score of each template pair: the dot product of their features, the cosine, float32. A pair that is listed twice counts twice, as in
 * the reference.
 *
 * @throws E_DATA for a template without images, or two templates that are called both the same and different
 */
export function templatePairScores(templates: Templates, pairs: TemplatePairs): Float32Array {
  const { features, dimension } = templates;
  const { order, starts, rows, columns, columnRows } = groupByFirst(templates, pairs);
  const scores = new Float32Array(pairs.same.length);
  const check = new ContradictionCheck(pairs, columnRows.length);
  if (rows.length * columnRows.length > PRODUCT_ADVANTAGE * scores.length) {
    for (let r = 0; r < rows.length; r++) {
      for (let p = starts[r]!; p < starts[r + 1]!; p++) {
        const pair = order[p]!;
        check.pair(r, columns[pair]!, pair);
        const other = columnRows[columns[pair]!]! * dimension;
        scores[pair] = rowDot(features, rows[r]! * dimension, other, dimension);
      }
    }
    return scores;
  }
  const right = tensor(gatherRows(features, columnRows, dimension), {
    shape: [columnRows.length, dimension],
  });
  try {
    const blockRows = Math.max(1, Math.floor(PRODUCT_CELLS / columnRows.length));
    for (let start = 0; start < rows.length; start += blockRows) {
      const block = rows.subarray(start, start + blockRows);
      const product = rowProducts(gatherRows(features, block, dimension), right, dimension);
      for (let r = start; r < start + block.length; r++) {
        const cells = (r - start) * columnRows.length;
        for (let p = starts[r]!; p < starts[r + 1]!; p++) {
          const pair = order[p]!;
          check.pair(r, columns[pair]!, pair);
          scores[pair] = product[cells + columns[pair]!]!;
        }
      }
    }
  } finally {
    right.dispose();
  }
  return scores;
}

interface GroupedPairs {
  /** Rows of the templates that come first in some pair. */
  rows: Int32Array;
  /** The pairs of rows[r] are order[starts[r]] .. order[starts[r + 1] - 1]. */
  starts: Uint32Array;
  order: Uint32Array;
  /** Per pair, the place of its second template in `columnRows`, the rows of those that come second in some pair. */
  columns: Int32Array;
  columnRows: Int32Array;
}

/** A counting sort of the pairs by their first template. */
function groupByFirst(templates: Templates, pairs: TemplatePairs): GroupedPairs {
  const count = pairs.same.length;
  const rowOfId = new Map(Array.from(templates.ids, (id, row) => [id, row]));
  const firsts = new TemplatePlaces(rowOfId);
  const seconds = new TemplatePlaces(rowOfId);
  const places = new Int32Array(count);
  const columns = new Int32Array(count);
  for (let k = 0; k < count; k++) {
    places[k] = firsts.place(pairs.first[k]!, k);
    columns[k] = seconds.place(pairs.second[k]!, k);
  }
  const starts = new Uint32Array(firsts.rows.length + 1);
  for (let k = 0; k < count; k++) starts[places[k]! + 1]! += 1;
  for (let r = 1; r < starts.length; r++) starts[r]! += starts[r - 1]!;
  const next = starts.slice();
  const order = new Uint32Array(count);
  for (let k = 0; k < count; k++) order[next[places[k]!]!++] = k;
  return {
    rows: Int32Array.from(firsts.rows),
    starts,
    order,
    columns,
    columnRows: Int32Array.from(seconds.rows),
  };
}

/** Numbers the templates of one side in the order in which they appear. */
class TemplatePlaces {
  readonly rows: number[] = [];
  private readonly placeOfId = new Map<number, number>();

  constructor(private readonly rowOfId: ReadonlyMap<number, number>) {}

  place(id: number, pair: number): number {
    const known = this.placeOfId.get(id);
    if (known !== undefined) return known;
    const row = this.rowOfId.get(id);
    if (row === undefined)
      throw new TopofrError("E_DATA", `IJB pair ${pair}: no image has template id ${id}`);
    const place = this.rows.push(row) - 1;
    this.placeOfId.set(id, place);
    return place;
  }
}

/** Two pairs of the same templates must agree. Pairs come grouped by their first template. */
class ContradictionCheck {
  /** Per second template, 1 + the latest first template it was paired with, and that pair. */
  private readonly latestFirst: Uint32Array;
  private readonly latestPair: Uint32Array;

  constructor(
    private readonly pairs: TemplatePairs,
    columns: number,
  ) {
    this.latestFirst = new Uint32Array(columns);
    this.latestPair = new Uint32Array(columns);
  }

  pair(first: number, column: number, pair: number): void {
    const { same } = this.pairs;
    if (this.latestFirst[column] === first + 1 && same[this.latestPair[column]!] !== same[pair]) {
      const { first: firstIds, second: secondIds } = this.pairs;
      throw new TopofrError(
        "E_DATA",
        `IJB pairs ${this.latestPair[column]} and ${pair}: templates ${firstIds[pair]} and ${secondIds[pair]} are called ` +
          "the same subject in one and different in the other",
      );
    }
    this.latestFirst[column] = first + 1;
    this.latestPair[column] = pair;
  }
}
