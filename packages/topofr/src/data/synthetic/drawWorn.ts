// Draws what a person wears or holds in a picture, and the colours of cloth, dye and things.
import type { RandomStream } from "../../random/stream.js";
import type { Eyewear, Headwear, Mask, Occluder } from "./appearance.js";
import { type Colour, choose } from "./numeric.js";

export function drawEyewear(stream: RandomStream, kind: Eyewear["kind"]): Eyewear {
  const frame = choose<Colour>(stream, [
    [[0.06, 0.06, 0.07], 4],
    [[0.3, 0.17, 0.09], 2],
    [[0.55, 0.5, 0.42], 1.5],
    [[0.62, 0.6, 0.58], 1],
    [drawCloth(stream), 0.8],
  ]);
  const sun = kind === "sun";
  return {
    kind,
    roundness: stream.uniform(),
    width: stream.range(12.5, 15) + (sun ? 0.8 : 0),
    height: stream.range(8, 11) + (sun ? 1.6 : 0),
    rim: stream.range(0.7, sun ? 1.8 : 1.7),
    frame,
    lens: choose<Colour>(stream, [
      [[0.05, 0.05, 0.06], 4],
      [[0.16, 0.1, 0.06], 2],
      [[0.08, 0.12, 0.1], 1],
      [[0.1, 0.12, 0.2], 1],
    ]),
  };
}

export function drawMask(stream: RandomStream): Mask {
  const surgical = stream.bernoulli(0.65);
  return {
    kind: surgical ? "surgical" : "cloth",
    colour: surgical
      ? choose<Colour>(stream, [
          [[0.55, 0.74, 0.83], 3],
          [[0.92, 0.93, 0.94], 2],
          [[0.6, 0.8, 0.73], 1],
          [[0.12, 0.12, 0.13], 1],
        ])
      : drawCloth(stream),
    top: stream.range(6, 15),
  };
}

export function drawHeadwear(stream: RandomStream): Headwear {
  return {
    kind: choose(stream, [
      ["beanie", 3],
      ["cap", 3],
      ["headscarf", 1.6],
      ["hood", 1.4],
    ] as const),
    colour: drawCloth(stream),
    accent: drawCloth(stream),
    edge: stream.range(-31, -20),
    pattern: stream.bernoulli(0.5) ? stream.uniform() : 0,
  };
}

export function drawOccluder(stream: RandomStream, kind: Occluder["kind"]): Occluder {
  const side = stream.bernoulli(0.5) ? 1 : -1;
  const place = {
    hand: [56 + side * stream.range(12, 30), stream.range(72, 96)],
    object: [56 + side * stream.range(8, 34), stream.range(62, 100)],
    microphone: [56 + side * stream.range(0, 16), stream.range(92, 104)],
    shoulder: [56 + side * stream.range(44, 62), stream.range(64, 92)],
  }[kind] as [number, number];
  return {
    kind,
    x: place[0],
    y: place[1],
    angle: side * stream.range(0.15, 0.9),
    size: stream.range(0.8, 1.2),
    colour: drawCloth(stream),
    accent: drawCloth(stream),
  };
}

export function drawDye(stream: RandomStream): Colour {
  return choose<Colour>(stream, [
    [[0.85, 0.75, 0.55], 3],
    [[0.55, 0.16, 0.12], 2],
    [[0.08, 0.07, 0.08], 2],
    [[0.65, 0.35, 0.6], 0.2],
    [[0.2, 0.35, 0.55], 0.2],
  ]);
}

/** A colour of cloth, walls and things: any hue, mostly muted. */
export function drawCloth(stream: RandomStream): Colour {
  const value = stream.range(0.08, 0.92);
  const chroma = stream.uniform() * stream.uniform() * 0.85;
  const hue = stream.range(0, 6);
  const ramped = (offset: number): number => {
    const h = (hue + offset) % 6;
    const wheel = h < 1 ? h : h < 3 ? 1 : h < 4 ? 4 - h : 0;
    return value * (1 - chroma * (1 - wheel));
  };
  return [ramped(2), ramped(0), ramped(4)];
}
