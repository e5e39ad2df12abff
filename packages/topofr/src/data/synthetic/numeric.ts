// Small numeric tools of the face renderer: interpolation, angles, noise. Everything here uses only +, -, *, / and
// sqrt, whose results IEEE 754 fixes, so that pictures are the same bytes on every machine; Math.sin, Math.exp and
// Math.pow are left alone because engines may round them differently.
import type { RandomStream } from "../../random/stream.js";

/** Red, green, blue in 0..1, as written to a file (gamma encoded) unless a name says linear. */
export type Colour = readonly [number, number, number];

export function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(high, value));
}

export function mix(from: number, to: number, amount: number): number {
  return from + (to - from) * amount;
}

export function mixColour(from: Colour, to: Colour, amount: number): Colour {
  return [mix(from[0], to[0], amount), mix(from[1], to[1], amount), mix(from[2], to[2], amount)];
}

/** 0 below `low`, 1 above `high`, a smooth cubic between. `low` may be above `high`: the ramp then falls. */
export function ramp(low: number, high: number, value: number): number {
  const t = clamp((value - low) / (high - low), 0, 1);
  return t * t * (3 - 2 * t);
}

/** A smooth hill of height 1 at 0 that reaches 0 at squared distance 1. */
export function hill(squaredDistance: number): number {
  if (squaredDistance >= 1) return 0;
  const t = 1 - squaredDistance;
  return t * t;
}

/** An elliptic `hill` of radii rx, ry. */
export function mound(dx: number, dy: number, rx: number, ry: number): number {
  const u = dx / rx;
  const v = dy / ry;
  const d = u * u + v * v;
  return d >= 1 ? 0 : (1 - d) * (1 - d);
}

/** Sine of an angle in radians, by its power series; error below 1e-9 for angles within a few turns. */
export function sine(angle: number): number {
  let x = angle - 2 * Math.PI * Math.floor(angle / (2 * Math.PI) + 0.5); // -pi .. pi
  if (x > Math.PI / 2) x = Math.PI - x;
  if (x < -Math.PI / 2) x = -Math.PI - x;
  const s = x * x;
  return (
    x *
    (1 -
      (s / 6) *
        (1 - (s / 20) * (1 - (s / 42) * (1 - (s / 72) * (1 - (s / 110) * (1 - (s / 156) * (1 - s / 210)))))))
  );
}

export function cosine(angle: number): number {
  return sine(angle + Math.PI / 2);
}

export function radians(degrees: number): number {
  return (degrees * Math.PI) / 180;
}

/** Bell-shaped draw: mean, standard deviation, never further than 3.46 deviations (four uniform numbers summed). */
export function bell(stream: RandomStream, mean: number, deviation: number): number {
  const sum = stream.uniform() + stream.uniform() + stream.uniform() + stream.uniform();
  return mean + (sum - 2) * 1.7320508075688772 * deviation;
}

/** One of `options`, chosen with the given weights (any positive scale). */
export function choose<T>(stream: RandomStream, options: readonly (readonly [T, number])[]): T {
  let total = 0;
  for (const [, weight] of options) total += weight;
  let left = stream.uniform() * total;
  for (const [option, weight] of options) {
    left -= weight;
    if (left < 0) return option;
  }
  return options.at(-1)![0];
}

/** A 32-bit generator for pixel noise: fast, seeded, of no cryptographic use (xorshift). */
export class PixelNoise {
  #state: number;

  constructor(seed: number) {
    this.#state = (Math.imul(seed | 0, 0x9e3779b1) ^ 0x6a09e667) | 0 || 1;
    for (let i = 0; i < 4; i++) this.next();
  }

  /** Uniform in [0, 1). */
  next(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return (x >>> 0) / 4294967296;
  }

  /** About normal, deviation 1: two bytes-wide uniforms from one step, triangular. */
  grain(): number {
    const bits = Math.floor(this.next() * 4294967296);
    return ((bits & 0xffff) + (bits >>> 16)) / 26754.9 - 2.4495; // sum of two uniforms, scaled to deviation 1
  }
}

const LATTICE = 256;
const lattice = makeLattice();

function makeLattice(): Float32Array {
  const noise = new PixelNoise(20240607);
  return Float32Array.from({ length: LATTICE * LATTICE }, () => noise.next());
}

/** Smooth noise in 0..1, period 256 in both directions; one feature per unit of distance. */
export function smoothNoise(x: number, y: number): number {
  const column = Math.floor(x);
  const row = Math.floor(y);
  const u = x - column;
  const v = y - row;
  const left = column & 255;
  const right = (column + 1) & 255;
  const top = (row & 255) << 8;
  const bottom = ((row + 1) & 255) << 8;
  const su = u * u * (3 - 2 * u);
  const sv = v * v * (3 - 2 * v);
  const a = lattice[top + left]!;
  const c = lattice[bottom + left]!;
  const upper = a + (lattice[top + right]! - a) * su;
  const lower = c + (lattice[bottom + right]! - c) * su;
  return upper + (lower - upper) * sv;
}

/** Unsmoothed noise in 0..1: the value of one lattice cell. */
export function cellNoise(x: number, y: number): number {
  return lattice[((Math.floor(y) & 255) << 8) + (Math.floor(x) & 255)]!;
}
