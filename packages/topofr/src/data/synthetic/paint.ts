// The colour of one spot of a surface while it is being painted, before light falls on it.
import type { Colour } from "./numeric.js";

/** Gamma-encoded colour plus how the spot answers to light. One object is painted over again and again. */
export class Paint {
  red = 0;
  green = 0;
  blue = 0;
  gloss = 0; // 0 matt .. 1 wet
  glint = 0; // light added after shading: the eye's catchlight
  scatter = 0; // 1 for skin: light bleeds into shadow, red most

  set(colour: Colour, gloss: number, scatter: number): void {
    this.red = colour[0];
    this.green = colour[1];
    this.blue = colour[2];
    this.gloss = gloss;
    this.scatter = scatter;
    this.glint = 0;
  }

  /** Moves towards a colour by `amount`, 0..1. */
  blend(colour: Colour, amount: number): void {
    this.red += (colour[0] - this.red) * amount;
    this.green += (colour[1] - this.green) * amount;
    this.blue += (colour[2] - this.blue) * amount;
  }

  /** Multiplies by a grey factor. */
  dim(factor: number): void {
    this.red *= factor;
    this.green *= factor;
    this.blue *= factor;
  }

  /** Multiplies by a colour, by `amount`. */
  stain(colour: Colour, amount: number): void {
    this.red *= 1 + (colour[0] - 1) * amount;
    this.green *= 1 + (colour[1] - 1) * amount;
    this.blue *= 1 + (colour[2] - 1) * amount;
  }
}

/** Adds one layer of a face at face units (x, y). */
export type Painter = (paint: Paint, x: number, y: number) => void;
