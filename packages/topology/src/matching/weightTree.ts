// Weights on the points of a PlaneTree, and the search for the points of least distance^p + weight: the bids of the
// auction. A subtree is skipped when its box and its least weight cannot do better.

import { type PlaneTree, STACK_SIZE } from "./planeTree.js";

export class WeightTree {
  readonly tree: PlaneTree;
  /** Of the last `findTwo`: the best point (-1 for none), its distance^p + weight, and the next best's value. */
  best = -1;
  bestValue = Infinity;
  nextValue = Infinity;

  readonly #p: number;
  readonly #weight: Float64Array; // by place
  readonly #least: Float64Array; // by node
  readonly #stack = new Int32Array(STACK_SIZE);
  readonly #stackBound = new Float64Array(STACK_SIZE);

  constructor(tree: PlaneTree, p: number) {
    this.tree = tree;
    this.#p = p;
    this.#weight = new Float64Array(tree.size);
    this.#least = new Float64Array(tree.nodeCount);
  }

  /** Gives every point a new weight. */
  fill(weightOf: (point: number) => number): void {
    this.tree.order.forEach((point, place) => {
      this.#weight[place] = weightOf(point);
    });
    for (let node = this.tree.nodeCount - 1; node >= 0; node--) this.#least[node] = this.#leastOf(node);
  }

  set(point: number, weight: number): void {
    const place = this.tree.placeOf[point]!;
    this.#weight[place] = weight;
    for (let node = this.tree.leafAt[place]!; ; node = (node - 1) >> 1) {
      const least = this.#leastOf(node);
      if (least === this.#least[node]) return;
      this.#least[node] = least;
      if (node === 0) return;
    }
  }

  /** Leaves the two least values of distance^p + weight below `limit` in the fields; `limit` stands in for none. */
  findTwo(x: number, y: number, limit: number): void {
    const { tree } = this;
    const [stack, stackBound] = [this.#stack, this.#stackBound];
    let best = -1;
    let bestValue = limit;
    let nextValue = limit;
    let top = 0;
    stack[top] = 0;
    stackBound[top++] = -Infinity;
    while (top > 0) {
      const node = stack[--top]!;
      if (stackBound[top]! >= nextValue) continue;
      if (!tree.isLeaf(node)) {
        const left = 2 * node + 1;
        const leftBound = this.#bound(left, x, y);
        const rightBound = this.#bound(left + 1, x, y);
        const near = leftBound <= rightBound ? left : left + 1;
        stack[top] = 2 * left + 1 - near; // the other child
        stackBound[top++] = Math.max(leftBound, rightBound);
        stack[top] = near;
        stackBound[top++] = Math.min(leftBound, rightBound);
        continue;
      }
      for (let place = tree.start[node]!; place < tree.end[node]!; place++) {
        const value = this.#valueAt(place, x, y);
        if (value < bestValue) {
          nextValue = bestValue;
          bestValue = value;
          best = tree.order[place]!;
        } else if (value < nextValue) {
          nextValue = value;
        }
      }
    }
    this.best = best;
    this.bestValue = bestValue;
    this.nextValue = nextValue;
  }

  /** Calls `visit` for every point whose distance^p + weight is at most `limit`. */
  forEachWithin(x: number, y: number, limit: number, visit: (point: number, value: number) => void): void {
    const { tree } = this;
    const pending = [0];
    for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
      if (this.#bound(node, x, y) > limit) continue;
      if (!tree.isLeaf(node)) {
        pending.push(2 * node + 1, 2 * node + 2);
        continue;
      }
      for (let place = tree.start[node]!; place < tree.end[node]!; place++) {
        const value = this.#valueAt(place, x, y);
        if (value <= limit) visit(tree.order[place]!, value);
      }
    }
  }

  #valueAt(place: number, x: number, y: number): number {
    const { tree } = this;
    return (
      this.#power(Math.max(Math.abs(tree.x[place]! - x), Math.abs(tree.y[place]! - y))) + this.#weight[place]!
    );
  }

  #bound(node: number, x: number, y: number): number {
    return this.#power(this.tree.boxDistance(node, x, y)) + this.#least[node]!;
  }

  #power(distance: number): number {
    if (this.#p === 1) return distance;
    return this.#p === 2 ? distance * distance : distance ** this.#p;
  }

  #leastOf(node: number): number {
    const { tree } = this;
    if (!tree.isLeaf(node)) return Math.min(this.#least[2 * node + 1]!, this.#least[2 * node + 2]!);
    let least = Infinity;
    for (let place = tree.start[node]!; place < tree.end[node]!; place++) {
      least = Math.min(least, this.#weight[place]!);
    }
    return least;
  }
}
