// Light: what a spot of colour sends to the camera. One lamp with shadows, light of sky and ground, a rim from behind.
// Shadows and the darkness of hollows are read from the depth buffer at a quarter of the resolution.
import type { Appearance } from "./appearance.js";
import { clamp, ramp } from "./numeric.js";
import type { Paint } from "./paint.js";
import { CROP_SIZE, type Fragment, SAMPLES, type SampleBuffer } from "./raster.js";

const CELLS = CROP_SIZE / 2;
const NOWHERE = -1e8;

/** How much lamp light and how much sky reaches each place of the picture. */
export class LightMap {
  readonly #depth = new Float32Array(CELLS * CELLS);
  readonly #lit = new Float32Array(CELLS * CELLS);
  readonly #openness = new Float32Array(CELLS * CELLS);
  readonly #rowMeans = new Float32Array(CELLS * CELLS);

  build(buffer: SampleBuffer, direction: readonly [number, number, number]): void {
    this.#shrinkDepth(buffer);
    this.#castShadows(direction);
    this.#measureHollows();
  }

  /** Mean depth of each cell's covered samples. */
  #shrinkDepth(buffer: SampleBuffer): void {
    for (let row = 0; row < CELLS; row++) {
      for (let column = 0; column < CELLS; column++) {
        let sum = 0;
        let count = 0;
        for (let y = row * 4 + 1; y < row * 4 + 4; y += 2) {
          for (let x = column * 4 + 1; x < column * 4 + 4; x += 2) {
            const at = y * SAMPLES + x;
            if (buffer.owner[at] === 0) continue;
            sum += buffer.depth[at]!;
            count++;
          }
        }
        this.#depth[row * CELLS + column] = count === 0 ? NOWHERE : sum / count;
      }
    }
  }

  /** Walks from each cell towards the lamp and looks for something in the way. */
  #castShadows(direction: readonly [number, number, number]): void {
    const [dx, dy, dz] = direction;
    const steps = [3, 5, 7.5, 10.5, 14, 18, 23, 29, 36, 44]; // pixels along the ray
    for (let row = 0; row < CELLS; row++) {
      for (let column = 0; column < CELLS; column++) {
        const own = this.#depth[row * CELLS + column]!;
        let blocked = 0;
        if (own > NOWHERE) {
          for (const step of steps) {
            const x = Math.floor(column + 0.5 + (dx * step) / 2);
            const y = Math.floor(row + 0.5 + (dy * step) / 2);
            if (x < 0 || y < 0 || x >= CELLS || y >= CELLS) break;
            const over = this.#depth[y * CELLS + x]! - own - dz * step;
            if (over <= 0.6) continue;
            // Thin things far along the ray shade softly; a far deeper gap means that light passes behind.
            const amount = ramp(0.6 + 0.06 * step, 2.6 + 0.2 * step, over) * ramp(70, 45, over);
            if (amount > blocked) blocked = amount;
          }
        }
        this.#lit[row * CELLS + column] = 1 - blocked;
      }
    }
    this.#smooth(this.#lit, 1);
  }

  /** A place that lies deeper than its surroundings sees less of the sky. */
  #measureHollows(): void {
    const radius = 4;
    const { length } = this.#depth;
    for (let at = 0; at < length; at++) {
      // Background counts as a little behind: outlines should not darken.
      this.#openness[at] = this.#depth[at]! > NOWHERE ? this.#depth[at]! : -60;
    }
    this.#smooth(this.#openness, radius);
    for (let at = 0; at < length; at++) {
      const deeper = this.#depth[at]! > NOWHERE ? this.#openness[at]! - this.#depth[at]! : 0;
      this.#openness[at] = 1 - clamp(deeper * 0.085, 0, 0.62);
    }
    this.#smooth(this.#openness, 1);
  }

  /** Box blur in place. */
  #smooth(values: Float32Array, radius: number): void {
    const share = 1 / (2 * radius + 1);
    for (let row = 0; row < CELLS; row++) {
      for (let column = 0; column < CELLS; column++) {
        let sum = 0;
        for (let k = -radius; k <= radius; k++) sum += values[row * CELLS + clamp(column + k, 0, CELLS - 1)]!;
        this.#rowMeans[row * CELLS + column] = sum * share;
      }
    }
    for (let row = 0; row < CELLS; row++) {
      for (let column = 0; column < CELLS; column++) {
        let sum = 0;
        for (let k = -radius; k <= radius; k++)
          sum += this.#rowMeans[clamp(row + k, 0, CELLS - 1) * CELLS + column]!;
        values[row * CELLS + column] = sum * share;
      }
    }
  }

  /** Share of lamp light at a pixel. */
  lit(x: number, y: number): number {
    return sampleCells(this.#lit, x, y);
  }

  /** Share of sky light at a pixel. */
  openness(x: number, y: number): number {
    return sampleCells(this.#openness, x, y);
  }
}

function sampleCells(cells: Float32Array, x: number, y: number): number {
  const cx = clamp(x / 2 - 0.5, 0, CELLS - 1.001);
  const cy = clamp(y / 2 - 0.5, 0, CELLS - 1.001);
  const column = Math.floor(cx);
  const row = Math.floor(cy);
  const u = cx - column;
  const v = cy - row;
  const at = row * CELLS + column;
  const upper = cells[at]! + (cells[at + 1]! - cells[at]!) * u;
  const lower = cells[at + CELLS]! + (cells[at + CELLS + 1]! - cells[at + CELLS]!) * u;
  return upper + (lower - upper) * v;
}

/** Writes the linear light of one spot to out[0..2]. */
export type Shader = (fragment: Fragment, paint: Paint, out: Float64Array) => void;

export function shaderOf(light: Appearance["light"], map: LightMap): Shader {
  const [lx, ly, lz] = light.direction;
  const { key, sky, ground, rim, exposure } = light;
  // Half-way vector between the lamp and the viewer (0, 0, 1).
  const halfLength = Math.sqrt(lx * lx + ly * ly + (lz + 1) * (lz + 1));
  const hx = lx / halfLength;
  const hy = ly / halfLength;
  const hz = (lz + 1) / halfLength;
  return (fragment, paint, out) => {
    const { nx, ny, nz } = fragment;
    const lit = map.lit(fragment.pixelX, fragment.pixelY);
    const open = map.openness(fragment.pixelX, fragment.pixelY);
    const facing = nx * lx + ny * ly + nz * lz;
    const { scatter } = paint;
    // Skin lets light in: the edge of shadow is soft and reddish.
    const wrapRed = 0.08 + 0.26 * scatter;
    const wrapGreen = 0.08 + 0.12 * scatter;
    const wrapBlue = 0.08 + 0.08 * scatter;
    const softLit = lit + (1 - lit) * 0.12 * scatter;
    const up = (0.5 - 0.5 * ny) * open * (0.75 + 0.25 * nz);
    const down = (0.5 + 0.5 * ny) * open;
    const behind = rim * ramp(0.45, 0, nz) * (0.5 - 0.3 * ny) * open;
    let shine = 0;
    if (paint.gloss > 0.02) {
      const aligned = nx * hx + ny * hy + nz * hz;
      if (aligned > 0.5) {
        const a4 = aligned * aligned * aligned * aligned;
        const a8 = a4 * a4;
        shine = paint.gloss * lit * (0.1 * a8 + 0.2 * a8 * a8 * a8);
      }
      const grazing = 1 - clamp(nz, 0, 1);
      shine += paint.gloss * 0.12 * grazing * grazing * grazing * up;
    }
    const { red, green, blue } = paint;
    const glint = paint.glint * 0.75 * lit;
    out[0] =
      exposure *
      (red *
        red *
        (key[0] * softLit * Math.max(0, (facing + wrapRed) / (1 + wrapRed)) +
          sky[0] * up +
          ground[0] * down +
          behind) +
        key[0] * (shine + glint));
    out[1] =
      exposure *
      (green *
        green *
        (key[1] * lit * Math.max(0, (facing + wrapGreen) / (1 + wrapGreen)) +
          sky[1] * up +
          ground[1] * down +
          behind) +
        key[1] * (shine + glint));
    out[2] =
      exposure *
      (blue *
        blue *
        (key[2] * lit * Math.max(0, (facing + wrapBlue) / (1 + wrapBlue)) +
          sky[2] * up +
          ground[2] * down +
          behind) +
        key[2] * (shine + glint));
  };
}

/** Light on hair: long highlights across the strands instead of round ones. */
export function hairShaderOf(light: Appearance["light"], map: LightMap, curl: number): Shader {
  const plain = shaderOf(light, map);
  const [lx, ly, lz] = light.direction;
  const halfLength = Math.sqrt(lx * lx + ly * ly + (lz + 1) * (lz + 1));
  return (fragment, paint, out) => {
    const gloss = paint.gloss;
    paint.gloss = 0;
    plain(fragment, paint, out);
    const { nx, ny, nz } = fragment;
    // Strand direction: downwards, in the surface.
    const tx = -nx * ny;
    const ty = 1 - ny * ny;
    const tz = -nz * ny;
    const length = Math.sqrt(tx * tx + ty * ty + tz * tz) || 1;
    const along = (tx * lx + ty * ly + tz * (lz + 1)) / (length * halfLength);
    const across = Math.max(0, 1 - along * along);
    const a4 = across * across;
    const a16 = a4 * a4 * a4 * a4;
    const facing = Math.max(0, nx * lx + ny * ly + nz * lz);
    const shine =
      light.exposure *
      gloss *
      (1 - 0.6 * curl) *
      facing *
      a16 *
      a16 *
      map.lit(fragment.pixelX, fragment.pixelY) *
      0.5;
    out[0]! += shine * light.key[0] * (0.12 + 0.5 * paint.red);
    out[1]! += shine * light.key[1] * (0.12 + 0.5 * paint.green);
    out[2]! += shine * light.key[2] * (0.12 + 0.5 * paint.blue);
  };
}

/** Linear light that a white card facing the camera would send: how bright things near the face are. */
export function ambientLevel(light: Appearance["light"]): [number, number, number] {
  const facing = Math.max(0, light.direction[2]);
  return [0, 1, 2].map(
    (k) => light.exposure * (light.key[k]! * facing * 0.8 + 0.5 * light.sky[k]! + 0.5 * light.ground[k]!),
  ) as [number, number, number];
}
