// A k-d tree over points of the plane, the index behind every search of the matchings: its shape, and the nearest
// neighbour. What changes while a matching grows (points taken, prices) is kept by aliveTree.ts and weightTree.ts
// in arrays beside it. The metric is L-infinity throughout.

/** Points in a leaf at most. */
export const LEAF_SIZE = 8;

/** Entries of a traversal's stack: one sibling for each level, two at the last; 2^60 points would fill it. */
export const STACK_SIZE = 64;

export class PlaneTree {
  readonly size: number;
  /** Point at each place: a node's points stand side by side. */
  readonly order: Uint32Array;
  /** Coordinates by place. */
  readonly x: Float64Array;
  readonly y: Float64Array;
  /** Place of each point. */
  readonly placeOf: Uint32Array;
  /** Node k has children 2k + 1 and 2k + 2 unless it is a leaf, and owns the places from start[k] to end[k]. */
  readonly nodeCount: number;
  readonly start: Uint32Array;
  readonly end: Uint32Array;
  readonly minX: Float64Array;
  readonly maxX: Float64Array;
  readonly minY: Float64Array;
  readonly maxY: Float64Array;
  /** The leaf that holds each place. */
  readonly leafAt: Uint32Array;

  /** @param x,y coordinates, finite. */
  constructor(x: Float64Array, y: Float64Array) {
    const size = x.length;
    let nodeCount = 1;
    for (let widest = size; widest > LEAF_SIZE; widest = (widest + 1) >>> 1) nodeCount = 2 * nodeCount + 1;
    this.size = size;
    this.nodeCount = nodeCount;
    this.order = Uint32Array.from(x.keys());
    this.placeOf = new Uint32Array(size);
    this.leafAt = new Uint32Array(size);
    this.start = new Uint32Array(nodeCount);
    this.end = new Uint32Array(nodeCount);
    this.minX = new Float64Array(nodeCount).fill(Infinity);
    this.maxX = new Float64Array(nodeCount).fill(-Infinity);
    this.minY = new Float64Array(nodeCount).fill(Infinity);
    this.maxY = new Float64Array(nodeCount).fill(-Infinity);
    this.#split(0, 0, size, x, y);
    this.x = Float64Array.from(this.order, (point) => x[point]!);
    this.y = Float64Array.from(this.order, (point) => y[point]!);
    this.order.forEach((point, place) => {
      this.placeOf[point] = place;
    });
  }

  isLeaf(node: number): boolean {
    return this.end[node]! - this.start[node]! <= LEAF_SIZE;
  }

  /** L-infinity distance from a point of the plane to a node's box; 0 inside. */
  boxDistance(node: number, x: number, y: number): number {
    return Math.max(
      0,
      this.minX[node]! - x,
      x - this.maxX[node]!,
      this.minY[node]! - y,
      y - this.maxY[node]!,
    );
  }

  /** Distance to the nearest point, or `limit` when none is closer. */
  nearestDistance(x: number, y: number, limit: number): number {
    const visit = (node: number, best: number): number => {
      if (this.boxDistance(node, x, y) >= best) return best;
      if (this.isLeaf(node)) {
        for (let place = this.start[node]!; place < this.end[node]!; place++) {
          best = Math.min(best, Math.max(Math.abs(this.x[place]! - x), Math.abs(this.y[place]! - y)));
        }
        return best;
      }
      const [left, right] = [2 * node + 1, 2 * node + 2];
      const leftFirst = this.boxDistance(left, x, y) <= this.boxDistance(right, x, y);
      return visit(leftFirst ? right : left, visit(leftFirst ? left : right, best));
    };
    return visit(0, limit);
  }

  #split(node: number, start: number, end: number, x: Float64Array, y: Float64Array): void {
    this.start[node] = start;
    this.end[node] = end;
    for (let place = start; place < end; place++) {
      const point = this.order[place]!;
      this.minX[node] = Math.min(this.minX[node]!, x[point]!);
      this.maxX[node] = Math.max(this.maxX[node]!, x[point]!);
      this.minY[node] = Math.min(this.minY[node]!, y[point]!);
      this.maxY[node] = Math.max(this.maxY[node]!, y[point]!);
    }
    if (this.isLeaf(node)) {
      this.leafAt.fill(node, start, end);
      return;
    }
    const middle = (start + end) >>> 1;
    const wide = this.maxX[node]! - this.minX[node]! >= this.maxY[node]! - this.minY[node]!;
    partition(this.order, wide ? x : y, start, end, middle);
    this.#split(2 * node + 1, start, middle, x, y);
    this.#split(2 * node + 2, middle, end, x, y);
  }
}

/** Quickselect: afterwards no key before place `middle` exceeds any from it on. */
function partition(order: Uint32Array, key: Float64Array, start: number, end: number, middle: number): void {
  let [low, high] = [start, end - 1];
  while (low < high) {
    const pivot = key[order[(low + high) >>> 1]!]!;
    let [i, j] = [low, high];
    while (i <= j) {
      while (key[order[i]!]! < pivot) i++;
      while (key[order[j]!]! > pivot) j--;
      if (i > j) break;
      const swapped = order[i]!;
      order[i++] = order[j]!;
      order[j--] = swapped;
    }
    if (middle <= j) high = j;
    else if (middle >= i) low = i;
    else return;
  }
}
