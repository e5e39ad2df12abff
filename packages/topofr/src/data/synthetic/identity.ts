// Who a drawn person is: geometry and colouring that stay the same in all pictures of one identity.
// Lengths are "face units": 1 unit is one pixel of the aligned crop for an average frontal face (about 1.8 mm).
// Origin between the eyes, x to the picture's right, y downwards, z towards the viewer. What changes from picture to
// picture is in appearance.ts.
import type { RandomStream } from "../../random/stream.js";
import { bell, type Colour, choose, clamp, mix, mixColour } from "./numeric.js";

export type HairStyle =
  | "bald"
  | "buzzed"
  | "short"
  | "sidePart"
  | "swept"
  | "fringe"
  | "bob"
  | "long"
  | "tied"
  | "curly";

export type BeardStyle = "shaven" | "stubble" | "moustache" | "goatee" | "full";

export interface Mole {
  x: number;
  y: number;
  radius: number;
  darkness: number; // 0..1
}

/** Everything that makes a person recognisable. Independent of any picture. */
export interface FaceIdentity {
  masculinity: number; // 0..1, moves many of the parameters below together
  age: number; // years, at the middle of this person's pictures
  head: {
    cheekWidth: number; // half widths at the cheekbones, temples, jaw corners and chin
    templeWidth: number;
    jawWidth: number;
    chinWidth: number;
    chinY: number; // lowest point of the chin
    chinProjection: number;
    chinCleft: number; // 0..1
    cheekbone: number; // relief of the cheekbones
    fullness: number; // -1 gaunt .. 1 full
    browRidge: number;
    foreheadSlope: number; // how far the hairline lies behind the brows
    squareness: number; // 0 round .. 1 square outline
    earSize: number;
    earSpread: number;
    neckWidth: number;
  };
  eyes: {
    spacing: number; // half distance of the centres
    width: number; // half width of the opening
    upper: number; // height of the upper lid's arc over the corner line
    lower: number;
    tilt: number; // rise of the outer corner, as a slope
    peak: number; // -1..1, where the upper lid is highest, outwards positive
    crease: number; // distance of the lid crease over the lid edge; below 0.8 there is none
    depth: number; // how deep the sockets lie
    irisRadius: number;
    iris: Colour;
    irisRing: Colour;
    lash: number; // 0..1
    bag: number; // 0..1
  };
  brows: {
    height: number; // above the eye centre
    gap: number; // inner end, from the middle
    length: number;
    thickness: number;
    arch: number;
    tilt: number;
    density: number; // 0..1
  };
  nose: {
    tipY: number;
    width: number; // half width at the wings
    bridgeHeight: number;
    bridgeWidth: number;
    projection: number;
    tipSize: number;
    turn: number; // negative: tip points down; positive: up, nostrils show
    hump: number;
    shift: number; // sideways crookedness
  };
  mouth: {
    y: number;
    width: number; // half width
    upper: number; // lip thickness
    lower: number;
    bow: number; // depth of the upper lip's notch
    corner: number; // resting corners, up positive
    slant: number;
  };
  skin: {
    tone: Colour;
    flush: number; // redness of cheeks, nose, lips, 0..1
    freckles: number; // 0..1
    freckleSeed: number;
    moles: Mole[];
    gloss: number; // 0..1
    lines: number; // how strongly age shows, 0.4..1.6
  };
  hair: {
    colour: Colour;
    greyAge: number; // years at which half of the hair is grey
    curl: number; // 0 straight .. 1 curly
    hairline: number; // y of the hairline in the middle
    recession: number; // 0..1
    usualStyle: HairStyle;
    beardGrowth: number; // 0 none .. 1 dense
    usualBeard: BeardStyle;
    makeup: number; // usual amount, 0..1
  };
}

/** From very light to very deep, gamma encoded. */
const SKIN_TONES: readonly Colour[] = [
  [0.96, 0.84, 0.77],
  [0.93, 0.76, 0.66],
  [0.86, 0.66, 0.53],
  [0.76, 0.55, 0.41],
  [0.6, 0.4, 0.28],
  [0.45, 0.29, 0.2],
  [0.33, 0.21, 0.155],
];

const HAIR_COLOURS: readonly Colour[] = [
  [0.07, 0.06, 0.06], // black
  [0.15, 0.1, 0.075], // dark brown
  [0.29, 0.185, 0.115], // brown
  [0.47, 0.33, 0.2], // light brown
  [0.68, 0.53, 0.33], // dark blond
  [0.85, 0.73, 0.5], // blond
];
const RED_HAIR: Colour = [0.55, 0.24, 0.1];

const IRIS_COLOURS: readonly (readonly [Colour, Colour])[] = [
  [
    [0.19, 0.115, 0.07],
    [0.07, 0.045, 0.035],
  ], // dark brown
  [
    [0.36, 0.21, 0.1],
    [0.15, 0.085, 0.05],
  ], // brown
  [
    [0.48, 0.36, 0.17],
    [0.21, 0.17, 0.1],
  ], // hazel
  [
    [0.4, 0.47, 0.28],
    [0.17, 0.23, 0.15],
  ], // green
  [
    [0.47, 0.55, 0.57],
    [0.22, 0.28, 0.31],
  ], // grey
  [
    [0.4, 0.57, 0.74],
    [0.15, 0.25, 0.38],
  ], // blue
];

/** Draws one person. The stream should be used for nothing else, so that a person does not depend on the others. */
export function drawIdentity(stream: RandomStream): FaceIdentity {
  const masculinity = clamp(
    stream.bernoulli(0.5) ? bell(stream, 0.82, 0.11) : bell(stream, 0.18, 0.11),
    0,
    1,
  );
  const m = masculinity;
  const age = clamp(18 + 52 * stream.uniform() * mix(0.45, 1, stream.uniform()), 18, 68);
  const depth = stream.uniform(); // 0 light .. 1 deep skin; loosely ties hair, eyes and features together
  const fullness = clamp(bell(stream, 0, 0.5), -1, 1.2);
  return {
    masculinity,
    age,
    head: drawHead(stream, m, fullness),
    eyes: drawEyes(stream, m, depth),
    brows: {
      height: bell(stream, 10.4 - 1.7 * m, 1.1),
      gap: clamp(bell(stream, 7.4 - m, 1.5), 2.4, 11),
      length: bell(stream, 18.2, 1.3),
      thickness: clamp(bell(stream, 1.35 + 0.55 * m, 0.4), 0.75, 2.8),
      arch: bell(stream, 1.8 - 0.8 * m, 0.8),
      tilt: bell(stream, 0.03, 0.075),
      density: clamp(bell(stream, 0.6 + 0.16 * m, 0.17), 0.2, 1),
    },
    nose: {
      tipY: bell(stream, 20.6 + 0.8 * m, 1.6),
      width: bell(stream, 8 + 0.9 * m + 1.3 * depth, 0.9),
      bridgeHeight: clamp(bell(stream, 5.1 + 0.7 * m - 1.5 * depth, 1.25), 1.6, 8.5),
      bridgeWidth: bell(stream, 4.2 + 0.4 * m, 0.65),
      projection: bell(stream, 14.2 + m - depth, 1.5),
      tipSize: bell(stream, 5.7 + 0.5 * m + 0.7 * depth, 0.85),
      turn: bell(stream, 0.12 - 0.25 * m, 0.5),
      hump: Math.max(0, bell(stream, 0.1 + 0.4 * m, 0.8)),
      shift: bell(stream, 0, 0.55),
    },
    mouth: {
      y: bell(stream, 40.3 + 0.5 * m, 1.25),
      width: bell(stream, 14.1 + 0.5 * m, 1.35),
      upper: clamp(bell(stream, 3.1 - 0.8 * m + 0.9 * depth, 0.75), 0.9, 5.4),
      lower: clamp(bell(stream, 4.3 - 0.7 * m + 0.9 * depth, 0.8), 1.7, 6.8),
      bow: clamp(bell(stream, 0.9, 0.45), 0, 2.2),
      corner: bell(stream, 0.5, 0.7),
      slant: bell(stream, 0, 0.025),
    },
    skin: drawSkin(stream, depth),
    hair: drawHair(stream, m, age, depth),
  };
}

function drawHead(stream: RandomStream, m: number, fullness: number): FaceIdentity["head"] {
  const cheekWidth = bell(stream, 41.8 + 0.9 * m + fullness, 1.5);
  return {
    cheekWidth,
    templeWidth: cheekWidth - bell(stream, 1.4, 1),
    jawWidth: cheekWidth - clamp(bell(stream, 7.4 - 3 * m - 1.6 * fullness, 1.8), 0.6, 11),
    chinWidth: bell(stream, 20.6 + 3.4 * m + 2 * fullness, 2.3),
    chinY: bell(stream, 62 + 3 * m, 2.3),
    chinProjection: bell(stream, 2.6 + 1.2 * m, 1.3),
    chinCleft: stream.bernoulli(0.12 + 0.2 * m) ? stream.range(0.3, 1) : 0,
    cheekbone: bell(stream, 1.9 - 0.4 * fullness, 0.9),
    fullness,
    browRidge: Math.max(0, bell(stream, 0.3 + 1.9 * m, 0.7)),
    foreheadSlope: bell(stream, 3 + 3 * m, 1.8),
    squareness: clamp(bell(stream, 0.25 + 0.3 * m, 0.2), 0, 1),
    earSize: bell(stream, 15.2 + m, 1.3),
    earSpread: clamp(bell(stream, 0.36, 0.16), 0.05, 0.9),
    neckWidth: bell(stream, 23 + 5.5 * m + fullness, 1.4),
  };
}

function drawEyes(stream: RandomStream, m: number, depth: number): FaceIdentity["eyes"] {
  const narrow = stream.bernoulli(0.22); // lids without or with a low crease
  // Light eyes get rarer as skin gets deeper.
  const light = stream.uniform() * (1.25 - 1.35 * depth);
  const kind =
    light < 0.28 ? 0 : light < 0.5 ? 1 : light < 0.64 ? 2 : light < 0.75 ? 3 : light < 0.86 ? 4 : 5;
  const [iris, irisRing] = IRIS_COLOURS[kind]!;
  const shift = stream.range(-0.035, 0.035);
  return {
    spacing: bell(stream, 17.7, 0.85),
    width: bell(stream, 9.1 - 0.4 * m + (narrow ? 0.2 : 0), 0.65),
    upper: clamp(bell(stream, (narrow ? 3.1 : 4.1) - 0.6 * m, 0.55), 1.9, 5.4),
    lower: clamp(bell(stream, 2, 0.35), 1.1, 3),
    tilt: bell(stream, (narrow ? 0.1 : 0.05) - 0.02 * m, 0.06),
    peak: clamp(bell(stream, -0.1, 0.22), -0.6, 0.5),
    crease: narrow
      ? clamp(bell(stream, 0.7, 0.5), 0, 1.6)
      : clamp(bell(stream, 2.5 - 0.5 * m, 0.7), 0.9, 4.6),
    depth: clamp(bell(stream, narrow ? 2.4 : 3.9, 1), 0.8, 6.5),
    irisRadius: bell(stream, 3.5, 0.16),
    iris: [iris[0] + shift, iris[1] + shift, iris[2] + shift],
    irisRing,
    lash: clamp(bell(stream, 0.75 - 0.35 * m, 0.15), 0.1, 1),
    bag: clamp(bell(stream, 0.35, 0.25), 0, 1),
  };
}

function drawSkin(stream: RandomStream, depth: number): FaceIdentity["skin"] {
  const position = depth * depth * 0.35 + depth * 0.65; // more light and middle tones than deep ones
  const index = position * (SKIN_TONES.length - 1);
  const lower = Math.min(SKIN_TONES.length - 2, Math.floor(index));
  const base = mixColour(SKIN_TONES[lower]!, SKIN_TONES[lower + 1]!, index - lower);
  const warmth = bell(stream, 0, 0.018); // olive against rosy
  const freckles = stream.bernoulli(0.24 * (1 - depth)) ? stream.range(0.2, 0.9) : 0;
  const moles: Mole[] = [];
  const count = stream.bernoulli(0.5) ? 1 + stream.integer(3) : 0;
  for (let i = 0; i < count; i++) {
    const x = stream.range(-30, 30);
    const y = stream.range(-30, 56);
    moles.push({ x, y, radius: stream.range(0.5, 1.15), darkness: stream.range(0.3, 0.75) });
  }
  return {
    tone: [base[0] + warmth, base[1] - 0.4 * warmth, base[2] - 1.1 * warmth],
    flush: clamp(bell(stream, 0.45, 0.22), 0, 1),
    freckles,
    freckleSeed: stream.integer(10_000),
    moles,
    gloss: clamp(bell(stream, 0.45, 0.2), 0, 1),
    lines: clamp(bell(stream, 1, 0.25), 0.4, 1.6),
  };
}

function drawHair(stream: RandomStream, m: number, age: number, depth: number): FaceIdentity["hair"] {
  const reach = (HAIR_COLOURS.length - 1) * clamp(1.25 - 1.5 * depth, 0.12, 1);
  const shade = stream.uniform() * reach;
  const lower = Math.min(HAIR_COLOURS.length - 2, Math.floor(shade));
  let colour = mixColour(HAIR_COLOURS[lower]!, HAIR_COLOURS[lower + 1]!, shade - lower);
  if (stream.bernoulli(0.09 * (1 - depth))) colour = mixColour(colour, RED_HAIR, stream.range(0.6, 1));
  const curl = clamp(bell(stream, 0.3 + 0.45 * depth, 0.22), 0, 1);
  const recession = clamp(m * bell(stream, (age - 22) / 60, 0.28), 0, 1);
  const short = m > 0.5;
  const usualStyle = choose<HairStyle>(
    stream,
    short
      ? [
          ["bald", recession > 0.55 ? 4 : 0.5],
          ["buzzed", 1.6],
          ["short", 5],
          ["sidePart", 3],
          ["swept", 2],
          ["fringe", 1],
          ["curly", curl > 0.5 ? 4 : 0.3],
          ["long", 0.6],
        ]
      : [
          ["long", 5],
          ["bob", 3],
          ["fringe", 2],
          ["tied", 3],
          ["swept", 0.7],
          ["curly", curl > 0.5 ? 4 : 0.3],
          ["buzzed", 0.15],
        ],
  );
  const beardGrowth = short ? clamp(bell(stream, 0.65, 0.25), 0, 1) : 0;
  const usualBeard: BeardStyle =
    beardGrowth < 0.15
      ? "shaven"
      : choose(stream, [
          ["shaven", 4],
          ["stubble", 3],
          ["moustache", 0.7],
          ["goatee", 1],
          ["full", 2.2],
        ]);
  return {
    colour,
    greyAge: bell(stream, 58, 9),
    curl,
    hairline: bell(stream, -40 - 2 * recession, 2.6),
    recession,
    usualStyle,
    beardGrowth,
    usualBeard,
    makeup: short ? 0 : clamp(bell(stream, 0.4, 0.25), 0, 1),
  };
}
