// Matching the points of one diagram into another along pairs no longer than a reach, so that every point too far
// from the diagonal gets a partner: one half of the bottleneck decision. Augmenting paths by depth-first search
// over a k-d tree that forgets what it has visited (Efrat, Itai, Katz 2001), many paths in a pass.

import { AliveTree } from "./aliveTree.js";
import { PlaneTree } from "./planeTree.js";
import { groundDistance, type PlanePoints } from "./points.js";

export class Cover {
  /** Partner of each point to be covered, -1 for none. */
  readonly partner: Int32Array;
  readonly #owner: Int32Array; // the reverse
  readonly #lefts: PlanePoints;
  readonly #rights: PlanePoints;
  readonly #free: AliveTree; // rights without an owner
  readonly #unvisited: AliveTree; // in this pass
  readonly #path: Int32Array;

  /** @param tree of the births and deaths of `rights`. */
  constructor(lefts: PlanePoints, rights: PlanePoints, tree: PlaneTree) {
    this.#lefts = lefts;
    this.#rights = rights;
    this.partner = new Int32Array(lefts.half.length).fill(-1);
    this.#owner = new Int32Array(rights.half.length).fill(-1);
    this.#free = new AliveTree(tree);
    this.#unvisited = new AliveTree(tree);
    this.#path = new Int32Array(lefts.half.length + 1);
  }

  /**
   * Whether all points with more than `reach` to the diagonal can have partners within `reach`; if so, `partner`
   * holds them. What an earlier call found is kept where it still fits.
   */
  covers(reach: number): boolean {
    const { half } = this.#lefts;
    let waiting: number[] = [];
    for (let left = 0; left < half.length; left++) {
      const right = this.partner[left]!;
      const needed = half[left]! > reach;
      if (right >= 0 && !(needed && groundDistance(this.#lefts, left, this.#rights, right) <= reach)) {
        this.partner[left] = -1;
        this.#owner[right] = -1;
      }
      if (needed && this.partner[left]! < 0) waiting.push(left);
    }
    this.#free.reset((right) => this.#owner[right]! < 0);
    while (waiting.length > 0) {
      this.#unvisited.reset(() => true);
      const failed: number[] = [];
      let grown = false;
      for (const left of waiting) {
        if (this.#augment(left, reach)) {
          grown = true;
          continue;
        }
        // With no path found in this pass, the whole search tree of `left` has been seen: by Hall's theorem its
        // points have too few neighbours.
        if (!grown) return false;
        failed.push(left);
      }
      waiting = failed;
    }
    return true;
  }

  #augment(root: number, reach: number): boolean {
    const { births, deaths } = this.#lefts;
    const path = this.#path;
    path[0] = root;
    for (let length = 1; length > 0; ) {
      const left = path[length - 1]!;
      let right = this.#free.take(births[left]!, deaths[left]!, reach);
      if (right >= 0) {
        // Every point on the path takes the partner of the one after it.
        while (length > 0) {
          const taker = path[--length]!;
          const given = this.partner[taker]!;
          this.partner[taker] = right;
          this.#owner[right] = taker;
          right = given;
        }
        return true;
      }
      right = this.#unvisited.take(births[left]!, deaths[left]!, reach);
      if (right < 0) length--;
      else path[length++] = this.#owner[right]!;
    }
    return false;
  }
}

export const treeOf = ({ births, deaths }: PlanePoints): PlaneTree => new PlaneTree(births, deaths);
