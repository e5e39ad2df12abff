// What one picture of one person shows: the identity with this picture's expression, age, hair and colouring worked
// in. Pure look-up and arithmetic; drawing happens in the files that take a Likeness.
import type { Appearance } from "./appearance.js";
import type { BeardStyle, FaceIdentity, HairStyle } from "./identity.js";
import { type Colour, clamp, mix, mixColour, ramp } from "./numeric.js";

export interface Likeness {
  identity: FaceIdentity;
  appearance: Appearance;
  age: number;
  lines: number; // 0 smooth .. 1.6 deeply lined
  chinY: number; // after the jaw has dropped
  jawDrop: number;
  smile: number;
  eyeOpen: number; // 0 shut .. 1.15 wide
  mouth: {
    y: number;
    width: number; // half width
    upper: number;
    lower: number;
    bow: number;
    cornerLift: number; // up positive
    gapUpper: number; // the opening reaches this far above and below the mouth line
    gapLower: number;
    slant: number;
    lipstick: number; // 0..1
  };
  browLift: number;
  browFrown: number; // 0..1
  tone: Colour;
  light: Appearance["light"]; // exposed for this skin, as cameras do
  flush: number;
  hairStyle: HairStyle;
  hairColour: Colour;
  browColour: Colour;
  grey: number; // share of grey hair, 0..1
  beard: BeardStyle;
  makeup: number;
}

/** Combines a person with the circumstances of one picture. */
export function likenessOf(identity: FaceIdentity, appearance: Appearance): Likeness {
  const { expression } = appearance;
  const smile = expression.smile;
  const open = Math.max(0, expression.open);
  const age = clamp(identity.age + appearance.ageShift, 16, 80);
  const grey = ramp(identity.hair.greyAge - 14, identity.hair.greyAge + 16, age);
  const jawDrop = 8.5 * open;
  const makeup = clamp(identity.hair.makeup * (0.25 + 1.5 * appearance.makeup.amount), 0, 1);
  const naturalHair = mixColour(identity.hair.colour, [0.62, 0.61, 0.6], 0.85 * grey);
  const dye = appearance.hair.dye;
  const hairColour =
    dye !== null && identity.masculinity < 0.6 ? mixColour(identity.hair.colour, dye, 0.8) : naturalHair;
  const { mouth } = identity;
  const grin = Math.max(0, smile);
  const thin = 1 - 0.3 * grin;
  return {
    identity,
    appearance,
    age,
    lines: identity.skin.lines * ramp(30, 80, age) * (0.95 + 0.4 * identity.masculinity),
    chinY: identity.head.chinY + jawDrop,
    jawDrop,
    smile,
    eyeOpen: clamp(1 - expression.closed - 0.16 * grin, 0, 1.15),
    mouth: {
      y: mouth.y - 0.5 * grin,
      width: mouth.width * (1 + 0.2 * smile - 0.16 * Math.max(0, open - 0.2)),
      upper: mouth.upper * thin,
      lower: mouth.lower * thin,
      bow: mouth.bow * (1 - 0.6 * grin),
      cornerLift: mouth.corner + 2.9 * smile,
      gapUpper: 1.6 * open + 0.6 * grin * ramp(0.05, 0.3, open),
      gapLower: jawDrop + 1.6 * grin * ramp(0.05, 0.3, open),
      slant: mouth.slant,
      lipstick: makeup > 0.25 ? clamp(makeup * 1.1, 0, 0.9) : 0,
    },
    browLift: 2.3 * Math.max(0, expression.brows) - 1 * Math.max(0, -expression.brows),
    browFrown: Math.max(0, -expression.brows),
    tone: tannedTone(identity, appearance),
    light: { ...appearance.light, exposure: appearance.light.exposure * faceExposure(identity) },
    flush: clamp(identity.skin.flush + 0.35 * appearance.flush, 0, 1.2),
    hairStyle: hairStyleOf(identity, appearance),
    hairColour,
    browColour: mixColour(
      mixColour(identity.hair.colour, [0.1, 0.07, 0.06], 0.45),
      [0.5, 0.49, 0.48],
      0.55 * grey,
    ),
    grey,
    beard: beardOf(identity, appearance),
    makeup,
  };
}

function tannedTone(identity: FaceIdentity, appearance: Appearance): Colour {
  const { tone } = identity.skin;
  const tan = 1 - 0.045 * appearance.tan;
  return [tone[0] * mix(1, tan, 0.6), tone[1] * tan, tone[2] * tan * mix(1, tan, 0.5)];
}

/** Cameras meter the face: deep skin gets more light than light skin, though not enough to look alike. */
function faceExposure(identity: FaceIdentity): number {
  const [red, green, blue] = identity.skin.tone;
  return 1.65 - 0.9 * (0.3 * red + 0.6 * green + 0.1 * blue);
}

const SHORT_STYLES: readonly HairStyle[] = ["bald", "buzzed", "short", "sidePart", "swept"];

/** The usual style, or the picture's own where it suits: few people change between cropped and long hair. */
function hairStyleOf(identity: FaceIdentity, appearance: Appearance): HairStyle {
  const { usualStyle, recession } = identity.hair;
  const style = appearance.hair.style;
  if (appearance.hair.usual) return usualStyle;
  if (usualStyle === "bald") return recession > 0.5 ? "buzzed" : style === "long" ? "short" : style;
  if (identity.masculinity > 0.5 && !SHORT_STYLES.includes(style)) {
    return style === "fringe" || style === "curly" ? style : usualStyle;
  }
  if (identity.masculinity <= 0.5 && SHORT_STYLES.includes(style) && style !== "swept") return "tied";
  return style;
}

function beardOf(identity: FaceIdentity, appearance: Appearance): BeardStyle {
  const { beardGrowth, usualBeard } = identity.hair;
  if (beardGrowth < 0.15) return "shaven";
  return appearance.hair.usualBeard ? usualBeard : appearance.hair.beard;
}
