import { utimesSync } from "node:fs";
import { join } from "node:path";
import { TopofrError } from "@topofr/formats";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { sourceName } from "./imageSource.js";
import { temporaryFolder, write } from "./images.test.support.js";
import { readImage } from "./readImage.js";
import { openTarDataset, type TarDataset } from "./tarDataset.js";
import { tarBytes } from "./tarFiles.test.support.js";
import { expandShardPattern, isShardPattern, shardsInFolder } from "./tarShards.js";

const root = temporaryFolder();
const cacheBefore = process.env.XDG_CACHE_HOME;
let folder = "";
let sets = 0;
beforeAll(() => {
  process.env.XDG_CACHE_HOME = join(root.path, "cache");
});
beforeEach(() => {
  folder = join(root.path, `set${sets++}`);
});
afterAll(() => {
  if (cacheBefore === undefined) delete process.env.XDG_CACHE_HOME;
  else process.env.XDG_CACHE_HOME = cacheBefore;
  root.remove();
});

type Members = Record<string, Uint8Array | string>;
const open = (...shards: Members[]) => {
  const paths = shards.map((members, i) => write(join(folder, `s-${i}.tar`), tarBytes(members)));
  return openTarDataset("set", paths);
};
const texts = (dataset: TarDataset) =>
  Array.from(dataset.labels, (_, i) => Buffer.from(readImage(dataset.source(i))).toString());

test("numbers beside the images are their labels, over all shards", async () => {
  const dataset = await open(
    { "000.jpg": "a", "000.cls": "2", "001.png": "b", "001.cls": " 0\n", "readme.txt": "" },
    { "000.jpg": "c", "000.json": '{"label": 2, "age": 9}' },
  );
  expect([...dataset.labels]).toEqual([2, 0, 2]);
  expect(dataset.identities).toEqual(["0", "1", "2"]);
  expect(texts(dataset)).toEqual(["a", "b", "c"]);
  expect(sourceName(dataset.source(2))).toBe(`${join(folder, "s-1.tar")}: 000.jpg`);
  expect(dataset.warnings.join()).toMatch(/1 of 3 identities have no image/);
});

test("names, in a file beside the image or as its folder, are sorted to get labels", async () => {
  const named = await open({
    "1.jpg": "a",
    "1.json": '{"identity": "Zoe"}',
    "2.webp": "b",
    "2.json": '{"identity": "Ann"}',
  });
  expect(named.identities).toEqual(["Ann", "Zoe"]);
  expect([...named.labels]).toEqual([1, 0]);
});

test("folders are people; what all their paths begin with is not part of the name", async () => {
  const dataset = await open({
    "./train/bob/1.jpg": "a",
    "train/ann.lee/x.y.jpg": "b",
    "train/bob/2.JPG": "c",
  });
  expect(dataset.identities).toEqual(["ann.lee", "bob"]);
  expect([...dataset.labels]).toEqual([1, 0, 1]);
});

test("folders name the identities that numbers label, if they agree", async () => {
  const agreeing = await open({ "bob/1.jpg": "", "bob/1.cls": "0", "ann/1.jpg": "", "ann/1.cls": "2" });
  expect(agreeing.identities).toEqual(["bob", "1", "ann"]);
  const mixed = await openTarDataset("set", [
    write(join(folder, "b.tar"), tarBytes({ "a/1.jpg": "", "a/1.cls": "0", "a/2.jpg": "", "a/2.cls": "1" })),
  ]);
  expect(mixed.identities).toEqual(["0", "1"]);
});

test("WebDataset's key ends at the first dot of the file name, ours at the last; both are looked for", async () => {
  const dataset = await open({
    "p/7.face.jpg": "a",
    "p/7.cls": "1",
    "p/8.face.jpg": "b",
    "p/8.face.cls": "0",
  });
  expect([...dataset.labels]).toEqual([1, 0]);
});

test.each<[string, Members, RegExp]>([
  [
    "nothing says who it is",
    { "1.jpg": "" },
    /s-0.tar: 1.jpg: nothing says who is on it; expected a file beside it/,
  ],
  [
    "two ways in one set",
    { "a/1.jpg": "", "a/1.cls": "1", "b/1.jpg": "" },
    /a\/1.jpg has a number .* b\/1.jpg has only its folder/,
  ],
  [
    "a negative label",
    { "1.jpg": "", "1.cls": "-1" },
    /s-0.tar: 1.cls at byte 1024 has label -1; expected a whole number/,
  ],
  ["a fractional label", { "1.jpg": "", "1.json": '{"label": 1.5}' }, /1.json at byte 1024 has label 1.5/],
  ["an empty label", { "1.jpg": "", "1.cls": "" }, /1.cls .*has label NaN/],
  [
    "JSON of something else",
    { "1.jpg": "", "1.json": "[1]" },
    /expected a JSON object with "label".*found \[1\]/,
  ],
  [
    "a label of a megabyte",
    { "1.jpg": "", "1.cls": "1".repeat(100_000) },
    /has 100000 bytes; expected a label/,
  ],
  ["no image", { "1.txt": "" }, /no images in 1 tar files/],
])("%s: an error that names it", async (_, members, message) => {
  await expect(open(members)).rejects.toMatchObject({
    code: "E_DATA",
    message: expect.stringMatching(message),
  });
});

test.each<[string, Members, RegExp]>([
  ["a path out of the folder", { "../1.jpg": "" }, /member "..\/1.jpg".*refused/],
  ["an absolute path", { "/etc/1.jpg": "" }, /absolute path; refused/],
])("%s is refused", async (_, members, message) => {
  await expect(open(members)).rejects.toMatchObject({
    code: "E_FORMAT",
    message: expect.stringMatching(message),
  });
});

test("a truncated archive is an error, and a listing kept of a whole one is used", async () => {
  const whole = tarBytes({ "a/1.jpg": "x".repeat(700), "b/1.jpg": "y" });
  const cut = write(join(folder, "cut.tar"), whole.subarray(0, 1300));
  await expect(openTarDataset("cut", [cut])).rejects.toMatchObject({ code: "E_FORMAT" });
  const path = write(join(folder, "whole.tar"), whole);
  utimesSync(path, 1e9, 1e9);
  const doings: string[] = [];
  const options = { onProgress: (doing: string) => void doings.push(doing) };
  const first = await openTarDataset("whole", [path], options);
  expect(doings).toEqual(["listing whole.tar"]);
  const second = await openTarDataset("whole", [path], options);
  expect(doings).toHaveLength(1);
  expect([second.identities, [...second.labels], texts(second)]).toEqual([
    first.identities,
    [...first.labels],
    texts(first),
  ]);
  utimesSync(path, 1e9 + 1, 1e9 + 1);
  await openTarDataset("whole", [path], options);
  expect(doings).toHaveLength(2);
});

test("identities with few images are left out over all shards", async () => {
  const paths = [
    { "a/1.jpg": "1", "b/1.jpg": "2" },
    { "c/1.jpg": "3", "b/2.jpg": "4" },
  ].map((members, i) => write(join(folder, `${i}.tar`), tarBytes(members)));
  const dataset = await openTarDataset("set", paths, { minImagesPerIdentity: 2 });
  expect(dataset.identities).toEqual(["b"]);
  expect(texts(dataset)).toEqual(["2", "4"]);
});

test("patterns stand for numbered files", () => {
  expect(expandShardPattern("a-{08..11}.tar")).toEqual(["a-08.tar", "a-09.tar", "a-10.tar", "a-11.tar"]);
  expect(expandShardPattern("{0..1}/x{2..3}")).toEqual(["0/x2", "0/x3", "1/x2", "1/x3"]);
  expect(() => expandShardPattern("a-{9..8}.tar")).toThrow(/"\{9..8\}" stands for 0 files/);
  expect(() => expandShardPattern("{0..999}{0..999}")).toThrow(/at most 100000/);
  expect(isShardPattern("a-{00..09}.tar")).toBe(true);
  expect(isShardPattern("a.tar")).toBe(false);
});

test("shards of a folder are taken in order of their names", async () => {
  for (const name of ["b.tar", "a.TAR", ".c.tar", "d.txt"]) write(join(folder, name), "");
  expect(await shardsInFolder(folder)).toEqual([join(folder, "a.TAR"), join(folder, "b.tar")]);
  await expect(shardsInFolder(join(folder, "none"))).rejects.toMatchObject({ code: "E_FILE" });
});

test("whatever the bytes are, opening ends with a TopofrError or not at all", async () => {
  const whole = tarBytes({ "a/1.jpg": "1", "a/1.cls": "0", "b/2.jpg": "2", "b/2.json": '{"label":1}' });
  let run = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 5 }),
      fc.option(fc.nat(whole.length)),
      async (changes, cut) => {
        const bytes = Buffer.from(whole);
        for (const [at, byte] of changes) bytes[at] = byte;
        const path = write(join(folder, `${run++}.tar`), bytes.subarray(0, cut ?? bytes.length));
        try {
          const dataset = await openTarDataset("x", [path], { cache: false });
          for (const i of dataset.labels.keys()) readImage(dataset.source(i));
        } catch (error) {
          if (!(error instanceof TopofrError)) throw error;
        }
      },
    ),
    { seed: 11, numRuns: 150 },
  );
});
