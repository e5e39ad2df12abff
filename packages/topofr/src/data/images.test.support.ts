// Small image folders for the tests beside it. The name keeps it out of the published package.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import sharp, { type Sharp } from "sharp";
import type { FaceDataset } from "./dataset.js";

export const TEST_SIZE = 16;

export function temporaryFolder(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), "topofr-data-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

export function write(path: string, bytes: Uint8Array | string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
  return path;
}

/** RGB pixels [size, size, 3] that tell left from right; red encodes `id` (below 250). */
export function pattern(id: number, size = TEST_SIZE): Uint8Array {
  const pixels = new Uint8Array(size * size * 3);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++)
      pixels.set([id, Math.floor((255 * x) / (size - 1)), 20 * (y % 10)], (y * size + x) * 3);
  }
  return pixels;
}

export function mirrored(pixels: Uint8Array, size = TEST_SIZE): Uint8Array {
  const out = new Uint8Array(pixels.length);
  for (let pixel = 0; pixel < size * size; pixel++) {
    const opposite = pixel - (pixel % size) + (size - 1 - (pixel % size));
    out.set(pixels.subarray(pixel * 3, pixel * 3 + 3), opposite * 3);
  }
  return out;
}

export function picture(pixels: Uint8Array, size = TEST_SIZE): Sharp {
  return sharp(pixels, { raw: { width: size, height: size, channels: 3 } });
}

/** `identities` x `perIdentity` lossless PNGs in `root`; sample i holds `pattern(i)`. */
export async function writeDataset(
  root: string,
  identities: number,
  perIdentity: number,
): Promise<FaceDataset> {
  const dataset: FaceDataset = { name: "test", identities: [], samples: [] };
  for (let label = 0; label < identities; label++) {
    const identity = `person_${String(label).padStart(3, "0")}`;
    dataset.identities.push(identity);
    for (let i = 0; i < perIdentity; i++) {
      const path = join(root, identity, `${i}.png`);
      write(path, await picture(pattern(dataset.samples.length)).png().toBuffer());
      dataset.samples.push({ path, label, identity });
    }
  }
  return dataset;
}

/** Cuts a file's end off, as an interrupted copy does. */
export function truncate(path: string, share = 0.6): void {
  const bytes = readFileSync(path);
  writeFileSync(path, bytes.subarray(0, Math.floor(bytes.length * share)));
}
