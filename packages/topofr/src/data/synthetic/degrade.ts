// What the camera does to the light: blur, motion, coarse resolution, tone, colour cast, noise; then bytes.
import type { Appearance } from "./appearance.js";
import { clamp, PixelNoise } from "./numeric.js";
import { CROP_SIZE } from "./raster.js";

const PIXELS = CROP_SIZE * CROP_SIZE;
const scratch = new Float32Array(PIXELS * 3);

/** Linear light [112, 112, 3] to RGB bytes. Uses `light` as its work space. */
export function develop(light: Float32Array, camera: Appearance["camera"]): Uint8Array {
  if (camera.coarse > 1.01) coarsen(light, camera.coarse);
  if (camera.blur > 0.3) blur(light, camera.blur);
  const [mx, my] = camera.motion;
  if (mx * mx + my * my > 0.5) smear(light, mx, my);
  return expose(light, camera);
}

/** About a Gaussian of deviation `sigma`, in pixels: three box passes of fractional width, or one where that is enough. */
function blur(light: Float32Array, sigma: number): void {
  if (sigma < 0.8) {
    // Weights k, 1, k have variance 2 k / (1 + 2 k); as a box of half width h < 1, k is h.
    const k = (sigma * sigma) / (2 * (1 - sigma * sigma));
    boxAlong(light, scratch, k, 3, CROP_SIZE * 3);
    boxAlong(scratch, light, k, CROP_SIZE * 3, 3);
    return;
  }
  // A box of half width r has variance about r (r + 1) / 3; a triple of boxes must reach sigma squared.
  const half = (Math.sqrt(1 + 4 * sigma * sigma) - 1) / 2;
  for (let pass = 0; pass < 3; pass++) {
    boxAlong(light, scratch, half, 3, CROP_SIZE * 3);
    boxAlong(scratch, light, half, CROP_SIZE * 3, 3);
  }
}

/** Box filter of half width `half` (fractional) along `stride`, for each line that starts at a multiple of `across`. */
function boxAlong(from: Float32Array, to: Float32Array, half: number, stride: number, across: number): void {
  const whole = Math.floor(half);
  const part = half - whole;
  const share = 1 / (1 + 2 * half);
  const last = CROP_SIZE - 1;
  for (let line = 0; line < CROP_SIZE; line++) {
    for (let channel = 0; channel < 3; channel++) {
      const start = line * across + channel;
      let sum = 0;
      for (let k = -whole; k <= whole; k++) sum += from[start + clamp(k, 0, last) * stride]!;
      for (let i = 0; i < CROP_SIZE; i++) {
        const before = from[start + Math.max(0, i - whole - 1) * stride]!;
        const after = from[start + Math.min(last, i + whole + 1) * stride]!;
        to[start + i * stride] = (sum + part * (before + after)) * share;
        sum += after - from[start + Math.max(0, i - whole) * stride]!;
      }
    }
  }
}

/** Mean along a line of (dx, dy) pixels. */
function smear(light: Float32Array, dx: number, dy: number): void {
  const steps = Math.ceil(Math.sqrt(dx * dx + dy * dy)) + 1;
  scratch.fill(0);
  for (let step = 0; step < steps; step++) {
    const t = step / (steps - 1) - 0.5;
    const shiftX = Math.round(dx * t);
    const shiftY = Math.round(dy * t);
    for (let y = 0; y < CROP_SIZE; y++) {
      const fromRow = clamp(y + shiftY, 0, CROP_SIZE - 1) * CROP_SIZE;
      for (let x = 0; x < CROP_SIZE; x++) {
        const from = (fromRow + clamp(x + shiftX, 0, CROP_SIZE - 1)) * 3;
        const to = (y * CROP_SIZE + x) * 3;
        scratch[to]! += light[from]!;
        scratch[to + 1]! += light[from + 1]!;
        scratch[to + 2]! += light[from + 2]!;
      }
    }
  }
  for (let i = 0; i < scratch.length; i++) light[i] = scratch[i]! / steps;
}

/** As if the picture had been `factor` times smaller and was enlarged again. */
function coarsen(light: Float32Array, factor: number): void {
  const size = Math.round(CROP_SIZE / factor);
  const small = new Float32Array(size * size * 3);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const x0 = Math.floor((x * CROP_SIZE) / size);
      const x1 = Math.floor(((x + 1) * CROP_SIZE) / size);
      const y0 = Math.floor((y * CROP_SIZE) / size);
      const y1 = Math.floor(((y + 1) * CROP_SIZE) / size);
      for (let channel = 0; channel < 3; channel++) {
        let sum = 0;
        for (let sy = y0; sy < y1; sy++) {
          for (let sx = x0; sx < x1; sx++) sum += light[(sy * CROP_SIZE + sx) * 3 + channel]!;
        }
        small[(y * size + x) * 3 + channel] = sum / ((x1 - x0) * (y1 - y0));
      }
    }
  }
  for (let y = 0; y < CROP_SIZE; y++) {
    const fy = clamp(((y + 0.5) * size) / CROP_SIZE - 0.5, 0, size - 1.001);
    const row = Math.floor(fy);
    for (let x = 0; x < CROP_SIZE; x++) {
      const fx = clamp(((x + 0.5) * size) / CROP_SIZE - 0.5, 0, size - 1.001);
      const column = Math.floor(fx);
      for (let channel = 0; channel < 3; channel++) {
        const at = (row * size + column) * 3 + channel;
        const upper = small[at]! + (small[at + 3]! - small[at]!) * (fx - column);
        const lower =
          small[at + size * 3]! + (small[at + size * 3 + 3]! - small[at + size * 3]!) * (fx - column);
        light[(y * CROP_SIZE + x) * 3 + channel] = upper + (lower - upper) * (fy - row);
      }
    }
  }
}

/** Linear to encoded: a soft shoulder for highlights, then the square root (a gamma of 2). */
function encode(linear: number): number {
  return linear <= 0 ? 0 : Math.sqrt((linear * (1 + 0.18 * linear)) / (1 + 0.5 * linear));
}

function expose(light: Float32Array, camera: Appearance["camera"]): Uint8Array {
  const noise = new PixelNoise(camera.seed);
  const bytes = new Uint8ClampedArray(PIXELS * 3); // rounds and clips
  const saturation = camera.monochrome ? 0 : camera.saturation;
  const [tintRed, tintGreen, tintBlue] = camera.monochrome ? [1, 1, 1] : camera.tint;
  const grain = camera.noise; // in bytes
  const colourGrain = camera.monochrome ? 0 : grain;
  // Contrast about a middle grey, then haze: byte = offset + slope * encoded.
  const slope = 255 * (1 - camera.lift) * camera.contrast;
  const offset = 255 * (camera.lift + (1 - camera.lift) * 0.46 * (1 - camera.contrast));
  for (let y = 0, at = 0; y < CROP_SIZE; y++) {
    const ey = (y - 55.5) / 79;
    for (let x = 0; x < CROP_SIZE; x++, at += 3) {
      const ex = (x - 55.5) / 79;
      const fall = 1 - camera.vignette * (ex * ex + ey * ey);
      const red = encode(light[at]! * tintRed * fall);
      const green = encode(light[at + 1]! * tintGreen * fall);
      const blue = encode(light[at + 2]! * tintBlue * fall);
      const grey = 0.3 * red + 0.59 * green + 0.11 * blue;
      const base = offset + grain * noise.grain();
      const cast = colourGrain * (noise.next() - 0.5);
      bytes[at] = base + cast + slope * (grey + (red - grey) * saturation);
      bytes[at + 1] = base + slope * (grey + (green - grey) * saturation);
      bytes[at + 2] = base - cast + slope * (grey + (blue - grey) * saturation);
    }
  }
  return new Uint8Array(bytes.buffer);
}
