// Things held or passing before the face: a hand, an object, a microphone, somebody's shoulder. Drawn on the finished
// picture as smooth solids in pixels.
import type { Occluder } from "./appearance.js";
import { ambientLevel } from "./lighting.js";
import type { Likeness } from "./likeness.js";
import { type Colour, clamp, cosine, mixColour, ramp, sine, smoothNoise } from "./numeric.js";
import { CROP_SIZE } from "./raster.js";

/** How much a solid covers a pixel (0..1) and how its surface leans there (-1..1 across, to fake roundness). */
interface Cover {
  amount: number;
  lean: number;
  colour: Colour;
}

type Solid = (u: number, v: number, cover: Cover) => void;

/** Lays the occluder over the linear picture. A hand has the colour of the face. */
export function drawOccluder(picture: Float32Array, occluder: Occluder, face: Likeness): void {
  const skin = face.tone;
  const solid = solidOf(occluder, skin);
  const level = ambientLevel(face.light);
  const [lightX, lightY] = face.light.direction;
  const c = cosine(occluder.angle);
  const s = sine(occluder.angle);
  const lightAcross = lightX * c + lightY * s;
  const cover: Cover = { amount: 0, lean: 0, colour: skin };
  for (let y = 0; y < CROP_SIZE; y++) {
    for (let x = 0; x < CROP_SIZE; x++) {
      const dx = (x - occluder.x) / occluder.size;
      const dy = (y - occluder.y) / occluder.size;
      cover.amount = 0;
      solid(dx * c + dy * s, dy * c - dx * s, cover);
      if (cover.amount <= 0.004) continue;
      const at = (y * CROP_SIZE + x) * 3;
      const round = 1 - 0.45 * cover.lean * cover.lean + 0.45 * cover.lean * lightAcross;
      for (let k = 0; k < 3; k++) {
        const lit = cover.colour[k]! * cover.colour[k]! * level[k]! * Math.max(0.08, round);
        picture[at + k]! += (lit - picture[at + k]!) * cover.amount;
      }
    }
  }
}

function solidOf(occluder: Occluder, skin: Colour): Solid {
  const shadow: Colour = [skin[0] * 0.6, skin[1] * 0.48, skin[2] * 0.44];
  switch (occluder.kind) {
    case "hand": {
      // Four fingers side by side, tips up, and the back of the hand below them.
      const tips = [-33, -41, -38, -27];
      const nail: Colour = mixColour(skin, [0.9, 0.68, 0.66], 0.5);
      return (u, v, cover) => {
        cover.colour = skin;
        for (const [finger, tip] of tips.entries()) {
          const centre = (finger - 1.5) * 9 * (1 - 0.0016 * v);
          const across = (u - centre) / 4.9;
          if (across < -1.3 || across > 1.3) continue;
          const past = Math.min(0, v - tip) / 4.9; // rounding of the tip
          const radius = Math.sqrt(across * across + past * past);
          const amount = ramp(1.12, 0.9, radius) * ramp(26, 20, v);
          if (amount <= cover.amount) continue;
          cover.amount = amount;
          cover.lean = across;
          const knuckle = v - tip - 15;
          const crease = ramp(1.6, 0.4, knuckle < 0 ? -knuckle : knuckle) * 0.5;
          const onNail =
            ramp(0.72, 0.55, across < 0 ? -across : across) *
            ramp(tip + 1, tip + 2, v) *
            ramp(tip + 8, tip + 7, v);
          cover.colour = mixColour(mixColour(skin, shadow, crease), nail, 0.8 * onNail);
        }
        const palm = ramp(21, 18, u < 0 ? -u : u) * ramp(-2, 6, v);
        if (palm > cover.amount) {
          cover.amount = palm;
          cover.lean = u / 22;
          cover.colour = mixColour(skin, shadow, 0.35 * smoothNoise(u * 0.2 + 9, v * 0.1));
        }
      };
    }
    case "microphone":
      return (u, v, cover) => {
        const radius = Math.sqrt(u * u + v * v) / 12;
        const ball = ramp(1.04, 0.95, radius);
        const handle = ramp(5.8, 5, u < 0 ? -u : u) * ramp(6, 8, v);
        cover.amount = Math.max(ball, handle);
        cover.lean = ball > handle ? u / 12 : u / 6;
        const mesh = 0.7 + 0.6 * smoothNoise(u * 1.3, v * 1.3);
        cover.colour = ball > handle ? [0.3 * mesh, 0.3 * mesh, 0.32 * mesh] : [0.1, 0.1, 0.11];
      };
    case "shoulder":
      return (u, v, cover) => {
        const edge = Math.sqrt(u * u + (v < 0 ? v * v : 0)) / 36;
        cover.amount = ramp(1.12, 0.88, edge); // out of focus
        cover.lean = u / 46;
        const fold = 0.85 + 0.3 * smoothNoise(u * 0.08, v * 0.06);
        cover.colour = [occluder.colour[0] * fold, occluder.colour[1] * fold, occluder.colour[2] * fold];
      };
    default:
      return (u, v, cover) => {
        const across = (u < 0 ? -u : u) - 13;
        const along = (v < 0 ? -v : v) - 22;
        const outside =
          Math.sqrt(Math.max(0, across) * Math.max(0, across) + Math.max(0, along) * Math.max(0, along)) - 4;
        cover.amount = ramp(0.6, -0.6, outside);
        cover.lean = u / 30;
        const stripe = ramp(7, 6, Math.abs(v + 4));
        cover.colour = mixColour(occluder.colour, occluder.accent, clamp(0.8 * stripe, 0, 1));
      };
  }
}
