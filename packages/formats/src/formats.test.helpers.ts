// Helpers of this package's tests; not exported from index.ts.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { onTestFinished } from "vitest";
import { TopofrError } from "./error.js";
import { type DType, ITEM_SIZE, type TensorEntry } from "./tensorEntry.js";

export const SEED = 20240601;

/** A folder that is removed when the test ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "topofr-formats-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function fixturePath(name: string): string {
  return fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));
}

/** A tensor as fixtures/make.py describes it. */
export interface ExpectedTensor {
  readonly dtype: string;
  readonly shape: number[];
  readonly hex: string;
}

export function readFixtureJson<T>(name: string): T {
  return JSON.parse(readFileSync(fixturePath(name), "utf8")) as T;
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

export function fromHex(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(text.replace(/\s+/g, ""), "hex"));
}

/** The TopofrError that `run` throws; fails the test when it throws nothing or something else. */
export async function topofrError(run: () => unknown): Promise<TopofrError> {
  try {
    await run();
  } catch (error) {
    if (error instanceof TopofrError) return error;
    throw new Error("threw something else than a TopofrError", { cause: error });
  }
  throw new Error("did not throw");
}

/** Random tensors with distinct names, of all dtypes and up to 3 dimensions, some of them 0. */
export const tensorEntries: fc.Arbitrary<TensorEntry[]> = fc.uniqueArray(
  fc
    .record({
      name: fc.oneof(
        fc.string({ unit: "grapheme", maxLength: 12 }),
        fc.constantFrom("__proto__", "0", "a.b.weight", 'quo"te\\'),
      ),
      dtype: fc.constantFrom(...(Object.keys(ITEM_SIZE) as DType[])),
      shape: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 }),
    })
    .chain(({ name, dtype, shape }) => {
      const length = shape.reduce((product, size) => product * size, 1) * ITEM_SIZE[dtype];
      const data = fc.uint8Array({ minLength: length, maxLength: length });
      return data.map((bytes): TensorEntry => ({ name, dtype, shape, data: bytes }));
    }),
  { selector: (entry) => entry.name, maxLength: 6 },
);

/** A damaged copy: cut short, with bits flipped, bytes inserted, or a stretch overwritten. */
export function corruptions(file: Uint8Array): fc.Arbitrary<Uint8Array> {
  const original = new Uint8Array(file);
  const place = fc.nat(original.length - 1);
  const edit = (change: (copy: Uint8Array, at: number, value: number) => Uint8Array) =>
    fc
      .tuple(place, fc.integer({ min: 1, max: 255 }))
      .map(([at, value]) => change(original.slice(), at, value));
  return fc.oneof(
    place.map((length) => original.slice(0, length)),
    edit((copy, at, value) => {
      copy[at]! ^= value;
      return copy;
    }),
    edit((copy, at, value) => copy.fill(value, at, at + 8)),
    edit((copy, at, value) => Buffer.concat([copy.subarray(0, at), Uint8Array.of(value), copy.subarray(at)])),
    fc.array(fc.tuple(place, fc.nat(255)), { minLength: 2, maxLength: 12 }).map((edits) => {
      const copy = original.slice();
      for (const [at, value] of edits) copy[at] = value;
      return copy;
    }),
  );
}

/**
 * Feeds `read` 300 damaged copies of a file: each must be read or refused by a TopofrError, within a second. Returns
 * how many were refused.
 */
export async function refusalsOfCorruptions(
  original: Uint8Array,
  read: (path: string) => Promise<unknown>,
): Promise<number> {
  const path = join(temporaryFolder(), "damaged");
  let refused = 0;
  const property = fc.asyncProperty(corruptions(original), async (bytes) => {
    writeFileSync(path, bytes);
    const started = performance.now();
    try {
      await read(path);
    } catch (error) {
      if (!(error instanceof TopofrError)) throw error;
      if (error.code !== "E_FORMAT" || !error.message.startsWith(path)) throw error;
      refused++;
    }
    if (performance.now() - started > 1000) throw new Error("took over a second");
  });
  await fc.assert(property, { seed: SEED, numRuns: 300, endOnFailure: true });
  return refused;
}
