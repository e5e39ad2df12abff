// Paints the two eyes: lids, crease, lashes, eyeball, iris, pupil and catchlight.
import type { Likeness } from "./likeness.js";
import { type Colour, clamp, mix, mixColour, mound, ramp, smoothNoise } from "./numeric.js";
import { Paint, type Painter } from "./paint.js";

// Factors of skin colour.
const SOCKET: Colour = [0.84, 0.74, 0.74];
const BAG: Colour = [0.72, 0.6, 0.58];
const LID_LIGHT: Colour = [1.09, 1.07, 1.06];
const LID_FOLD: Colour = [0.86, 0.8, 0.78];
const YELLOWING: Colour = [0.99, 0.95, 0.93];

const SCLERA: Colour = [0.88, 0.85, 0.83];
const CORNER: Colour = [0.78, 0.5, 0.47]; // the pink inner corner
const LASH: Colour = [0.09, 0.065, 0.06];
const PUPIL: Colour = [0.03, 0.025, 0.025];

export function eyePainter(face: Likeness): Painter {
  const { eyes } = face.identity;
  const { expression, light, makeup } = face.appearance;
  const open = face.eyeOpen;
  const lidShade: Colour = [face.tone[0] * 0.6, face.tone[1] * 0.5, face.tone[2] * 0.47];
  const lidColour = mixColour(face.tone, makeup.lids, 0.75);
  const lower = eyes.lower * (1 - 0.35 * Math.max(0, face.smile));
  const gazeY = 1.1 * expression.gazeY - 0.5;
  const iris = mixColour(eyes.iris, [1, 1, 1], 0.08);
  const lashWidth = 0.45 + 0.55 * eyes.lash + 0.5 * face.makeup;
  const lashAmount = clamp(0.5 + 0.4 * eyes.lash + 0.3 * face.makeup, 0, 0.97);
  const bag = 0.12 + 0.28 * eyes.bag + 0.2 * face.lines;
  const frontLight = clamp(light.direction[2] * 1.5, 0.25, 1);
  const glintX = clamp(light.direction[0] * 1.6, -1.5, 1.5);
  const glintY = clamp(light.direction[1] * 1.3 - 0.5, -1.7, 0.8);

  const ball = new Paint();
  const disc = new Paint();

  return (paint) => {
    const { x, y } = paint;
    if (y < -13 || y > 13) return;
    const side = x < 0 ? -1 : 1;
    const u = x * side - eyes.spacing; // outwards
    if (u < -15 || u > 15) return;
    const v = y + eyes.tilt * u;
    const s = u / eyes.width;
    const away = s < eyes.peak ? (s - eyes.peak) / (1 + eyes.peak) : (s - eyes.peak) / (1 - eyes.peak);
    const arc = Math.max(0, 1 - away * away);
    const lowArc = Math.max(0, 1 - s * s);
    const lowEdge = lower * lowArc * (1.3 - 0.3 * lowArc);
    const topArc = eyes.upper * arc * (1.35 - 0.35 * arc);
    const topEdge = mix(lowEdge * 0.85, -topArc, open);
    const within = ramp(1.16, 0.94, s < 0 ? -s : s);

    // Hollow around the eye, and the bag under it.
    paint.stain(SOCKET, (0.22 + 0.5 * bag) * mound(u + 1, v - 2.5, 13, 8.5));
    const bagEdge = v - lowEdge - 4.6 - 0.6 * lowArc;
    paint.stain(BAG, bag * within * mound(0, bagEdge, 1, 1.9));
    paint.stain(LID_LIGHT, 0.5 * within * mound(u, v - lowEdge - 2.1, 8, 1.9));

    // Upper lid between crease and lashes.
    const lidHeight = Math.sqrt(arc) * (eyes.crease + (1 - clamp(open, 0, 1)) * topArc * 0.5);
    const crease = topEdge - lidHeight;
    if (v < topEdge + 0.6) {
      const onLid = ramp(crease - 0.9, crease + 0.6, v) * within;
      if (face.makeup > 0.2) paint.blend(lidColour, onLid * 0.75 * face.makeup);
      if (eyes.crease > 0.8) {
        paint.blend(lidShade, 0.62 * within * mound(0, v - crease, 1, 1.15));
        paint.stain(LID_FOLD, 0.6 * within * mound(u, v - crease + 1.5, 12, 2.6));
      } else {
        paint.blend(lidShade, 0.25 * within * mound(0, v - topEdge + 1.4, 1, 1.6));
      }
    }

    // The opening.
    const height = lowEdge - topEdge;
    const opening =
      ramp(-0.45, 0.45, v - topEdge) * ramp(-0.4, 0.5, lowEdge - v) * ramp(1.05, 0.95, s < 0 ? -s : s);
    if (opening > 0 && height > 0.35) {
      ball.set(SCLERA, 0, 0);
      ball.dim((1 - 0.3 * s * s) * (0.6 + 0.4 * ramp(-0.3, 2.4, v - topEdge)));
      ball.stain(YELLOWING, s * s);
      ball.blend(CORNER, ramp(-0.72, -0.98, s));
      const ix = x - side * eyes.spacing - 2.7 * expression.gazeX;
      const iy = v - gazeY;
      const radius = Math.sqrt(ix * ix + iy * iy);
      const inIris = ramp(eyes.irisRadius + 0.5, eyes.irisRadius - 0.45, radius);
      if (inIris > 0) {
        const rays =
          0.82 + 0.36 * smoothNoise((ix / (radius + 0.4)) * 4 + 30, (iy / (radius + 0.4)) * 4 + side * 7);
        const lidShadow = 0.72 + 0.28 * ramp(-0.2, 2, v - topEdge);
        disc.set(iris, 0, 0);
        disc.blend(eyes.irisRing, ramp(0.52, 0.98, radius / eyes.irisRadius));
        disc.dim(rays * (0.9 + 0.25 * clamp(iy / eyes.irisRadius, -1, 1)) * lidShadow);
        disc.blend(PUPIL, ramp(eyes.irisRadius * 0.5, eyes.irisRadius * 0.34, radius));
        ball.blendSpot(disc, inIris);
      }
      paint.blendSpot(ball, opening);
      paint.gloss += (0.25 - paint.gloss) * opening;
      paint.scatter *= 1 - 0.7 * opening;
      paint.glint = opening * frontLight * mound(ix - glintX, iy - glintY, 1.25, 1.25);
    }

    // Lash lines.
    const upperLine = v - topEdge;
    const wing = ramp(1.22 + 0.12 * face.makeup, 0.98, s) * ramp(-1.08, -0.9, s);
    const lashes = ramp(-lashWidth - 0.55, -0.1, upperLine) * ramp(1.05, 0.15, upperLine) * wing;
    paint.blend(LASH, lashes * lashAmount * ramp(-1.1, -0.2, s + 0.25));
    const lowerLine = v - lowEdge - 0.1;
    paint.blend(
      lidShade,
      (0.38 + 0.35 * face.makeup) * mound(0, lowerLine, 1, 0.85) * ramp(1.05, 0.9, s < 0 ? -s : s),
    );
  };
}
