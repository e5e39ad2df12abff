// Paints eyebrows and beards: hair that lies on the skin.
import type { Likeness } from "./likeness.js";
import { type Colour, clamp, hill, mix, mixColour, mound, ramp, smoothNoise } from "./numeric.js";
import type { Painter } from "./paint.js";

export function browPainter(face: Likeness): Painter {
  const { brows } = face.identity;
  const seed = face.identity.skin.freckleSeed * 0.37;
  const density = clamp(brows.density * (1 + 0.25 * face.makeup), 0, 1);
  return (paint) => {
    const { x, y } = paint;
    if (y < -22 || y > 0) return;
    const side = x < 0 ? -x : x;
    const t = (side - brows.gap) / brows.length;
    if (t < -0.15 || t > 1.15) return;
    const along = clamp(t, 0, 1);
    const peak = (along - 0.64) / 0.64;
    const centre =
      -brows.height -
      face.browLift * (0.6 + 0.4 * along) -
      brows.arch * (1 - peak * peak) * 1.3 -
      brows.tilt * side +
      brows.arch * 0.35 +
      2.1 * face.browFrown * (1 - along);
    const half =
      brows.thickness * (1.05 - 0.7 * along * along) * ramp(-0.12, 0.16, t) * ramp(1.14, 0.85, t) + 0.05;
    const off = y - centre;
    const inside = ramp(half + 0.75, half - 0.45, off < 0 ? -off : off) * ramp(0, 0.35, half);
    if (inside <= 0) return;
    const strands = smoothNoise(
      side * 1.25 + off * (1.1 - 1.5 * along) + seed,
      off * 0.55 + seed + (x < 0 ? 40 : 0),
    );
    paint.blend(face.browColour, inside * clamp(density * (0.62 + 0.62 * strands), 0, 0.97));
    paint.gloss *= 1 - 0.6 * inside;
  };
}

/** How much beard grows at (x, y), 0..1, for a full beard or the chosen cut. The lips are left free. */
export function beardRegion(face: Likeness): (x: number, y: number) => number {
  const { mouth, beard, chinY } = face;
  const { nose, hair } = face.identity;
  const noseBase = nose.tipY + 5.8;
  const lipTop = mouth.y - mouth.upper - mouth.gapUpper;
  const lipBottom = mouth.y + mouth.lower + mouth.gapLower;
  const lipMiddle = (lipTop + lipBottom) / 2;
  const lipReach = (lipBottom - lipTop) / 2 + 0.6;
  const corner = mouth.width + 3;
  const cheeks = beard === "full" || beard === "stubble";
  const chin = cheeks || beard === "goatee";
  return (x, y) => {
    const side = x < 0 ? -x : x;
    const lips = ramp(
      1.25,
      0.9,
      (side / mouth.width) * (side / mouth.width) +
        ((y - lipMiddle) / lipReach) * ((y - lipMiddle) / lipReach),
    );
    if (lips >= 1) return 0;
    const top = noseBase + 0.8 + 0.012 * side * side;
    const moustache =
      ramp(top - 0.8, top + 2.2, y) * ramp(corner + 1.5, corner - 3.5, side) * ramp(mouth.y + 4, mouth.y, y);
    let region = moustache * (1 - 0.35 * mound(side, y - noseBase - 2, 1.6, 5));
    if (chin) {
      const ring = ramp(corner + 5, corner, side) * ramp(top - 1, top + 4, y);
      const under = 1 - 0.3 * mound(side - 5.5, y - lipBottom - 2, 4.5, 3); // thin beside the lower lip
      region = Math.max(region, ring * under * (cheeks ? 1 : ramp(chinY + 10, chinY + 3, y)));
    }
    if (cheeks) {
      const line = mix(mouth.y - 6 + 3 * (1 - hair.beardGrowth), 8, ramp(corner, 39, side));
      region = Math.max(region, ramp(line - 2.5, line + 5, y) * ramp(corner - 2, corner + 5, side));
    }
    return region * (1 - lips);
  };
}

export function beardPainter(face: Likeness): Painter | null {
  const growth = face.identity.hair.beardGrowth;
  const shaven = face.beard === "shaven";
  if (growth < 0.2 || face.identity.masculinity < 0.5) return null;
  const region = beardRegion(shaven ? { ...face, beard: "stubble" } : face);
  const grown = face.beard === "full" || face.beard === "goatee" || face.beard === "moustache";
  const colour: Colour = mixColour(face.hairColour, [0.1, 0.08, 0.075], 0.3);
  const shadow: Colour = mixColour(colour, [0.3, 0.32, 0.36], 0.35);
  const strength = growth * (grown ? 1.1 : face.beard === "stubble" ? 0.62 : 0.2);
  const top = face.identity.nose.tipY;
  return (paint) => {
    const { x, y } = paint;
    if (y < 4 || y > face.chinY + 14) return;
    const amount = region(x, y);
    if (amount <= 0.01) return;
    if (!grown) {
      const dots = 0.72 + 0.56 * smoothNoise(x * 2.1, y * 2.1);
      paint.blend(shadow, clamp(amount * strength * dots, 0, 0.8));
      paint.gloss *= 1 - 0.5 * amount;
      return;
    }
    const strands = smoothNoise(x * 1.5 + 0.25 * y, y * 0.42 + (x < 0 ? -x : x) * 0.25);
    const clumps = smoothNoise(x * 0.3 + 11, y * 0.3);
    const tone = 0.72 + 0.55 * strands + 0.2 * hill((y - top) / 60);
    const cover = clamp(amount * strength * (0.75 + 0.5 * strands) * (0.75 + 0.5 * clumps), 0, 0.96);
    paint.blend(colour, cover);
    paint.dim(1 + (tone - 1) * cover);
    paint.gloss *= 1 - 0.7 * amount;
  };
}
