// Small image folders for the tests beside it. The name keeps it out of the published package.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import sharp, { type Sharp } from "sharp";
import type { FaceDataset } from "./dataset.js";
import { type ImageSource, imageFile } from "./imageSource.js";

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

/** `people` x `perPerson` lossless PNGs in `root`; sample i holds `pattern(i)`. */
export async function writeDataset(root: string, people: number, perPerson: number): Promise<FaceDataset> {
  const identities = Array.from({ length: people }, (_, i) => `person_${String(i).padStart(3, "0")}`);
  const paths: string[] = [];
  for (const identity of identities) {
    for (let i = 0; i < perPerson; i++) {
      const path = join(root, identity, `${i}.png`);
      paths.push(write(path, await picture(pattern(paths.length)).png().toBuffer()));
    }
  }
  return {
    name: "test",
    identities,
    labels: Uint32Array.from(paths, (_, i) => Math.floor(i / perPerson)),
    warnings: [],
    source: (index) => imageFile(paths[index]!),
  };
}

/** All images of a data set, in its order. */
export function sourcesOf(dataset: FaceDataset): ImageSource[] {
  return Array.from(dataset.labels, (_, i) => dataset.source(i));
}

/** Cuts a file's end off, as an interrupted copy does. */
export function truncate(path: string, share = 0.6): void {
  const bytes = readFileSync(path);
  writeFileSync(path, bytes.subarray(0, Math.floor(bytes.length * share)));
}
