// Which people and images of which sets are trained on: lists of sets, lists of people, shares. Opens no image.
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { FaceDataset } from "./dataset.js";
import { sourceName } from "./imageSource.js";
import { sourcesOf, temporaryFolder, write } from "./images.test.support.js";
import { openDataset } from "./openDataset.js";
import { insightfaceRecords, recordSet, writeSet } from "./recordFiles.test.support.js";
import { tarBytes } from "./tarFiles.test.support.js";

let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

const at = (...names: string[]) => join(folder.path, ...names);
const touch = (...paths: string[]) => {
  for (const path of paths) write(at(path), "");
};
const open = (name: string, options: Parameters<typeof openDataset>[1] = {}) =>
  openDataset(at(name), { cache: false, ...options });
const images = (dataset: FaceDataset) =>
  sourcesOf(dataset).map((source) => sourceName(source).slice(folder.path.length + 1));

test("a list of sets is one set: samples in order, labels counted on, people chosen by list", async () => {
  touch("pins/ann/1.jpg", "pins/ann/2.jpg", "pins/bob/1.jpg", "pins/bob/2.jpg");
  touch("lfw/cy/1.jpg", "lfw/cy/2.jpg", "lfw/dot/1.jpg", "lfw/eve/1.jpg", "lfw/eve/2.jpg");
  write(at("lists/train.txt"), "# two of three\ncy\r\n\neve\n");
  write(at("both.yaml"), "# larger split\n- pins\n- path: lfw\n  only: lists/train.txt\n");
  const dataset = await open("both.yaml");
  expect(dataset).toMatchObject({ kind: "merged", name: "both", identities: ["ann", "bob", "cy", "eve"] });
  expect([...dataset.labels]).toEqual([0, 0, 1, 1, 2, 2, 3, 3]);
  expect(images(dataset).slice(2, 6)).toEqual([
    "pins/bob/1.jpg",
    "pins/bob/2.jpg",
    "lfw/cy/1.jpg",
    "lfw/cy/2.jpg",
  ]);
  expect(dataset.warnings).toEqual([]); // dot has a single image, but is not used
  expect("parts" in dataset && dataset.parts).toEqual([
    { path: at("pins"), identities: 2, images: 4 },
    { path: at("lfw"), identities: 2, images: 4 },
  ]);

  write(at("held_out.txt"), "bob\nnobody\n");
  const fewer = await open("both.yaml", { without: at("held_out.txt"), minImagesPerIdentity: 2 });
  expect(fewer.identities).toEqual(["ann", "cy", "eve"]);
  expect(fewer.warnings).toEqual([
    expect.stringMatching(/1 of the 2 people to leave out .*held_out\.txt\) are not in it: nobody/),
  ]);
});

test("people of RecordIO files, whose names are numbers, stay apart; equal names are refused", async () => {
  writeSet(at("one"), recordSet(insightfaceRecords([2, 1])));
  writeSet(at("two"), recordSet(insightfaceRecords([1, 2])));
  write(at("numbers.yaml"), "[one, two]");
  const { identities, labels } = await open("numbers.yaml");
  expect(identities).toEqual(["one/0", "one/1", "two/0", "two/1"]);
  expect([...labels]).toEqual([0, 0, 1, 2, 3, 3]);

  touch("a/ann/1.jpg", "a/bob/1.jpg", "b/bob/1.jpg", "b/cy/1.jpg");
  write(at("names.yaml"), "[a, b]");
  await expect(open("names.yaml")).rejects.toMatchObject({
    code: "E_DATA",
    message: expect.stringMatching(
      /1 people are in two of its sets \(bob; .*Leave them out of one with `without:`/,
    ),
  });
  write(at("bob.txt"), "bob");
  write(at("names.yaml"), "- a\n- { path: b, without: bob.txt }");
  expect((await open("names.yaml")).identities).toEqual(["ann", "bob", "cy"]);
});

test("lists of people choose from every form of set", async () => {
  touch("images/a/1.jpg", "images/b/1.jpg", "images/b/2.jpg", "images/c/1.jpg");
  write(at("shards.tar"), tarBytes({ "a/1.jpg": "", "b/1.jpg": "", "b/2.jpg": "", "c/1.jpg": "" }));
  writeSet(at("rec"), recordSet(insightfaceRecords([1, 2, 1])));
  write(at("names.txt"), "b\nc\n");
  write(at("numbers.txt"), "1\n2\n");
  for (const [name, only] of [
    ["images", "names.txt"],
    ["shards.tar", "names.txt"],
    ["rec", "numbers.txt"],
  ] as const) {
    const dataset = await open(name, { only: at(only) });
    expect(dataset.identities).toEqual(name === "rec" ? ["1", "2"] : ["b", "c"]);
    expect([...dataset.labels]).toEqual([0, 0, 1]);
    expect(sourcesOf(dataset)).toHaveLength(3);
  }
});

test("a share of everyone's images: nested, everyone stays, the same ones every time, in every form", async () => {
  const members: Record<string, string> = {};
  for (const person of ["a", "b"]) for (let i = 0; i < 20; i++) members[`${person}/${i}.jpg`] = "";
  touch(...Object.keys(members).map((name) => `images/${name}`), "images/c/1.jpg");
  write(at("shards.tar"), tarBytes(members));
  writeSet(at("rec"), recordSet(insightfaceRecords([20, 20])));
  for (const name of ["images", "shards.tar", "rec"]) {
    const all = images(await open(name));
    const [small, large] = [await open(name, { share: 0.25 }), await open(name, { share: 0.5 })];
    expect([...large.labels].filter((label) => label === 0)).toHaveLength(10);
    expect([...large.labels].filter((label) => label === 1)).toHaveLength(10);
    expect([...small.labels].filter((label) => label === 0)).toHaveLength(5);
    const [few, half] = [images(small), images(large)];
    expect(few.every((image) => half.includes(image))).toBe(true);
    expect(half.map((image) => all.indexOf(image))).toEqual(
      half.map((image) => all.indexOf(image)).sort((a, b) => a - b),
    );
    expect(images(await open(name, { share: 0.5 }))).toEqual(half);
    expect(images(await open(name, { share: 1 }))).toEqual(all);
  }
  expect((await open("images", { share: 0.01 })).labels).toHaveLength(3);
  await expect(open("images", { share: 0 })).rejects.toMatchObject({ code: "E_USAGE" });
});

test.each([
  [
    "- a: 1",
    "E_FORMAT",
    /sets\.yaml:1: expected a list of data sets, each a path or \{ path, only, without \}/,
  ],
  ["- pins\n- { path: pins, onli: x }", "E_FORMAT", /sets\.yaml:2: expected a list of data sets/],
  ["pins", "E_FORMAT", /expected a list of data sets/],
  ["- [", "E_FORMAT", /sets\.yaml:\d: not YAML/],
  ["- none", "E_FILE", /none: /],
  ["- sets.yaml", "E_DATA", /is a list of data sets, which cannot be in another list/],
  ["- { path: pins, only: none.txt }", "E_FILE", /read the list of people/],
  ["- { path: pins, only: empty.txt }", "E_DATA", /empty\.txt: no names in it/],
  ["- { path: pins, only: other.txt }", "E_DATA", /pins: none of 1 identities is wanted/],
  ["- { path: pins, only: more.txt }", "E_DATA", /1 of the 2 people of .*more\.txt are not in it \(zoe\)/],
])("%s: says what is wrong", async (yaml, code, message) => {
  touch("pins/ann/1.jpg");
  write(at("empty.txt"), "# nobody\n");
  write(at("other.txt"), "zoe\n");
  write(at("more.txt"), "ann\nzoe\n");
  write(at("sets.yaml"), yaml);
  await expect(open("sets.yaml")).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
});
