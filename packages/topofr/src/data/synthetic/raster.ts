// A small rasteriser: grids of projected vertices to a buffer of visible surface samples, four (2x2) a pixel, with
// depth test. It finds what is seen where; colouring happens in render.ts.
import type { GridMesh } from "./headMesh.js";

/** Pixels along one side of the picture, and samples. */
export const CROP_SIZE = 112;
export const SAMPLES = 2 * CROP_SIZE;

export type MaterialName = "skin" | "ear" | "hair" | "beard" | "cloth" | "hat" | "mask";

/** A grid ready to be drawn. */
export interface Surface {
  material: MaterialName;
  mesh: GridMesh;
  screen: Float32Array; // [vertices, 3] pixels and depth
  normals: Float32Array; // [vertices, 3] unit, towards the viewer where z > 0
  doubleSided: boolean;
  /** Whether the surface exists at painter coordinates (a, b); absent: everywhere. */
  keep?: (a: number, b: number) => boolean;
}

/** One visible point, as painters and lights want it. One object is used again and again. */
export interface Fragment {
  surface: Surface;
  a: number; // painter coordinates, see GridMesh.features
  b: number;
  depth: number;
  nx: number;
  ny: number;
  nz: number;
  pixelX: number;
  pixelY: number;
}

/** Unit normals of a projected grid, by central differences. */
export function gridNormals(mesh: GridMesh, screen: Float32Array): Float32Array {
  const { rows, columns } = mesh;
  const normals = new Float32Array(screen.length);
  for (let row = 0; row < rows; row++) {
    const up = (row === 0 ? 0 : row - 1) * columns;
    const down = (row === rows - 1 ? row : row + 1) * columns;
    for (let column = 0; column < columns; column++) {
      const left = (row * columns + (column === 0 ? 0 : column - 1)) * 3;
      const right = (row * columns + (column === columns - 1 ? column : column + 1)) * 3;
      const above = (up + column) * 3;
      const below = (down + column) * 3;
      const ax = screen[right]! - screen[left]!;
      const ay = screen[right + 1]! - screen[left + 1]!;
      const az = screen[right + 2]! - screen[left + 2]!;
      const bx = screen[below]! - screen[above]!;
      const by = screen[below + 1]! - screen[above + 1]!;
      const bz = screen[below + 2]! - screen[above + 2]!;
      const nx = ay * bz - az * by;
      const ny = az * bx - ax * bz;
      const nz = ax * by - ay * bx;
      const length = Math.sqrt(nx * nx + ny * ny + nz * nz) || 1;
      const at = (row * columns + column) * 3;
      normals[at] = nx / length;
      normals[at + 1] = ny / length;
      normals[at + 2] = nz / length;
    }
  }
  return normals;
}

/** What every sample sees. */
export class SampleBuffer {
  readonly depth = new Float32Array(SAMPLES * SAMPLES);
  readonly owner = new Uint8Array(SAMPLES * SAMPLES); // 0: background; else 1 + index of the surface
  readonly #triangle = new Int32Array(SAMPLES * SAMPLES); // 2 * vertex of the cell's corner + half
  readonly #weight1 = new Float32Array(SAMPLES * SAMPLES);
  readonly #weight2 = new Float32Array(SAMPLES * SAMPLES);
  #surfaces: Surface[] = [];

  clear(): void {
    this.depth.fill(-1e9);
    this.owner.fill(0);
    this.#surfaces = [];
  }

  draw(surface: Surface): void {
    this.#surfaces.push(surface);
    const id = this.#surfaces.length;
    const { rows, columns, live } = surface.mesh;
    for (let row = 0; row + 1 < rows; row++) {
      for (let column = 0; column + 1 < columns; column++) {
        const corner = row * columns + column;
        const below = corner + columns;
        if (live !== undefined && live[corner]! + live[corner + 1]! + live[below]! + live[below + 1]! === 0)
          continue;
        this.#drawTriangle(surface, id, 2 * corner, corner, corner + 1, below);
        this.#drawTriangle(surface, id, 2 * corner + 1, below + 1, below, corner + 1);
      }
    }
  }

  #drawTriangle(surface: Surface, id: number, code: number, i0: number, i1: number, i2: number): void {
    const { screen } = surface;
    const x0 = screen[i0 * 3]! * 2 - 0.5; // sample (i, j) lies at pixel ((i + 0.5) / 2, (j + 0.5) / 2)
    const y0 = screen[i0 * 3 + 1]! * 2 - 0.5;
    const x1 = screen[i1 * 3]! * 2 - 0.5;
    const y1 = screen[i1 * 3 + 1]! * 2 - 0.5;
    const x2 = screen[i2 * 3]! * 2 - 0.5;
    const y2 = screen[i2 * 3 + 1]! * 2 - 0.5;
    const area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0);
    if (area === 0 || (area < 0 && !surface.doubleSided)) return;
    const top = Math.max(0, Math.ceil(Math.min(y0, y1, y2)));
    const bottom = Math.min(SAMPLES - 1, Math.floor(Math.max(y0, y1, y2)));
    const left = Math.max(0, Math.ceil(Math.min(x0, x1, x2)));
    const right = Math.min(SAMPLES - 1, Math.floor(Math.max(x0, x1, x2)));
    if (left > right || top > bottom) return;
    const scale = 1 / area;
    const w1x = (y2 - y0) * scale; // change of weight 1 per column and per row
    const w1y = (x0 - x2) * scale;
    const w2x = (y0 - y1) * scale;
    const w2y = (x1 - x0) * scale;
    const z0 = screen[i0 * 3 + 2]!;
    const z1 = screen[i1 * 3 + 2]! - z0;
    const z2 = screen[i2 * 3 + 2]! - z0;
    const zx = w1x * z1 + w2x * z2;
    const { keep } = surface;
    const { features } = surface.mesh;
    const { depth, owner } = this;
    const triangle = this.#triangle;
    const weight1 = this.#weight1;
    const weight2 = this.#weight2;
    for (let y = top; y <= bottom; y++) {
      let w1 = (left - x0) * w1x + (y - y0) * w1y;
      let w2 = (left - x0) * w2x + (y - y0) * w2y;
      let z = z0 + w1 * z1 + w2 * z2;
      let at = y * SAMPLES + left;
      let entered = false;
      for (let x = left; x <= right; x++, at++, w1 += w1x, w2 += w2x, z += zx) {
        if (w1 < 0 || w2 < 0 || w1 + w2 > 1) {
          if (entered) break;
          continue;
        }
        entered = true;
        if (z <= depth[at]!) continue;
        if (keep !== undefined) {
          const w0 = 1 - w1 - w2;
          const a = w0 * features[i0 * 2]! + w1 * features[i1 * 2]! + w2 * features[i2 * 2]!;
          const b = w0 * features[i0 * 2 + 1]! + w1 * features[i1 * 2 + 1]! + w2 * features[i2 * 2 + 1]!;
          if (!keep(a, b)) continue;
        }
        depth[at] = z;
        owner[at] = id;
        triangle[at] = code;
        weight1[at] = w1;
        weight2[at] = w2;
      }
    }
  }

  /** Fills `fragment` with what sample `at` sees; the sample must not be background. */
  read(at: number, fragment: Fragment): void {
    const surface = this.#surfaces[this.owner[at]! - 1]!;
    const code = this.#triangle[at]!;
    const { columns, features } = surface.mesh;
    const corner = code >> 1;
    const i0 = (code & 1) === 0 ? corner : corner + columns + 1;
    const i1 = (code & 1) === 0 ? corner + 1 : corner + columns;
    const i2 = (code & 1) === 0 ? corner + columns : corner + 1;
    const w1 = this.#weight1[at]!;
    const w2 = this.#weight2[at]!;
    const w0 = 1 - w1 - w2;
    const { normals } = surface;
    fragment.surface = surface;
    fragment.a = w0 * features[i0 * 2]! + w1 * features[i1 * 2]! + w2 * features[i2 * 2]!;
    fragment.b = w0 * features[i0 * 2 + 1]! + w1 * features[i1 * 2 + 1]! + w2 * features[i2 * 2 + 1]!;
    fragment.depth = this.depth[at]!;
    const nx = w0 * normals[i0 * 3]! + w1 * normals[i1 * 3]! + w2 * normals[i2 * 3]!;
    const ny = w0 * normals[i0 * 3 + 1]! + w1 * normals[i1 * 3 + 1]! + w2 * normals[i2 * 3 + 1]!;
    const nz = w0 * normals[i0 * 3 + 2]! + w1 * normals[i1 * 3 + 2]! + w2 * normals[i2 * 3 + 2]!;
    const length = (nz < 0 && surface.doubleSided ? -1 : 1) * (Math.sqrt(nx * nx + ny * ny + nz * nz) || 1);
    fragment.nx = nx / length;
    fragment.ny = ny / length;
    fragment.nz = nz / length;
    fragment.pixelX = (at % SAMPLES) / 2;
    fragment.pixelY = Math.floor(at / SAMPLES) / 2;
  }
}
