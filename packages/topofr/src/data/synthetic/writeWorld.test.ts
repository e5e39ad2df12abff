import { mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterEach, beforeEach, expect, test } from "vitest";
import { renderImage } from "./world.js";
import { type WriteWorldOptions, writeWorld } from "./writeWorld.js";

const WORLD: WriteWorldOptions = {
  seed: 9,
  identities: 3,
  imagesPerIdentity: 4,
  hardShare: 0.5,
  format: "png",
  workers: 2,
};

let parent: string;
let folder: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), "topofr-world-"));
  folder = join(parent, "faces");
});
afterEach(() => rm(parent, { recursive: true, force: true }));

test("writes LFW-named images, one record for each, pairs, and the marker", async () => {
  const progress: number[] = [];
  const written = await writeWorld(folder, { ...WORLD, pairs: { folds: 10, perFold: 1 } }, (done) =>
    progress.push(done),
  );
  expect(written).toMatchObject({ images: 12, identities: 3, reused: false });
  expect(progress).toEqual([4, 8, 12]);
  expect((await readdir(folder)).sort()).toEqual([
    "identity_0001",
    "identity_0002",
    "identity_0003",
    "pairs.txt",
    "samples.jsonl",
    "world.json",
  ]);
  const records = (await readFile(join(folder, "samples.jsonl"), "utf8"))
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { file: string; identity: string; difficulty: string });
  expect(records.map(({ file }) => file).slice(3, 5)).toEqual([
    "identity_0001/identity_0001_0004.png",
    "identity_0002/identity_0002_0001.png",
  ]);
  expect(records.filter(({ difficulty }) => difficulty !== "easy")).toHaveLength(written.hard);
  const { data } = await sharp(join(folder, records[6]!.file)).raw().toBuffer({ resolveWithObject: true });
  expect(Buffer.compare(data, Buffer.from(renderImage(WORLD, 1, 2)))).toBe(0);
  expect((await readFile(join(folder, "pairs.txt"), "utf8")).split("\n")[0]).toBe("10\t1");
});

test("JPEGs are 112x112 and close to what was drawn", async () => {
  await writeWorld(folder, {
    ...WORLD,
    identities: 1,
    imagesPerIdentity: 1,
    hardShare: 0,
    format: "jpg",
    quality: 95,
  });
  const path = join(folder, "identity_0001/identity_0001_0001.jpg");
  const { data, info } = await sharp(path).raw().toBuffer({ resolveWithObject: true });
  expect(info).toMatchObject({ width: 112, height: 112, channels: 3 });
  const drawn = renderImage({ ...WORLD, hardShare: 0 }, 0, 0);
  const difference = drawn.reduce((sum, value, i) => sum + Math.abs(value - data[i]!), 0) / drawn.length;
  expect(difference).toBeLessThan(6);
});

test("the same world is reused, another is refused unless it may overwrite", async () => {
  await writeWorld(folder, WORLD);
  const before = (await stat(join(folder, "identity_0001/identity_0001_0001.png"))).mtimeMs;
  expect(await writeWorld(folder, { ...WORLD, workers: 1 })).toMatchObject({ images: 12, reused: true });
  expect((await stat(join(folder, "identity_0001/identity_0001_0001.png"))).mtimeMs).toBe(before);

  const other = { ...WORLD, seed: 10, identities: 1 };
  await expect(writeWorld(folder, other)).rejects.toMatchObject({
    code: "E_DATA",
    message: expect.stringContaining("seed 9, asked for 10"),
  });
  expect(await writeWorld(folder, { ...other, overwrite: true })).toMatchObject({ images: 4, reused: false });
  expect(await readdir(folder)).not.toContain("identity_0002");
});

test("an interrupted world does not look complete and is drawn again", async () => {
  await writeWorld(folder, WORLD);
  // As a kill in the middle leaves it: no marker, an unfinished one, images missing.
  await rename(join(folder, "world.json"), join(folder, "world.unfinished.json"));
  await rm(join(folder, "identity_0003"), { recursive: true });
  await rm(join(folder, "samples.jsonl"));
  await expect(writeWorld(folder, { ...WORLD, seed: 10 })).rejects.toMatchObject({ code: "E_DATA" });
  expect(await writeWorld(folder, WORLD)).toMatchObject({ images: 12, reused: false });
  expect(await readdir(join(folder, "identity_0003"))).toHaveLength(4);
});

test("a folder with other files is never touched", async () => {
  const { mkdir } = await import("node:fs/promises");
  await mkdir(folder);
  await writeFile(join(folder, "holiday.jpg"), "mine");
  await expect(writeWorld(folder, { ...WORLD, overwrite: true })).rejects.toMatchObject({
    code: "E_DATA",
    message: expect.stringContaining("holiday.jpg"),
  });
  expect(await readdir(folder)).toEqual(["holiday.jpg"]);
});

test("a folder that cannot be made is E_FILE, bad options E_USAGE before anything is written", async () => {
  await writeFile(folder, "a file, not a folder");
  await expect(writeWorld(folder, WORLD)).rejects.toMatchObject({ code: "E_FILE" });
  await expect(writeWorld(join(parent, "b"), { ...WORLD, quality: 0 })).rejects.toMatchObject({
    code: "E_USAGE",
  });
  await expect(
    writeWorld(join(parent, "b"), { ...WORLD, pairs: { folds: 10, perFold: 500 } }),
  ).rejects.toMatchObject({ code: "E_USAGE" });
  expect(await readdir(parent)).toEqual(["faces"]);
});
