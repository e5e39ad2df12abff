import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { temporaryFolder, write } from "./images.test.support.js";
import { cacheFolder, fingerprintOf, isSettled, readListing, writeListing } from "./listingCache.js";
import { StringTable } from "./stringTable.js";

let folder: ReturnType<typeof temporaryFolder>;
const before = process.env.XDG_CACHE_HOME;
beforeEach(() => {
  folder = temporaryFolder();
  process.env.XDG_CACHE_HOME = folder.path;
});
afterEach(() => {
  if (before === undefined) delete process.env.XDG_CACHE_HOME;
  else process.env.XDG_CACHE_HOME = before;
  folder.remove();
});

const key = { kind: "test", path: "/data/faces", fingerprint: fingerprintOf(["a", 1]) };
const listing = {
  note: { others: [1, "x"] },
  sections: [Uint8Array.of(1, 2, 3), new Uint8Array(0), Uint8Array.of(9)],
};

test("a listing comes back while kind, path and fingerprint are the same", async () => {
  expect(await readListing(key)).toBeNull();
  expect(await writeListing(key, listing)).toBeNull();
  expect(await readListing(key)).toEqual(listing);
  expect(await readListing({ ...key, fingerprint: fingerprintOf(["a", 2]) })).toBeNull();
  expect(await readListing({ ...key, kind: "other" })).toBeNull();
  expect(await readListing({ ...key, path: "/data/other" })).toBeNull();
});

test("parts of a fingerprint are kept apart", () => {
  expect(fingerprintOf(["ab", "c"])).not.toBe(fingerprintOf(["a", "bc"]));
});

test("a damaged file is as good as none", async () => {
  await writeListing(key, listing);
  const [name] = readdirSync(cacheFolder());
  const path = join(cacheFolder(), name!);
  const whole = readFileSync(path);
  await fc.assert(
    fc.asyncProperty(
      fc.nat(whole.length - 1),
      fc.integer({ min: 1, max: 255 }),
      fc.boolean(),
      async (at, flip, cut) => {
        const bytes = Buffer.from(whole);
        bytes[at]! ^= flip;
        writeFileSync(path, cut ? whole.subarray(0, at) : bytes);
        expect(await readListing(key)).toBeNull();
      },
    ),
    { seed: 3, numRuns: 150 },
  );
});

test("where nothing can be written, a warning says so", async () => {
  process.env.XDG_CACHE_HOME = write(join(folder.path, "file"), "");
  expect(await writeListing(key, listing)).toMatch(/cannot be kept for the next time/);
});

test("what changed a moment ago may change again unseen", () => {
  expect(isSettled(1000, 2500)).toBe(false);
  expect(isSettled(1000, 4000)).toBe(true);
});

test("a table of strings holds any strings", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "grapheme" })), (strings) => {
      const table = StringTable.from(strings);
      expect([...table]).toEqual(strings);
      expect([...new StringTable(table.bytes, table.ends)]).toEqual(strings);
    }),
    { seed: 5, numRuns: 100 },
  );
  expect(() => new StringTable(new Uint8Array(3), Uint32Array.of(2))).toThrow(/ends at byte 2, has 3 bytes/);
  expect(() => new StringTable(new Uint8Array(3), Uint32Array.of(3, 1, 3))).toThrow(/end 1 follows end 3/);
});
