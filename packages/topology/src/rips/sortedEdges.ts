// The edges of the filtration in its order: ascending (length, a, b), a < b. It is the order of
// minimumSpanningTree.ts, so that degree 0 and all others agree on ties. An edge is known by its rank: its place here.

import { minimumSpanningForest } from "../minimumSpanningTree.js";
import type { RipsProblem, SparseRipsProblem } from "./core.js";
import { allocate } from "./growing.js";

export interface SortedEdges {
  /** Number of points. */
  readonly n: number;
  readonly count: number;
  /** Smaller and larger end of the edge of each rank. */
  readonly a: Int32Array;
  readonly b: Int32Array;
  readonly length: Float32Array;
}

/** Keys, not negative, and what moves with them. */
interface Records {
  readonly keys: Int32Array;
  readonly values: Int32Array;
}

const DIGIT_BITS = 11;
const BUCKETS = 1 << DIGIT_BITS;

/** All edges within the threshold. */
export function sortedEdges(problem: RipsProblem | SparseRipsProblem): SortedEdges {
  return "distances" in problem ? edgesOfTriangle(problem) : edgesOfList(problem);
}

/** Only those that join components: all that degree 0 needs, in O(n²) without sorting. */
export function joiningEdges({ distances, n, threshold }: RipsProblem): SortedEdges {
  const square = allocate(Float32Array, n * n);
  for (let i = 1, next = 0; i < n; i++) {
    for (let j = 0; j < i; j++, next++) {
      square[i * n + j] = distances[next]!;
      square[j * n + i] = distances[next]!;
    }
  }
  const { u, v, weight } = minimumSpanningForest(square, n);
  const beyond = weight.findIndex((length) => length > threshold);
  const count = beyond < 0 ? weight.length : beyond;
  return {
    n,
    count,
    a: Int32Array.from(u.subarray(0, count)),
    b: Int32Array.from(v.subarray(0, count)),
    length: Float32Array.from(weight.subarray(0, count)),
  };
}

function edgesOfTriangle({ distances, n, threshold }: RipsProblem): SortedEdges {
  let count = 0;
  for (let k = 0; k < distances.length; k++) {
    if (distances[k]! <= threshold && distances[k]! < Infinity) count++;
  }
  const lengths = allocate(Float32Array, count);
  const values = allocate(Int32Array, count); // a n + b; n is at most 65,536 where a triangle fits in memory
  for (let a = 0, next = 0; a < n; a++) {
    for (let b = a + 1; b < n; b++) {
      const length = distances[(b * (b - 1)) / 2 + a]!;
      if (length <= threshold && length < Infinity) {
        lengths[next] = length;
        values[next++] = a * n + b;
      }
    }
  }
  const sorted = sortStably({ keys: bitsOf(lengths), values });
  const [a, b] = [sorted.values, allocate(Int32Array, count)];
  for (let rank = 0; rank < count; rank++) {
    const code = a[rank]! >>> 0;
    b[rank] = code % n;
    a[rank] = (code - b[rank]!) / n;
  }
  return { n, count, a, b, length: lengthsOf(sorted.keys) };
}

function edgesOfList({ n, u, v, lengths, threshold }: SparseRipsProblem): SortedEdges {
  const bits = bitsOf(lengths);
  let order: Int32Array = allocate(Int32Array, lengths.length);
  let count = 0;
  for (let k = 0; k < lengths.length; k++) {
    if (lengths[k]! <= threshold && lengths[k]! < Infinity) order[count++] = k;
  }
  order = order.subarray(0, count);
  for (const keys of [v, u, bits]) {
    order = sortStably({ keys: order.map((k) => keys[k]!), values: order }).values;
  }
  return {
    n,
    count,
    a: order.map((k) => u[k]!),
    b: order.map((k) => v[k]!),
    length: lengthsOf(order.map((k) => bits[k]!)),
  };
}

/** Lengths are not negative, so that their bits, read as integers, have their order. */
function bitsOf(lengths: Float32Array): Int32Array {
  return new Int32Array(lengths.buffer, lengths.byteOffset, lengths.length);
}

function lengthsOf(bits: Int32Array): Float32Array {
  return new Float32Array(bits.buffer, bits.byteOffset, bits.length);
}

/** Radix sort by the keys; equal ones stay in their order. The records given are used up. */
function sortStably(records: Records): Records {
  const count = records.keys.length;
  let from = records;
  let to: Records | null = null;
  for (let shift = 0; shift < 32; shift += DIGIT_BITS) {
    const starts = new Int32Array(BUCKETS + 1);
    for (let k = 0; k < count; k++) {
      starts[((from.keys[k]! >>> shift) & (BUCKETS - 1)) + 1]!++;
    }
    if (starts.includes(count)) continue; // one digit for all: nothing to do
    to ??= { keys: allocate(Int32Array, count), values: allocate(Int32Array, count) };
    for (let bucket = 1; bucket <= BUCKETS; bucket++) starts[bucket]! += starts[bucket - 1]!;
    for (let k = 0; k < count; k++) {
      const place = starts[(from.keys[k]! >>> shift) & (BUCKETS - 1)]!++;
      to.keys[place] = from.keys[k]!;
      to.values[place] = from.values[k]!;
    }
    [from, to] = [to, from];
  }
  return from;
}
