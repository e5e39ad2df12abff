// From a nearly optimal matching to an optimal one. With the auction's prices and the gap that they leave, a pair
// whose reduced cost u_i + v_j - s(i, j) exceeds the gap is in no optimal matching: few pairs are left, and shortest
// augmenting paths among them (Dijkstra on reduced costs, as in the Hungarian method) end with complementary
// slackness: matched pairs have reduced cost 0, and points that go to the diagonal have profit 0.

import type { Auction, Bidders } from "./auction.js";

/** Reduced costs up to here are rounding; the unit is the largest distance to the diagonal, to the power p. */
const ROUNDING = 8 * Number.EPSILON;

/**
 * Makes the auction's matching optimal, right after `settle`.
 *
 * @param gap how much more than the present matching another one may save at most.
 * @param mostEdges give up, changing nothing, when more pairs than this could still be in an optimal matching.
 * @returns whether it was done.
 */
export function finishMatching({ a, b }: Auction, gap: number, mostEdges: number): boolean {
  const edges = possiblePairs(a, b, gap + ROUNDING, mostEdges);
  if (edges === undefined) return false;
  for (let i = 0; i < a.size; i++) {
    const j = a.partner[i]!;
    if (j < 0) continue;
    const reduced = a.profit[i]! + b.profit[j]! - (a.toDiagonal[i]! + b.toDiagonal[j]! - a.costTo(i, b, j));
    if (reduced <= ROUNDING) continue;
    a.partner[i] = -1;
    b.partner[j] = -1;
  }
  placeAll(a, b, edges);
  placeAll(b, a, transposed(edges, b.size));
  return true;
}

/** For each point of one side (rows), those of the other it may be matched with, and what that saves. */
interface Pairs {
  readonly start: Uint32Array;
  readonly column: Uint32Array;
  readonly saving: Float64Array;
}

function possiblePairs(a: Bidders, b: Bidders, gap: number, mostEdges: number): Pairs | undefined {
  const start = new Uint32Array(a.size + 1);
  const columns: number[] = [];
  const savings: number[] = [];
  for (let i = 0; i < a.size; i++) {
    const own = a.toDiagonal[i]!;
    b.tree.forEachWithin(a.x[i]!, a.y[i]!, own - a.profit[i]! + gap, (j, value) => {
      columns.push(j);
      savings.push(own - value + b.profit[j]!);
    });
    if (columns.length > mostEdges) return undefined;
    start[i + 1] = columns.length;
  }
  return { start, column: Uint32Array.from(columns), saving: Float64Array.from(savings) };
}

function transposed({ start, column, saving }: Pairs, columnCount: number): Pairs {
  const result = {
    start: new Uint32Array(columnCount + 1),
    column: new Uint32Array(column.length),
    saving: new Float64Array(column.length),
  };
  for (const j of column) result.start[j + 1]!++;
  for (let j = 0; j < columnCount; j++) result.start[j + 1]! += result.start[j]!;
  const next = result.start.slice();
  for (let i = 0; i + 1 < start.length; i++) {
    for (let k = start[i]!; k < start[i + 1]!; k++) {
      const place = next[column[k]!]!++;
      result.column[place] = i;
      result.saving[place] = saving[k]!;
    }
  }
  return result;
}

/** Gives every free point of `from` that has a profit a partner, or the diagonal at no profit. */
function placeAll(from: Bidders, to: Bidders, pairs: Pairs): void {
  const distanceTo = new Float64Array(to.size).fill(Infinity);
  const via = new Int32Array(to.size);
  const queue = new Queue();
  for (let root = 0; root < from.size; root++) {
    if (from.partner[root]! >= 0 || from.profit[root]! === 0) continue;
    // Points of `from` in the search tree and their distance; points of `to` with a label, and with a final one.
    const reached = [root];
    const reachedAt = [0];
    const labelled: number[] = [];
    const final: number[] = [];
    // The shortest path so far: to a point that turns to the diagonal, or (endTo >= 0) to a free point.
    let length = from.profit[root]!;
    let [endFrom, endTo] = [root, -1];
    for (let [i, base] = [root, 0]; ; ) {
      for (let e = pairs.start[i]!; e < pairs.start[i + 1]!; e++) {
        const j = pairs.column[e]!;
        const distance = base + Math.max(0, from.profit[i]! + to.profit[j]! - pairs.saving[e]!);
        if (distance < distanceTo[j]! && distance < length) {
          if (distanceTo[j] === Infinity) labelled.push(j);
          distanceTo[j] = distance;
          via[j] = i;
          queue.push(distance, j);
        }
      }
      let next = queue.pop();
      while (next.key > (distanceTo[next.value] ?? Infinity)) next = queue.pop(); // a label since replaced
      const { key: distance, value: j } = next;
      if (!(distance < length)) break;
      const owner = to.partner[j]!;
      if (owner < 0) {
        length = distance;
        endTo = j;
        break;
      }
      final.push(j);
      reached.push(owner);
      reachedAt.push(distance);
      if (distance + from.profit[owner]! < length) {
        length = distance + from.profit[owner]!;
        endFrom = owner;
      }
      [i, base] = [owner, distance];
    }
    reached.forEach((i, k) => {
      from.profit[i] = Math.max(0, from.profit[i]! - Math.max(0, length - reachedAt[k]!));
    });
    for (const j of final) to.profit[j]! += Math.max(0, length - distanceTo[j]!);
    if (endTo < 0) {
      from.profit[endFrom] = 0;
      endTo = from.partner[endFrom]!;
      from.partner[endFrom] = -1;
    }
    // Every point on the way back takes the partner found for it and leaves its own to the one before.
    while (endTo >= 0) {
      const taker = via[endTo]!;
      const given = from.partner[taker]!;
      from.partner[taker] = endTo;
      to.partner[endTo] = taker;
      endTo = given;
    }
    for (const j of labelled) distanceTo[j] = Infinity;
    queue.clear();
  }
}

/** A binary heap, least key first. */
class Queue {
  readonly #keys: number[] = [];
  readonly #values: number[] = [];

  clear(): void {
    this.#keys.length = 0;
    this.#values.length = 0;
  }

  push(key: number, value: number): void {
    const [keys, values] = [this.#keys, this.#values];
    let place = keys.length;
    for (let above = (place - 1) >> 1; place > 0 && keys[above]! > key; above = (place - 1) >> 1) {
      keys[place] = keys[above]!;
      values[place] = values[above]!;
      place = above;
    }
    keys[place] = key;
    values[place] = value;
  }

  /** Infinity and -1 when empty. */
  pop(): { key: number; value: number } {
    const [keys, values] = [this.#keys, this.#values];
    if (keys.length === 0) return { key: Infinity, value: -1 };
    const result = { key: keys[0]!, value: values[0]! };
    const [key, value] = [keys.pop()!, values.pop()!];
    const count = keys.length;
    if (count === 0) return result;
    let place = 0;
    for (let child = 1; child < count; child = 2 * place + 1) {
      if (child + 1 < count && keys[child + 1]! < keys[child]!) child++;
      if (keys[child]! >= key) break;
      keys[place] = keys[child]!;
      values[place] = values[child]!;
      place = child;
    }
    keys[place] = key;
    values[place] = value;
    return result;
  }
}
