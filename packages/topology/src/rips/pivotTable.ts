// Which column has which pivot: an open-addressing hash table from keys to small whole numbers. Entries are never
// removed.

import { allocate } from "./growing.js";

const FREE = -1;

export class PivotTable {
  #keys = new Float64Array(1024).fill(FREE);
  #columns = new Int32Array(1024);
  #mask = 1023;
  #size = 0;

  /** The column whose pivot is `key`, or -1. */
  get(key: number): number {
    const keys = this.#keys;
    for (let slot = this.#slot(key); ; slot = (slot + 1) & this.#mask) {
      if (keys[slot] === key) return this.#columns[slot]!;
      if (keys[slot] === FREE) return -1;
    }
  }

  /** `key` must be new. */
  set(key: number, column: number): void {
    if (2 * this.#size >= this.#keys.length) this.#grow();
    let slot = this.#slot(key);
    while (this.#keys[slot] !== FREE) slot = (slot + 1) & this.#mask;
    this.#keys[slot] = key;
    this.#columns[slot] = column;
    this.#size++;
  }

  #slot(key: number): number {
    let hash = Math.imul(key | 0, 0x9e3779b1) ^ Math.imul((key / 0x100000000) | 0, 0x85ebca6b);
    hash ^= hash >>> 15;
    return Math.imul(hash, 0x2c1b3c6d) & this.#mask;
  }

  #grow(): void {
    const [keys, columns] = [this.#keys, this.#columns];
    this.#keys = allocate(Float64Array, 2 * keys.length).fill(FREE);
    this.#columns = allocate(Int32Array, 2 * keys.length);
    this.#mask = this.#keys.length - 1;
    this.#size = 0;
    keys.forEach((key, slot) => {
      if (key !== FREE) this.set(key, columns[slot]!);
    });
  }
}
