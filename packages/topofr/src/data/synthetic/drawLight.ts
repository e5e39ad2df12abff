// Draws the light of a picture: one of six everyday settings, varied.
import type { RandomStream } from "../../random/stream.js";
import type { Appearance } from "./appearance.js";
import { drawCloth } from "./drawWorn.js";
import { bell, type Colour, choose, clamp, mixColour } from "./numeric.js";

/** `dark`: far too little light for the exposure. */
export function drawLight(stream: RandomStream, dark: boolean): Appearance["light"] {
  const setting = choose(stream, [
    ["flash", 2],
    ["window", 3],
    ["overcast", 2.5],
    ["sun", 2.5],
    ["evening", 1.5],
    ["stage", 0.8],
  ] as const);
  const side = stream.range(-1, 1);
  const direction = (x: number, y: number, z: number): [number, number, number] => {
    const length = Math.sqrt(x * x + y * y + z * z);
    return [x / length, y / length, z / length];
  };
  const scale = (colour: Colour, strength: number): Colour => [
    colour[0] * strength,
    colour[1] * strength,
    colour[2] * strength,
  ];
  const warm = mixColour([1, 0.93, 0.84], [1, 0.72, 0.45], stream.uniform());
  const cool = mixColour([0.96, 0.98, 1], [0.72, 0.84, 1], stream.uniform());
  const stray = drawCloth(stream);
  const exposure = (dark ? stream.range(0.07, 0.17) : 1) * clamp(bell(stream, 1.22, 0.32), 0.7, 2.1);
  const keyed = (
    d: [number, number, number],
    key: Colour,
    sky: Colour,
    ground: Colour,
  ): Appearance["light"] => ({
    direction: d,
    key,
    sky,
    ground,
    rim: stream.bernoulli(0.3) ? stream.range(0.2, 0.9) : 0,
    exposure,
  });
  switch (setting) {
    case "flash":
      return keyed(
        direction(0.25 * side, -0.25 - 0.2 * stream.uniform(), 1),
        scale(cool, stream.range(0.75, 1)),
        scale(warm, 0.16),
        scale(warm, 0.1),
      );
    case "window":
      return keyed(
        direction(side < 0 ? -1 : 1, -0.35 * stream.uniform(), stream.range(0.15, 0.8)),
        scale(cool, stream.range(0.75, 1.05)),
        scale(cool, stream.range(0.14, 0.32)),
        scale(stray, stream.range(0.1, 0.28)),
      );
    case "overcast":
      return keyed(
        direction(0.5 * side, -0.9, 0.75),
        scale(cool, stream.range(0.3, 0.5)),
        scale(cool, stream.range(0.5, 0.65)),
        scale(mixColour(stray, [0.5, 0.5, 0.5], 0.4), stream.range(0.2, 0.4)),
      );
    case "sun":
      return keyed(
        direction(1.1 * side, -stream.range(0.4, 1.3), stream.range(0.35, 1)),
        scale(warm, stream.range(0.95, 1.3)),
        scale(cool, stream.range(0.2, 0.35)),
        scale(stray, stream.range(0.12, 0.3)),
      );
    case "evening":
      return keyed(
        direction(1.2 * side, stream.range(-0.6, 0.15), stream.range(0.3, 1)),
        scale(mixColour(warm, [1, 0.6, 0.3], 0.4), stream.range(0.6, 0.95)),
        scale(mixColour(warm, stray, 0.4), stream.range(0.15, 0.3)),
        scale(mixColour(warm, stray, 0.4), stream.range(0.1, 0.25)),
      );
    default:
      return keyed(
        direction(1.4 * side, stream.range(-0.8, 0.7), stream.range(0.1, 0.8)),
        scale(mixColour(stray, [1, 1, 1], 0.45), stream.range(0.9, 1.4)),
        scale(mixColour(drawCloth(stream), [0.5, 0.5, 0.5], 0.3), 0.22),
        scale(mixColour(drawCloth(stream), [0.5, 0.5, 0.5], 0.3), 0.16),
      );
  }
}
