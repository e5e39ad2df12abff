// Paints the mouth: lips, the line between them, teeth and the dark behind.
import type { Likeness } from "./likeness.js";
import { type Colour, clamp, hill, mix, mixColour, mound, ramp, smoothNoise } from "./numeric.js";
import type { Painter } from "./paint.js";

// Factors of skin colour.
const UNDER_LIP: Colour = [0.8, 0.7, 0.68];
const MOUTH_CORNER: Colour = [0.62, 0.5, 0.48];

const TEETH: Colour = [0.9, 0.87, 0.81];
const INSIDE: Colour = [0.2, 0.065, 0.06];
const TONGUE: Colour = [0.58, 0.26, 0.25];

export function mouthPainter(face: Likeness): Painter {
  const { mouth, tone } = face;
  const pale = (tone[0] + tone[1] + tone[2]) / 3;
  const natural = mixColour(
    [tone[0] * 0.87, tone[1] * 0.66, tone[2] * 0.66],
    [0.72, 0.36, 0.35],
    clamp((0.15 + 0.35 * face.flush) * (0.3 + pale), 0, 0.6),
  );
  const lips = mixColour(natural, face.appearance.makeup.lips, 0.8 * mouth.lipstick);
  const line: Colour = [lips[0] * 0.42, lips[1] * 0.32, lips[2] * 0.32];
  const gloss = 0.45 + 0.4 * mouth.lipstick;
  const age = 0.12 * face.lines;
  const gap = mouth.gapUpper + mouth.gapLower;
  const seed = face.identity.skin.freckleSeed;

  return (paint) => {
    const { x, y } = paint;
    const s = x / mouth.width;
    const across = s < 0 ? -s : s;
    if (across > 1.35 || y < mouth.y - 16 || y > mouth.y + mouth.gapLower + 16) return;
    const inner = Math.max(0, 1 - s * s);
    const middle = mouth.y - mouth.slant * x - mouth.cornerLift * 0.92 * s * s;
    const upperEdge = middle - mouth.gapUpper * inner;
    const lowerEdge = middle + mouth.gapLower * inner * (1.25 - 0.25 * inner);
    const bow =
      mouth.bow *
      (0.62 * hill((across / 0.17) * (across / 0.17)) -
        0.42 * hill(((across - 0.3) / 0.24) * ((across - 0.3) / 0.24)));
    const top = upperEdge - mouth.upper * (inner * (1.16 - 0.16 * inner)) + bow * inner;
    const bottom = lowerEdge + mouth.lower * inner * (1.25 - 0.25 * inner);
    const edge = ramp(1.05, 0.93, across);

    // Shade under the lower lip and at the corners.
    paint.stain(UNDER_LIP, 0.5 * mound(x, y - bottom - 2.2, mouth.width * 0.72, 2.6));
    paint.stain(MOUTH_CORNER, 0.75 * mound(across - 1.02, (y - middle) / mouth.width, 0.16, 0.16));

    const onUpper = ramp(-0.7, 0.55, y - top) * ramp(-0.35, 0.35, upperEdge - y) * edge;
    const onLower = ramp(-0.35, 0.35, y - lowerEdge) * ramp(-0.8, 0.7, bottom - y) * edge;
    const onLips = Math.max(onUpper, onLower);
    if (onLips > 0) {
      const creases =
        1 - 0.1 * (smoothNoise(x * 1.4 + seed, y * 0.25) - 0.5) - age * smoothNoise(x * 1.9, y * 0.2 + 9);
      const shade = creases * (onUpper > onLower ? 0.86 : 1.03);
      paint.blend(lips, onLips * 0.92);
      paint.dim(1 + (shade - 1) * onLips);
      paint.gloss += (gloss - paint.gloss) * onLower;
    }
    if (gap > 0.5) {
      const inGap =
        ramp(-0.4, 0.4, y - upperEdge) * ramp(-0.4, 0.4, lowerEdge - y) * ramp(1.02, 0.92, across);
      if (inGap > 0) {
        paint.blend(INSIDE, inGap);
        const teethReach = Math.min(
          4.6,
          (0.35 + 0.4 * Math.max(0, face.smile)) * (lowerEdge - upperEdge) + 0.7,
        );
        const onTeeth =
          inGap * ramp(-0.4, 0.4, upperEdge + teethReach * (1 - 0.35 * s * s) - y) * ramp(0.98, 0.72, across);
        const toothX = (x / 3.1) * (1 + 0.35 * s * s);
        const cell = toothX - Math.floor(toothX);
        const seam = 1 - 0.16 * Math.max(0, 1 - Math.min(cell, 1 - cell) * 7);
        const shade = seam * (1 - 0.5 * s * s) * mix(0.8, 1, ramp(0, 1.5, y - upperEdge));
        paint.blend(TEETH, onTeeth);
        paint.dim(1 + (shade - 1) * onTeeth);
        const tongue = inGap * (1 - onTeeth) * mound(x, y - lowerEdge + 0.6, mouth.width * 0.62, 0.42 * gap);
        paint.blend(TONGUE, 0.85 * tongue);
        paint.gloss += (0.35 - paint.gloss) * inGap;
        paint.scatter *= 1 - 0.5 * inGap;
      }
    } else {
      paint.blend(line, 0.85 * mound(0, y - middle, 1, 0.95) * ramp(1.08, 0.96, across));
    }
  };
}
