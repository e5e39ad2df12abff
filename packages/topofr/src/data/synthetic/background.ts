// What is behind the head: out-of-focus rooms, foliage, lights. Linear light, evaluated only where it shows.
import type { Appearance } from "./appearance.js";
import { type Colour, clamp, mixColour, PixelNoise, ramp, smoothNoise } from "./numeric.js";

/** Writes the linear background at a pixel to out[0..2]. */
export type Background = (x: number, y: number, out: Float64Array) => void;

export function backgroundOf(appearance: Appearance): Background {
  const { background, light } = appearance;
  const noise = new PixelNoise(background.seed);
  const [first, second, third] = background.colours as [Colour, Colour, Colour];
  const draw = pattern(appearance, noise, first, second, third);
  const level = 0.35 + 0.9 * noise.next();
  // The background has its own light, only partly that of the face; in the dark it is dark as well.
  const exposure = light.exposure < 0.35 ? light.exposure * (0.5 + 2 * noise.next() * noise.next()) : level;
  const colour = new Float64Array(3);
  return (x, y, out) => {
    draw(x, y, colour);
    out[0] = colour[0]! * colour[0]! * exposure;
    out[1] = colour[1]! * colour[1]! * exposure;
    out[2] = colour[2]! * colour[2]! * exposure;
  };
}

function set(out: Float64Array, colour: Colour): void {
  out[0] = colour[0];
  out[1] = colour[1];
  out[2] = colour[2];
}

function blend(out: Float64Array, colour: Colour, amount: number): void {
  out[0]! += (colour[0] - out[0]!) * amount;
  out[1]! += (colour[1] - out[1]!) * amount;
  out[2]! += (colour[2] - out[2]!) * amount;
}

function darker(colour: Colour, factor: number): Colour {
  return [colour[0] * factor, colour[1] * factor, colour[2] * factor];
}

function pattern(
  appearance: Appearance,
  noise: PixelNoise,
  first: Colour,
  second: Colour,
  third: Colour,
): Background {
  const dx = noise.next() * 2 - 1;
  const dy = noise.next() * 2 - 1;
  const ox = noise.next() * 200;
  const oy = noise.next() * 200;
  const gradient = (x: number, y: number): number => clamp(0.5 + (dx * (x - 56) + dy * (y - 56)) / 130, 0, 1);
  switch (appearance.background.kind) {
    case "plain": {
      const shade = darker(first, 0.8);
      return (x, y, out) => {
        set(out, first);
        blend(out, shade, gradient(x, y));
      };
    }
    case "gradient":
      return (x, y, out) => {
        set(out, first);
        blend(out, second, gradient(x, y));
        blend(out, third, 0.5 * smoothNoise(x / 40 + ox, y / 40 + oy));
      };
    case "bokeh": {
      const discs = Array.from({ length: 14 }, () => ({
        x: noise.next() * 130 - 9,
        y: noise.next() * 130 - 9,
        radius: 4 + 9 * noise.next(),
        colour: mixColour(noise.next() < 0.5 ? second : third, [1, 0.92, 0.75], 0.3 + 0.5 * noise.next()),
        strength: 0.25 + 0.5 * noise.next(),
      }));
      const shade = darker(first, 0.5);
      return (x, y, out) => {
        set(out, shade);
        blend(out, first, gradient(x, y));
        for (const disc of discs) {
          const ex = x - disc.x;
          const ey = y - disc.y;
          const distance = ex * ex + ey * ey;
          const reach = (disc.radius + 2) * (disc.radius + 2);
          if (distance < reach) {
            blend(
              out,
              disc.colour,
              disc.strength * ramp(disc.radius + 1.5, disc.radius - 1.5, Math.sqrt(distance)),
            );
          }
        }
      };
    }
    case "room": {
      const edges = Array.from({ length: 4 }, () => ({
        at: noise.next() * 130 - 10,
        width: 5 + 26 * noise.next(),
        from: noise.next() * 70 - 20,
        soft: 1.5 + 4 * noise.next(),
        colour: mixColour(noise.next() < 0.5 ? second : third, first, 0.4 * noise.next()),
      }));
      const shade = darker(first, 0.7);
      return (x, y, out) => {
        set(out, first);
        blend(out, shade, gradient(x, y));
        for (const { at, width, from, soft, colour } of edges) {
          const inside =
            ramp(at - soft, at + soft, x) *
            ramp(at + width + soft, at + width - soft, x) *
            ramp(from - soft, from + soft, y);
          blend(out, colour, 0.9 * inside);
        }
      };
    }
    case "foliage": {
      const leaf: Colour = mixColour([0.25, 0.4, 0.16], second, 0.25);
      const bright: Colour = mixColour([0.62, 0.7, 0.38], third, 0.3);
      const deep: Colour = [leaf[0] * 0.4, leaf[1] * 0.42, leaf[2] * 0.45];
      return (x, y, out) => {
        // Two turned and bent layers, so that the lattice of the noise does not show.
        const bend = 9 * smoothNoise(y / 14 + oy, x / 14 + ox);
        const coarse = smoothNoise((x + 0.6 * y + bend) / 19 + ox, (y - 0.6 * x) / 19 + oy);
        const fine = smoothNoise((x - 0.4 * y) / 7 + oy, (y + 0.4 * x + bend) / 7 + ox);
        set(out, deep);
        blend(out, leaf, clamp(0.2 + 1.1 * coarse, 0, 1));
        blend(out, bright, 0.8 * ramp(0.35, 1, 0.6 * fine + 0.4 * coarse));
      };
    }
    default: {
      const width = 7 + 14 * noise.next();
      const length = Math.sqrt(dx * dx + dy * dy) || 1;
      return (x, y, out) => {
        const phase = ((x * dx + y * dy) / length + 300) / width;
        const within = phase - Math.floor(phase);
        set(out, first);
        blend(out, second, ramp(0.42, 0.54, within) * ramp(1, 0.9, within));
        blend(out, third, 0.3 * smoothNoise(x / 50 + ox, y / 50 + oy));
      };
    }
  }
}
