import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { FaceDataset } from "./dataset.js";
import { openImageFolder } from "./imageFolder.js";
import { sourceName } from "./imageSource.js";
import { sourcesOf, temporaryFolder, write } from "./images.test.support.js";

let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

/** Empty files: opening a folder reads names only. */
const touch = (...paths: string[]) => {
  for (const path of paths) write(join(folder.path, path), "");
};
const files = (dataset: FaceDataset) =>
  sourcesOf(dataset).map((source) => sourceName(source).slice(folder.path.length + 1));

test("identities and images are sorted by code unit, labels count up, endings ignore case", async () => {
  touch("émile/1.jpg", "émile/2.jpg", "Zoe/b.PNG", "Zoe/10.JPEG", "Zoe/9.webp", "anna/1.jpg", "anna/2.jpg");
  const dataset = await openImageFolder(folder.path);
  expect(dataset.identities).toEqual(["Zoe", "anna", "émile"]);
  expect(files(dataset)).toEqual([
    "Zoe/10.JPEG",
    "Zoe/9.webp",
    "Zoe/b.PNG",
    "anna/1.jpg",
    "anna/2.jpg",
    "émile/1.jpg",
    "émile/2.jpg",
  ]);
  expect([...dataset.labels]).toEqual([0, 0, 0, 1, 1, 2, 2]);
  expect(dataset.warnings).toEqual([]);
});

test("hidden files and folders are skipped, links followed, other files and deeper folders reported", async () => {
  touch(
    "a/1.jpg",
    "a/2.jpg",
    "a/.hidden.jpg",
    "a/deep/3.jpg",
    "a/list.txt",
    "a/x.bmp",
    ".cache/1.jpg",
    "top.jpg",
  );
  symlinkSync(join(folder.path, "a"), join(folder.path, "b"));
  const dataset = await openImageFolder(folder.path);
  expect(files(dataset)).toEqual(["a/1.jpg", "a/2.jpg", "b/1.jpg", "b/2.jpg"]);
  expect(dataset.warnings.join("\n")).toMatch(/2 identities with folders inside, which are not read: a, b/);
  expect(dataset.warnings.join("\n")).toMatch(/1 image directly in the folder ignored/);
  expect(dataset.warnings.join("\n")).toMatch(/ignored: 2 \.txt, 2 \.bmp/);
  const bitmaps = await openImageFolder(folder.path, { extensions: [".BMP"] });
  expect(files(bitmaps)).toEqual(["a/x.bmp", "b/x.bmp"]);
});

test("an identity without images is left out with a warning; one with a single image is kept and reported", async () => {
  touch("a/1.jpg", "a/2.jpg", "single/1.jpg", "none/notes.txt");
  const dataset = await openImageFolder(folder.path);
  expect(dataset.identities).toEqual(["a", "single"]);
  expect(dataset.warnings).toHaveLength(2);
  expect(dataset.warnings[0]).toMatch(/1 identity without any image left out: none/);
  expect(dataset.warnings[1]).toMatch(/1 identity with a single image .*: single/);
  const strict = await openImageFolder(folder.path, { minImagesPerIdentity: 2 });
  expect(strict.identities).toEqual(["a"]);
  expect([...strict.labels]).toEqual([0, 0]);
  expect(strict.warnings[1]).toMatch(/1 identity with fewer than 2 images left out: single/);
});

test("identities that are not wanted are as if they were not there", async () => {
  touch("a/1.jpg", "b/1.jpg", "b/2.jpg", "c/1.jpg", "c/2.jpg", "d/1.jpg", "d/2.jpg");
  const isWanted = (identity: string) => identity < "d";
  const dataset = await openImageFolder(folder.path, { isWanted, minImagesPerIdentity: 2 });
  expect(dataset.identities).toEqual(["b", "c"]);
  expect(dataset.warnings).toEqual([
    expect.stringContaining("1 identity with fewer than 2 images left out: a"),
  ]);
  await expect(openImageFolder(folder.path, { isWanted: () => false })).rejects.toThrow(
    "none of 4 identities is wanted, by",
  );
  await expect(openImageFolder(folder.path, { minImagesPerIdentity: 0 })).rejects.toThrow(/at least 1/);
});

test("many warnings of one kind are one line with a few names", async () => {
  for (let i = 0; i < 9; i++) touch(`p${i}/1.jpg`);
  const { warnings } = await openImageFolder(folder.path);
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toMatch(/9 identities with a single image .*: p0, p1, p2, p3, p4 and 4 more/);
});

test("a folder that cannot be a data set says why and how it must be laid out", async () => {
  const open = (path = "", options = {}) => openImageFolder(join(folder.path, path), options);
  await expect(open("missing")).rejects.toMatchObject({
    code: "E_FILE",
    message: /missing: no such folder; expected/,
  });
  await expect(open()).rejects.toMatchObject({
    code: "E_DATA",
    message: /the folder is empty.*root\/identity\/image/,
  });
  touch("1.jpg", "2.jpg");
  await expect(open()).rejects.toMatchObject({
    code: "E_DATA",
    message: /2 images lie directly in the folder.*root\//,
  });
  await expect(open("1.jpg")).rejects.toMatchObject({ code: "E_FILE", message: /is a file, not a folder/ });
  mkdirSync(join(folder.path, "empty"));
  await expect(open()).rejects.toMatchObject({
    message: /1 folders, but no image in any of them; expected one folder/,
  });
  touch("set/anna/1.jpg");
  await expect(open()).rejects.toMatchObject({ message: /the root is probably one level deeper/ });
  await expect(open("set", { minImagesPerIdentity: 5 })).rejects.toMatchObject({
    code: "E_DATA",
    message: /none of 1 identities has 5 images or more/,
  });
});
