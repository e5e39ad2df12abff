// How one picture of a person differs from the next: pose, expression, light, age, hair, things worn, background and
// camera. Independent of who the person is; habits (a usual hair style, say) are looked up in likeness.ts.
import type { RandomStream } from "../../random/stream.js";
import { drawLight } from "./drawLight.js";
import { drawCloth, drawDye, drawEyewear, drawHeadwear, drawMask, drawOccluder } from "./drawWorn.js";
import type { BeardStyle, HairStyle } from "./identity.js";
import { bell, type Colour, choose, clamp } from "./numeric.js";

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
  background: {
    kind: "plain" | "gradient" | "bokeh" | "room" | "foliage" | "stripes";
    colours: Colour[];
    seed: number;
  };
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
    eyewear:
      cover === "sunglasses"
        ? drawEyewear(stream, "sun")
        : stream.bernoulli(0.13)
          ? drawEyewear(stream, "clear")
          : null,
    mask: cover === "mask" ? drawMask(stream) : null,
    headwear: stream.bernoulli(occluded ? 0.25 : 0.12) ? drawHeadwear(stream) : null,
    occluder:
      cover === "none" || cover === "sunglasses" || cover === "mask" ? null : drawOccluder(stream, cover),
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
    ["frown", 0.8],
    ["surprise", 0.8],
  ] as const);
  const strength = stream.uniform();
  const closed = stream.bernoulli(0.04) ? stream.range(0.75, 1) : clamp(bell(stream, 0.08, 0.12), -0.15, 0.5);
  const gazeX = clamp(bell(stream, 0, 0.33), -1, 1);
  const gazeY = clamp(bell(stream, 0, 0.25), -1, 1);
  const base = { smile: 0, open: 0, brows: bell(stream, 0.05, 0.16), closed, gazeX, gazeY };
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
      return { ...base, smile: stream.range(-0.08, 0.28) };
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
    blur: blurred ? (moving ? stream.range(0.8, 1.6) : stream.range(2.2, 4.2)) : stream.range(0, 0.7),
    motion: [length * Math.sqrt(1 - angle * angle), length * angle],
    coarse: blurred && !moving && stream.bernoulli(0.5) ? stream.range(3, 5) : 1,
    noise: dark ? stream.range(5, 12) : stream.range(0.6, 3.6),
    saturation: clamp(bell(stream, 1, 0.17), 0.4, 1.5),
    contrast: clamp(bell(stream, 1.03, 0.12), 0.7, 1.4),
    tint: [1 + warmth, 1 + green, 1 - warmth],
    lift: stream.bernoulli(0.15) ? stream.range(0.02, 0.12) : 0,
    vignette: stream.bernoulli(0.3) ? stream.range(0.1, 0.4) : 0,
    monochrome: stream.bernoulli(0.05),
    seed: stream.integer(1_000_000_000),
  };
}
