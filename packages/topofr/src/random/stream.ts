// Random numbers for everything that draws: named streams of one run seed, and a stateless hash for decisions
// that must not depend on the order of drawing. Not cryptographic. No other file may make its own generator.
import { TopofrError } from "@topofr/formats";
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plusFromState } from "pure-rand/generator/xoroshiro128plus";

const WORD = 2 ** 32;
const LANES = [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344] as const; // first 128 bits of pi's fraction

/**
 * A stream of random numbers, given by a run's seed and a name ("perturbation", "sampler", ...). The same seed and
 * name give the same numbers on every machine; two names of one seed give unrelated streams, so adding a draw to
 * one leaves the others as they were. Generator: xoroshiro128+ (period 2^128 - 1), its state filled by MurmurHash3.
 */
export class RandomStream {
  readonly name: string;
  #generator: ReturnType<typeof xoroshiro128plusFromState>;

  /** @param seed any safe integer, negative ones included */
  constructor(seed: number, name: string) {
    this.name = name;
    const words = [...wordsOf(seed), ...Array.from({ length: name.length }, (_, i) => name.charCodeAt(i))];
    this.#generator = xoroshiro128plusFromState(LANES.map((lane) => murmur3(words, lane)));
  }

  /** Uniform in [0, 1), a multiple of 2^-53. */
  uniform(): number {
    return uniformFloat64(this.#generator);
  }

  /** Uniform in [low, high). */
  range(low: number, high: number): number {
    return low + (high - low) * this.uniform();
  }

  /** A whole number of 0 .. n - 1, each equally likely (no modulo bias). */
  integer(n: number): number {
    if (!Number.isSafeInteger(n) || n < 1) {
      throw new TopofrError(
        "E_USAGE",
        `random stream "${this.name}": integer(${n}): n must be a whole number >= 1`,
      );
    }
    return uniformInt(this.#generator, 0, n - 1);
  }

  /** Standard normal, by Box and Muller; the second value of the pair is dropped, so that no draw hides in the state. */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform())); // 1 - u is in (0, 1]: never log(0)
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** True with probability p. */
  bernoulli(p: number): boolean {
    return this.uniform() < p;
  }

  /** The numbers 0 .. n - 1 in random order (Fisher and Yates), all orders equally likely. */
  permutation(n: number): Uint32Array {
    const order = new Uint32Array(n);
    for (let i = 0; i < n; i++) order[i] = i;
    for (let last = n - 1; last > 0; last--) {
      const chosen = uniformInt(this.#generator, 0, last);
      const value = order[last]!;
      order[last] = order[chosen]!;
      order[chosen] = value;
    }
    return order;
  }

  /** Four 32-bit integers that `restore` takes; they survive JSON. */
  state(): number[] {
    return Array.from(this.#generator.getState(), (word) => word | 0); // one form, whatever the library holds
  }

  /** Continues exactly where `state()` was taken. */
  restore(state: number[]): void {
    const valid = state.length === 4 && state.every((word) => (word | 0) === word || word >>> 0 === word);
    if (!valid || state.every((word) => word === 0)) {
      throw new TopofrError(
        "E_FORMAT",
        `random stream "${this.name}": a state is four 32-bit integers, not all zero; found ${JSON.stringify(state)}. ` +
          "The checkpoint is damaged or of another version",
      );
    }
    this.#generator = xoroshiro128plusFromState(state.map((word) => word | 0));
  }
}

/**
 * A number in [0, 1) that depends on nothing but its arguments: MurmurHash3 of the 64-bit words of seed and keys, 53 bits
 * of it. For decisions about one sample, e.g. `randomUnit(seed, epoch, index) < 0.5` flips it: the answer is the
 * same in whatever order, process or resumed run it is asked. Arguments are safe integers.
 */
export function randomUnit(seed: number, ...keys: number[]): number {
  const words = [...wordsOf(seed)];
  for (const key of keys) words.push(...wordsOf(key));
  const high = murmur3(words, LANES[0]) >>> 6; // 26 bits
  const low = murmur3(words, LANES[1]) >>> 5; // 27 bits
  return (high * 2 ** 27 + low) / 2 ** 53;
}

/** MurmurHash3_x86_32 (A. Appleby, public domain) of whole 32-bit words. Returns a uint32. */
export function murmur3(words: readonly number[], seed: number): number {
  let hash = seed | 0;
  for (const word of words) {
    let block = Math.imul(word, 0xcc9e2d51);
    block = (block << 15) | (block >>> 17);
    hash ^= Math.imul(block, 0x1b873593);
    hash = (hash << 13) | (hash >>> 19);
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
  }
  hash ^= words.length * 4;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** The low and the high 32-bit word of a safe integer, two's complement. */
function wordsOf(value: number): [number, number] {
  if (!Number.isSafeInteger(value)) {
    throw new TopofrError(
      "E_USAGE",
      `a seed or key of random numbers must be a safe integer, found ${value}`,
    );
  }
  return [value | 0, Math.floor(value / WORD) | 0];
}
