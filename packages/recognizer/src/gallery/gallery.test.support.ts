// What the gallery's tests share. The name keeps it out of the published package.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TopofrError } from "@topofr/formats";
import { onTestFinished } from "vitest";
import { openGallery } from "./openGallery.js";
import type { Gallery, GalleryOptions } from "./types.js";

export const MODEL = { name: "halves", sha256: "ab".repeat(32) };

/** A folder that is gone after the test. */
export function temporaryFolder(): string {
  const path = mkdtempSync(join(tmpdir(), "topofr-gallery-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A new gallery, closed after the test. */
export async function newGallery(dimension: number, options: GalleryOptions & { path?: string } = {}) {
  const { path = join(temporaryFolder(), "people.gallery"), ...others } = options;
  const gallery = await openGallery(path, { dimension, model: MODEL, create: true, ...others });
  onTestFinished(() => gallery.close().catch(() => undefined));
  return { path, gallery };
}

/** Opens an existing one for the time of `use`. */
export async function withGallery<Result>(
  path: string,
  options: GalleryOptions,
  use: (gallery: Gallery) => Result | Promise<Result>,
): Promise<Result> {
  const gallery = await openGallery(path, options);
  try {
    return await use(gallery);
  } finally {
    await gallery.close();
  }
}

/** Uniform numbers in -1..1, the same each time. */
export function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0; // Numerical Recipes, chapter 7.1
    return state / 2 ** 31;
  };
}

/** `count` vectors of length 1. */
export function unitVectors(count: number, dimension: number, seed = 1): Float32Array[] {
  const next = numbers(seed);
  return Array.from({ length: count }, () => {
    const vector = Float32Array.from({ length: dimension }, next);
    const length = Math.hypot(...vector);
    return vector.map((value) => value / length);
  });
}

export const dot = (a: Float32Array, b: Float32Array): number =>
  a.reduce((sum, value, i) => sum + value * b[i]!, 0);

/** The error of a call that must fail with one of ours. */
export async function topofrError(call: () => unknown): Promise<TopofrError> {
  try {
    await call();
  } catch (error) {
    if (error instanceof TopofrError) return error;
    throw error;
  }
  throw new Error("expected an error");
}
