// The coboundary of the column under reduction: a binary heap of keys whose equal entries add up modulo p when they
// come out. Only keys and coefficients, no simplices.

import { grown } from "./growing.js";

export class PivotQueue {
  /** Coefficient of the key that `pop` returned last. */
  coefficient = 1;

  readonly #modulus: number;
  #keys = new Float64Array(1024);
  #coefficients = new Uint16Array(1024);
  #size = 0;

  constructor(modulus: number) {
    this.#modulus = modulus;
  }

  clear(): void {
    this.#size = 0;
  }

  push(key: number, coefficient: number): void {
    let hole = this.#size++;
    if (hole === this.#keys.length) {
      this.#keys = grown(this.#keys, this.#size);
      this.#coefficients = grown(this.#coefficients, this.#size);
    }
    const keys = this.#keys;
    const coefficients = this.#coefficients;
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      const above = keys[parent]!;
      if (above <= key) break;
      keys[hole] = above;
      coefficients[hole] = coefficients[parent]!;
      hole = parent;
    }
    keys[hole] = key;
    coefficients[hole] = coefficient;
  }

  /** Takes out the smallest key whose coefficients do not add up to 0; -1 when there is none. */
  pop(): number {
    const keys = this.#keys;
    const modulus = this.#modulus;
    while (this.#size > 0) {
      const key = keys[0]!;
      let sum = 0;
      do {
        sum += this.#coefficients[0]!;
        this.#removeFirst();
      } while (this.#size > 0 && keys[0] === key);
      sum %= modulus;
      if (sum !== 0) {
        this.coefficient = sum;
        return key;
      }
    }
    return -1;
  }

  #removeFirst(): void {
    const keys = this.#keys;
    const coefficients = this.#coefficients;
    const size = --this.#size;
    const key = keys[size]!;
    let hole = 0;
    for (let child = 1; child < size; child = 2 * hole + 1) {
      if (child + 1 < size && keys[child + 1]! < keys[child]!) child++;
      if (keys[child]! >= key) break;
      keys[hole] = keys[child]!;
      coefficients[hole] = coefficients[child]!;
      hole = child;
    }
    keys[hole] = key;
    coefficients[hole] = coefficients[size]!;
  }
}
