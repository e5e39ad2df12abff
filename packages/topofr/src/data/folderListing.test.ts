import { mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { listIdentityFolders } from "./folderListing.js";
import { openImageFolder } from "./imageFolder.js";
import { sourceName } from "./imageSource.js";
import { temporaryFolder } from "./images.test.support.js";

const IDENTITIES = 50;
const IMAGES = 100; // together as many as are worth keeping
const root = temporaryFolder();
const faces = join(root.path, "faces");
const person = (i: number) => join(faces, `p${i}`);
const before = process.env.XDG_CACHE_HOME;
const HOUR_AGO = Date.now() / 1000 - 3600;

beforeAll(() => {
  process.env.XDG_CACHE_HOME = join(root.path, "cache");
  for (let i = 0; i < IDENTITIES; i++) {
    mkdirSync(person(i), { recursive: true });
    for (let k = 0; k < IMAGES; k++) writeFileSync(join(person(i), `${k}.jpg`), "");
    utimesSync(person(i), HOUR_AGO, HOUR_AGO);
  }
  writeFileSync(join(person(0), "notes.txt"), "");
  utimesSync(person(0), HOUR_AGO, HOUR_AGO);
});
afterAll(() => {
  if (before === undefined) delete process.env.XDG_CACHE_HOME;
  else process.env.XDG_CACHE_HOME = before;
  root.remove();
});

async function list(cache = true) {
  let read = 0;
  const onProgress = () => read++;
  const listing = await listIdentityFolders(faces, new Set([".jpg"]), { cache, onProgress });
  return { listing, wasRead: read > 0 };
}

test("a large folder is listed once, and again when an identity folder changes", async () => {
  const first = await list();
  expect(first.wasRead).toBe(true);
  const second = await list();
  expect(second.wasRead).toBe(false);
  expect([...second.listing.images]).toEqual([...first.listing.images]);
  expect(second.listing).toMatchObject({ identities: first.listing.identities, others: [[0, ".txt", 1]] });
  expect([...second.listing.imageCounts]).toEqual([...first.listing.imageCounts]);
  expect((await list(false)).wasRead).toBe(true);

  writeFileSync(join(person(7), "new.jpg"), "");
  const changed = await list();
  expect(changed.wasRead).toBe(true);
  expect(changed.listing.images).toHaveLength(IDENTITIES * IMAGES + 1);
  expect((await list()).wasRead).toBe(true); // it changed a moment ago: not kept

  utimesSync(person(7), HOUR_AGO + 60, HOUR_AGO + 60);
  await list();
  expect((await list()).wasRead).toBe(false);
  mkdirSync(join(faces, "p99"));
  expect((await list()).wasRead).toBe(true);
});

test("the data set is the same with and without what was kept", async () => {
  for (const options of [{}, { minImagesPerIdentity: 101 }, { isWanted: (name: string) => name < "p2" }]) {
    const [kept, fresh] = await Promise.all(
      [true, false].map((cache) => openImageFolder(faces, { ...options, cache })),
    );
    expect([...kept!.labels]).toEqual([...fresh!.labels]);
    const names = (set: typeof kept) => Array.from(set!.labels, (_, i) => sourceName(set!.source(i)));
    expect(names(kept)).toEqual(names(fresh));
    expect(kept!.warnings).toEqual(fresh!.warnings);
  }
});
