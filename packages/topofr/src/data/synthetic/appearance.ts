// How one picture of a person differs from the next: pose, expression, light, age, hair, things worn, background and
// camera. Independent of who the person is; habits (a usual hair style, say) are looked up in likeness.ts.
import type { RandomStream } from "../../random/stream.js";
import type { BeardStyle, HairStyle } from "./identity.js";
import { bell, type Colour, choose, clamp, mixColour } from "./numeric.js";

/** `easy`, or the reason why a picture is hard. */
export type Difficulty = "easy" | "blurred" | "dark" | "occluded" | "extremePose";

export const HARD_DIFFICULTIES = ["blurred", "dark", "occluded", "extremePose"] as const;

export interface Eyewear {
  kind: "clear" | "sun";
  roundness: number; // 0 rectangular .. 1 round
  width: number; // half width of a lens, face units
  height: number;
  rim: number; // rim thickness, face units
  frame: Colour;
  lens: Colour;
}

export interface Headwear {
  kind: "beanie" | "cap" | "headscarf" | "hood";
  colour: Colour;
  accent: Colour;
  edge: number; // y of the front edge, face units
  pattern: number; // 0 plain .. 1
}

export interface Mask {
  colour: Colour;
  top: number; // y of the upper edge on the nose, face units
  kind: "surgical" | "cloth";
}

export interface Occluder {
  kind: "hand" | "object" | "microphone" | "shoulder";
  x: number; // pixels of the crop
  y: number;
  angle: number; // radians
  size: number; // pixels
  colour: Colour;
  accent: Colour;
}

export interface Appearance {
  difficulty: Difficulty;
  pose: {
    yaw: number; // degrees; positive turns the nose to the picture's right
    pitch: number; // positive looks up
    roll: number; // what alignment left over
    distance: number; // of the camera, face units; near gives strong perspective
  };
  misalignment: { dx: number; dy: number; scale: number }; // error of the five points, pixels
  expression: {
    smile: number; // -0.4 (sad) .. 1
    open: number; // 0..1
    brows: number; // -1 frown .. 1 raised
    closed: number; // lids, 0..1
    gazeX: number; // -1..1
    gazeY: number;
  };
  ageShift: number; // years from the identity's middle age
  light: {
    direction: readonly [number, number, number]; // towards the light; x right, y down, z to the viewer
    key: Colour; // linear strength
    sky: Colour; // linear, from above
    ground: Colour;
    rim: number; // light from behind
    exposure: number;
  };
  hair: {
    usual: boolean; // wears the usual style
    style: HairStyle; // else this one, if it suits
    beard: BeardStyle;
    usualBeard: boolean;
    part: number; // -1..1, side of the parting
    volume: number; // 0.7..1.4
    dye: Colour | null;
    seed: number;
  };
  makeup: { amount: number; lips: Colour; lids: Colour };
  flush: number; // -1..1, paler or redder than usual
  tan: number; // -1..1
  eyewear: Eyewear | null;
  mask: Mask | null;
  headwear: Headwear | null;
  occluder: Occluder | null;
  clothes: { colour: Colour; accent: Colour; collar: number };
  background: { kind: "plain" | "gradient" | "bokeh" | "room" | "foliage" | "stripes"; colours: Colour[]; seed: number };
  camera: {
    blur: number; // Gaussian deviation, pixels
    motion: readonly [number, number]; // length of motion blur, pixels
    coarse: number; // 1, or the factor by which the picture was once smaller
    noise: number; // deviation, 0..255 scale
    saturation: number;
    contrast: number;
    tint: Colour; // multiplies
    lift: number; // haze that raises black
    vignette: number;
    monochrome: boolean;
    seed: number;
  };
}

/** Draws one picture's circumstances. */
export function drawAppearance(stream: RandomStream, difficulty: Difficulty): Appearance {
  const occluded = difficulty === "occluded";
  const cover = occluded
    ? choose(stream, [
        ["sunglasses", 3],
        ["mask", 3],
        ["hand", 3],
        ["object", 2],
        ["shoulder", 1],
        ["microphone", 1],
      ] as const)
    : "none";
  return {
    difficulty,
    pose: drawPose(stream, difficulty === "extremePose"),
    misalignment: {
      dx: bell(stream, 0, 0.8),
      dy: bell(stream, 0, 0.8),
      scale: clamp(bell(stream, 1, 0.025), 0.92, 1.08),
    },
    expression: drawExpression(stream),
    ageShift: stream.range(-1, 1) * (stream.bernoulli(0.25) ? 14 : 5),
    light: drawLight(stream, difficulty === "dark"),
    hair: {
      usual: stream.bernoulli(0.5),
      style: choose<HairStyle>(stream, [
        ["buzzed", 0.6],
        ["short", 2],
        ["sidePart", 2],
        ["swept", 1.5],
        ["fringe", 2],
        ["bob", 1.5],
        ["long", 2.5],
        ["tied", 2],
        ["curly", 1],
      ]),
      beard: choose<BeardStyle>(stream, [
        ["shaven", 3],
        ["stubble", 3],
        ["moustache", 0.5],
        ["goatee", 0.7],
        ["full", 1],
      ]),
      usualBeard: stream.bernoulli(0.55),
      part: stream.range(-1, 1),
      volume: stream.range(0.75, 1.35),
      dye: stream.bernoulli(0.08) ? drawDye(stream) : null,
      seed: stream.integer(100_000),
    },
    makeup: {
      amount: stream.uniform(),
      lips: choose<Colour>(stream, [
        [[0.72, 0.18, 0.2], 2],
        [[0.6, 0.12, 0.2], 1.5],
        [[0.8, 0.4, 0.4], 3],
        [[0.62, 0.32, 0.28], 2],
        [[0.42, 0.1, 0.16], 0.6],
      ]),
      lids: choose<Colour>(stream, [
        [[0.25, 0.17, 0.14], 4],
        [[0.3, 0.3, 0.33], 2],
        [[0.45, 0.3, 0.28], 2],
        [[0.22, 0.28, 0.36], 0.7],
      ]),
    },
    flush: bell(stream, 0, 0.4),
    tan: bell(stream, 0, 0.4),
    eyewear: cover === "sunglasses" ? drawEyewear(stream, "sun") : stream.bernoulli(0.13) ? drawEyewear(stream, "clear") : null,
    mask: cover === "mask" ? drawMask(stream) : null,
    headwear: stream.bernoulli(occluded ? 0.25 : 0.12) ? drawHeadwear(stream) : null,
    occluder: cover === "none" || cover === "sunglasses" || cover === "mask" ? null : drawOccluder(stream, cover),
    clothes: { colour: drawCloth(stream), accent: drawCloth(stream), collar: stream.uniform() },
    background: {
      kind: choose(stream, [
        ["plain", 1.5],
        ["gradient", 3],
        ["bokeh", 2.5],
        ["room", 3],
        ["foliage", 2],
        ["stripes", 1],
      ] as const),
      colours: [drawCloth(stream), drawCloth(stream), drawCloth(stream)],
      seed: stream.integer(100_000),
    },
    camera: drawCamera(stream, difficulty),
  };
}

function drawPose(stream: RandomStream, extreme: boolean): Appearance["pose"] {
  const side = stream.bernoulli(0.5) ? 1 : -1;
  const tilted = extreme && stream.bernoulli(0.22);
  const yaw = extreme
    ? side * (tilted ? stream.range(10, 35) : stream.range(48, 72))
    : clamp(bell(stream, 0, stream.bernoulli(0.5) ? 8 : 20), -42, 42);
  const pitch = tilted
    ? (stream.bernoulli(0.5) ? 1 : -1) * stream.range(24, 34)
    : clamp(bell(stream, -1, 7), -18, 18);
  return { yaw, pitch, roll: bell(stream, 0, 2.5), distance: stream.range(330, 900) };
}

function drawExpression(stream: RandomStream): Appearance["expression"] {
  const mood = choose(stream, [
    ["calm", 4],
    ["smile", 4],
    ["laugh", 2],
    ["speak", 1.5],
    ["frown", 1.2],
    ["surprise", 0.8],
  ] as const);
  const strength = stream.uniform();
  const closed = stream.bernoulli(0.04) ? stream.range(0.75, 1) : clamp(bell(stream, 0.08, 0.12), -0.15, 0.5);
  const gazeX = clamp(bell(stream, 0, 0.33), -1, 1);
  const gazeY = clamp(bell(stream, 0, 0.25), -1, 1);
  const base = { smile: 0, open: 0, brows: bell(stream, 0, 0.2), closed, gazeX, gazeY };
  switch (mood) {
    case "smile":
      return { ...base, smile: 0.35 + 0.55 * strength, open: stream.bernoulli(0.4) ? 0.12 : 0 };
    case "laugh":
      return { ...base, smile: 0.7 + 0.3 * strength, open: 0.2 + 0.35 * strength, closed: closed + 0.15 };
    case "speak":
      return { ...base, open: 0.15 + 0.5 * strength, smile: stream.range(-0.1, 0.3) };
    case "frown":
      return { ...base, smile: -0.35 * strength, brows: -0.4 - 0.6 * strength, closed: closed + 0.08 };
    case "surprise":
      return { ...base, open: 0.3 + 0.6 * strength, brows: 0.5 + 0.5 * strength, closed: -0.15 };
    default:
      return { ...base, smile: stream.range(-0.12, 0.25) };
  }
}

function drawLight(stream: RandomStream, dark: boolean): Appearance["light"] {
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
  const exposure = (dark ? stream.range(0.07, 0.17) : 1) * clamp(bell(stream, 1, 0.27), 0.5, 1.75);
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

function drawCamera(stream: RandomStream, difficulty: Difficulty): Appearance["camera"] {
  const blurred = difficulty === "blurred";
  const dark = difficulty === "dark";
  const moving = blurred && stream.bernoulli(0.4);
  const angle = stream.range(-1, 1);
  const length = moving ? stream.range(6, 13) : 0;
  const warmth = bell(stream, 0, 0.06);
  const green = bell(stream, 0, 0.02);
  return {
    blur: blurred ? (moving ? stream.range(0.8, 1.6) : stream.range(2.2, 4.2)) : stream.range(0, 0.75),
    motion: [length * Math.sqrt(1 - angle * angle), length * angle],
    coarse: blurred && !moving && stream.bernoulli(0.5) ? stream.range(3, 5) : 1,
    noise: dark ? stream.range(5, 12) : stream.range(0.6, 4.5),
    saturation: clamp(bell(stream, 1, 0.17), 0.4, 1.5),
    contrast: clamp(bell(stream, 1.03, 0.12), 0.7, 1.4),
    tint: [1 + warmth, 1 + green, 1 - warmth],
    lift: stream.bernoulli(0.15) ? stream.range(0.02, 0.12) : 0,
    vignette: stream.bernoulli(0.3) ? stream.range(0.1, 0.4) : 0,
    monochrome: stream.bernoulli(0.05),
    seed: stream.integer(1_000_000_000),
  };
}

function drawEyewear(stream: RandomStream, kind: Eyewear["kind"]): Eyewear {
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

function drawMask(stream: RandomStream): Mask {
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

function drawHeadwear(stream: RandomStream): Headwear {
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

function drawOccluder(stream: RandomStream, kind: Occluder["kind"]): Occluder {
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

function drawDye(stream: RandomStream): Colour {
  return choose<Colour>(stream, [
    [[0.85, 0.75, 0.55], 3],
    [[0.55, 0.16, 0.12], 2],
    [[0.08, 0.07, 0.08], 2],
    [[0.65, 0.35, 0.6], 0.5],
    [[0.2, 0.35, 0.55], 0.5],
  ]);
}

/** A colour of cloth, walls and things: any hue, mostly muted. */
function drawCloth(stream: RandomStream): Colour {
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
