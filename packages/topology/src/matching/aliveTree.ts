// Which points of a PlaneTree are still there, and the search that takes one of them within reach. Behind the
// bottleneck matching, which visits every point at most once in a pass.

import { LEAF_SIZE, type PlaneTree, STACK_SIZE } from "./planeTree.js";

export class AliveTree {
  readonly #tree: PlaneTree;
  readonly #alive: Uint8Array; // by place
  readonly #count: Int32Array; // points there, by node
  readonly #stack = new Int32Array(STACK_SIZE);

  constructor(tree: PlaneTree) {
    this.#tree = tree;
    this.#alive = new Uint8Array(tree.size);
    this.#count = new Int32Array(tree.nodeCount);
  }

  /** Puts back every point for which `isThere` is true and takes the others away. */
  reset(isThere: (point: number) => boolean): void {
    const { order, start, end, nodeCount } = this.#tree;
    order.forEach((point, place) => {
      this.#alive[place] = isThere(point) ? 1 : 0;
    });
    for (let node = nodeCount - 1; node >= 0; node--) {
      if (!this.#tree.isLeaf(node)) {
        this.#count[node] = this.#count[2 * node + 1]! + this.#count[2 * node + 2]!;
        continue;
      }
      let count = 0;
      for (let place = start[node]!; place < end[node]!; place++) count += this.#alive[place]!;
      this.#count[node] = count;
    }
  }

  /** Takes away some point within `reach` of (x, y) and returns it; -1 when there is none. */
  take(x: number, y: number, reach: number): number {
    const tree = this.#tree;
    const { minX, maxX, minY, maxY, start, end } = tree;
    const [stack, count, alive] = [this.#stack, this.#count, this.#alive];
    let top = 0;
    stack[top++] = 0;
    while (top > 0) {
      const node = stack[--top]!;
      if (
        count[node] === 0 ||
        minX[node]! - x > reach ||
        x - maxX[node]! > reach ||
        minY[node]! - y > reach ||
        y - maxY[node]! > reach
      ) {
        continue;
      }
      if (end[node]! - start[node]! > LEAF_SIZE) {
        stack[top++] = 2 * node + 1;
        stack[top++] = 2 * node + 2;
        continue;
      }
      for (let place = start[node]!; place < end[node]!; place++) {
        if (
          alive[place] === 1 &&
          Math.abs(tree.x[place]! - x) <= reach &&
          Math.abs(tree.y[place]! - y) <= reach
        ) {
          alive[place] = 0;
          for (let above = node; ; above = (above - 1) >> 1) {
            count[above]!--;
            if (above === 0) return tree.order[place]!;
          }
        }
      }
    }
    return -1;
  }
}
