// Ascending order of millions of float32 scores: a radix sort, several times faster than the typed array's own. Not for NaN.

const DIGIT_BITS = 11;
const DIGITS = 3; // of 11 bits: 33 of 32
const VALUES = 2 ** DIGIT_BITS;
const SIGN = 0x80000000;
/** Fewer are sorted at once by the typed array. */
const FEW = 2 ** 14;

/** Sorts in place; needs a second array of the same size meanwhile. */
export function sortScores(scores: Float32Array | Float64Array): void {
  if (scores instanceof Float64Array || scores.length < FEW) {
    scores.sort();
    return;
  }
  let from: Uint32Array = new Uint32Array(scores.buffer, scores.byteOffset, scores.length);
  let to: Uint32Array = new Uint32Array(scores.length);
  // As unsigned integers: positive floats are in order, and negative ones are in reverse order above them.
  for (let k = 0; k < from.length; k++) from[k] = from[k]! & SIGN ? ~from[k]! : from[k]! | SIGN;
  for (let digit = 0; digit < DIGITS; digit++) {
    scatter(from, to, digit * DIGIT_BITS);
    [from, to] = [to, from];
  }
  const result = new Uint32Array(scores.buffer, scores.byteOffset, scores.length);
  for (let k = 0; k < from.length; k++) result[k] = from[k]! & SIGN ? from[k]! & ~SIGN : ~from[k]!;
}

/** Moves `from` to `to` in the order of one digit; equal digits keep their order. */
function scatter(from: Uint32Array, to: Uint32Array, shift: number): void {
  const places = new Uint32Array(VALUES + 1);
  for (let k = 0; k < from.length; k++) places[((from[k]! >>> shift) & (VALUES - 1)) + 1]! += 1;
  for (let v = 1; v <= VALUES; v++) places[v]! += places[v - 1]!;
  for (let k = 0; k < from.length; k++) {
    const key = from[k]!;
    const digit = (key >>> shift) & (VALUES - 1);
    to[places[digit]!] = key;
    places[digit]! += 1;
  }
}
