// Typed arrays that grow by doubling, and what happens when memory ends.

import { TopologyError } from "../error.js";

/** `array` itself when it holds `length` values, else a longer copy. */
export function grown<T extends Float64Array | Float32Array | Int32Array | Uint16Array>(
  array: T,
  length: number,
): T {
  if (length <= array.length) return array;
  const longer = allocate(array.constructor as new (length: number) => T, Math.max(length, 2 * array.length));
  longer.set(array);
  return longer;
}

/** `new type(length)`, with an error that says what to do when the memory is not there. */
export function allocate<T>(type: new (length: number) => T, length: number): T {
  try {
    return new type(length);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new TopologyError(
      "E_TOO_LARGE",
      `out of memory: ${length.toLocaleString("en")} numbers more do not fit; take fewer points (landmarks), ` +
        "a lower threshold or a lower maxDimension",
    );
  }
}

/** A list of keys with their coefficients. */
export class EntryList {
  keys = new Float64Array(64);
  coefficients = new Uint16Array(64);
  length = 0;

  push(key: number, coefficient: number): void {
    if (this.length === this.keys.length) {
      this.keys = grown(this.keys, this.length + 1);
      this.coefficients = grown(this.coefficients, this.length + 1);
    }
    this.keys[this.length] = key;
    this.coefficients[this.length++] = coefficient;
  }
}
