// Paints bare skin: tone, blood, spots, lines of age and expression, nostrils. The layers of one face in order.
import { beardPainter, browPainter } from "./brows.js";
import { eyePainter } from "./eyes.js";
import type { Likeness } from "./likeness.js";
import { mouthPainter } from "./mouth.js";
import { type Colour, cellNoise, clamp, mix, mound, ramp, smoothNoise } from "./numeric.js";
import type { Paint, Painter } from "./paint.js";

// Factors of skin colour.
const BLUSH: Colour = [1.03, 0.83, 0.83];
const MOLE: Colour = [0.42, 0.3, 0.27];
const WING_CREASE: Colour = [0.68, 0.54, 0.5];
const UNDER_NOSE: Colour = [0.82, 0.73, 0.71];

/** The whole face, at face units (x, y). */
export function facePainter(face: Likeness): Painter {
  const layers = [linePainter(face), spotPainter(face), nosePainter(face)];
  const beard = beardPainter(face);
  if (beard !== null) layers.push(beard);
  layers.push(mouthPainter(face), eyePainter(face), browPainter(face));
  const base = tonePainter(face);
  return (paint) => {
    base(paint);
    for (const layer of layers) layer(paint);
  };
}

function tonePainter(face: Likeness): Painter {
  const { skin, nose } = face.identity;
  const { tone, flush, chinY } = face;
  const seed = skin.freckleSeed;
  const rough = 0.05 + 0.025 * face.lines;
  return (paint) => {
    const { x, y } = paint;
    paint.set(tone, 0.2 + 0.35 * skin.gloss, 1);
    const side = x < 0 ? -x : x;
    const broad = smoothNoise(x * 0.12 + seed, y * 0.12) - 0.5;
    const fine = smoothNoise(x * 0.7 + seed, y * 0.7) - 0.5;
    paint.dim(1 + rough * (broad + fine));
    if (y > -6 && y < chinY + 4) {
      const blush =
        mound(side - 23, y - 19, 15, 13) +
        0.9 * mound(side, y - nose.tipY, 9, 8) +
        0.4 * mound(side, y - chinY + 6, 14, 9);
      if (blush > 0) paint.stain(BLUSH, clamp(flush * blush * (0.8 + 0.8 * broad), 0, 1));
    }
    // Oil shows on the forehead, the nose and the chin.
    const oil =
      mound(side, y + 22, 24, 14) +
      mound(side, y - nose.tipY + 4, 7, 14) +
      0.6 * mound(side, y - chinY + 6, 9, 7);
    paint.gloss += 0.3 * skin.gloss * oil;
  };
}

function spotPainter(face: Likeness): Painter {
  const { skin } = face.identity;
  const freckle: Colour = [0.72, 0.52, 0.42];
  const seed = skin.freckleSeed;
  const aged = ramp(50, 75, face.age);
  return (paint) => {
    const { x, y } = paint;
    for (const mole of skin.moles) {
      const dx = x - mole.x;
      const dy = y - mole.y;
      if (dx > 2.5 || dx < -2.5 || dy > 2.5 || dy < -2.5) continue;
      const distance = Math.sqrt(dx * dx + dy * dy);
      paint.stain(MOLE, mole.darkness * ramp(mole.radius + 0.55, mole.radius - 0.45, distance));
    }
    if (skin.freckles > 0.02 && y > -30 && y < 44) {
      const where = mound(x < 0 ? -x - 17 : x - 17, y - 14, 20, 20) + 0.5 * mound(x, y + 20, 30, 16);
      if (where > 0) {
        const u = 0.8 * x + 0.6 * y;
        const v = 0.8 * y - 0.6 * x;
        const spot =
          smoothNoise(u * 0.95 + seed * 1.3, v * 0.95 + seed * 0.7) *
          (0.6 + 0.6 * smoothNoise(u * 0.3, v * 0.3 + seed));
        paint.stain(freckle, clamp(skin.freckles * where * ramp(0.46, 0.74, spot), 0, 0.7));
      }
    }
    if (aged > 0)
      paint.stain(
        freckle,
        0.3 * aged * ramp(0.72, 0.95, smoothNoise(0.5 * x + 0.3 * y + 2 * seed, 0.5 * y - 0.3 * x)),
      );
  };
}

function linePainter(face: Likeness): Painter {
  const { eyes, nose } = face.identity;
  const { lines, mouth } = face;
  const grin = Math.max(0, face.smile);
  const raised = Math.max(0, face.browLift) / 2.3;
  const seed = face.identity.skin.freckleSeed * 0.13;
  const dark: Colour = [0.66, 0.54, 0.5];
  const foldTop = nose.tipY + 2;
  const foldBottom = mouth.y + 4;
  const fold = 0.1 + 0.26 * lines + 0.4 * grin;
  const stroke = (paint: Paint, offset: number, width: number, amount: number): void => {
    if (offset < width && offset > -width)
      paint.stain(dark, clamp(amount, 0, 1) * mound(0, offset, 1, width));
  };
  return (paint) => {
    const { x, y } = paint;
    const side = x < 0 ? -x : x;
    // Across the forehead.
    const forehead = 0.4 * lines + 0.5 * raised - 0.14;
    if (y < -15 && y > -36 && forehead > 0) {
      const wave = y + 1.4 * (smoothNoise(x * 0.09 + seed, 3) - 0.5) * 4 + 0.0012 * x * x;
      const nearest = Math.round((wave + 33) / 5) * 5 - 33;
      const gate = ramp(27, 12, side) * (0.5 + cellNoise(nearest + 64, seed * 7));
      stroke(paint, wave - nearest, 1.2, forehead * gate);
    }
    // Between the brows.
    if (y < -3 && y > -17 && side < 7) {
      stroke(
        paint,
        side - 2.9 - 0.06 * (y + 10),
        1.1,
        (0.4 * lines + 0.9 * face.browFrown - 0.15) * mound(0, y + 9, 1, 6.5),
      );
    }
    // Crow's feet.
    const feet = 0.5 * lines + 0.4 * grin * (0.4 + lines) - 0.08;
    const fx = side - eyes.spacing - eyes.width;
    if (feet > 0 && fx > 1 && fx < 10 && y > -8 && y < 9) {
      const ray = (y + 0.5) / (fx + 3);
      const nearest = Math.round(ray * 3) / 3;
      stroke(paint, (ray - nearest) * (fx + 3), 0.9, feet * mound(fx - 4.5, y * 0.5, 5.5, 4.5));
    }
    // From the nose to the corners of the mouth.
    if (y > foldTop - 3 && y < foldBottom + 5) {
      const t = (y - foldTop) / (foldBottom - foldTop);
      const foldX = mix(nose.width + 1.8, mouth.width + 5.2, t) + 1.6 * (1 - (2 * t - 1) * (2 * t - 1));
      stroke(paint, side - foldX, 1.9, fold * ramp(-0.2, 0.15, t) * ramp(1.25, 0.8, t));
    }
    // Below the corners of the mouth, and the hollow under the eye, with age.
    if (lines > 0.3 && y > mouth.y && y < mouth.y + 15) {
      stroke(
        paint,
        side - mouth.width - 1.5 - 0.12 * (y - mouth.y),
        1.5,
        0.55 * (lines - 0.3) * mound(0, y - mouth.y - 6, 1, 8),
      );
    }
  };
}

function nosePainter(face: Likeness): Painter {
  const { nose } = face.identity;
  const base = nose.tipY + 5.6;
  const nostril: Colour = [face.tone[0] * 0.3, face.tone[1] * 0.19, face.tone[2] * 0.17];
  const openness = 1 + 0.3 * nose.turn;
  return (paint) => {
    const { x, y } = paint;
    if (y < nose.tipY - 6 || y > base + 5) return;
    const off = x - nose.shift;
    const side = off < 0 ? -off : off;
    if (side > 18) return;
    const hole = mound(
      side - nose.width * 0.44,
      y - base + 1.5 - 0.18 * (side - nose.width * 0.44),
      nose.width * 0.32,
      1.75 * openness,
    );
    paint.blend(nostril, clamp(1.2 * hole, 0, 0.64));
    // The crease around the wing, and shade below the nose.
    const dx = side - nose.width + 2.9;
    const dy = (y - base + 3.9) * 0.92;
    const ring = Math.sqrt(dx * dx + dy * dy) - 4.1;
    if (dx > -1.5) paint.stain(WING_CREASE, 0.42 * mound(0, ring, 1, 1.3) * ramp(-1.5, 1.5, dx));
    paint.stain(UNDER_NOSE, 0.5 * mound(side, y - base - 0.6, nose.width, 2.2));
  };
}
