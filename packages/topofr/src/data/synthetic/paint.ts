// The colour of one spot of a surface while it is being painted, before light falls on it.
import type { Colour } from "./numeric.js";

/**
 * One spot: where it is, its gamma-encoded colour, how it answers to light. One object is painted over again and again,
 * and carries the position too, because numbers passed as arguments to so many small functions would be boxed.
 */
export class Paint {
  x = 0; // painter coordinates, see GridMesh.features
  y = 0;
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

  /** Moves towards another spot's colour. */
  blendSpot(spot: Paint, amount: number): void {
    this.red += (spot.red - this.red) * amount;
    this.green += (spot.green - this.green) * amount;
    this.blue += (spot.blue - this.blue) * amount;
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

/** Adds one layer of paint at (paint.x, paint.y). */
export type Painter = (paint: Paint) => void;
