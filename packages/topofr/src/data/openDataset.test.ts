import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { temporaryFolder, write } from "./images.test.support.js";
import { openDataset } from "./openDataset.js";
import { insightfaceRecords, recordSet, writeSet } from "./recordFiles.test.support.js";
import { tarBytes } from "./tarFiles.test.support.js";

let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

const at = (...names: string[]) => join(folder.path, ...names);
const open = (name: string) => openDataset(at(name), { cache: false });
const summary = async (name: string) => {
  const { kind, labels, identities } = await open(name);
  return { kind, labels: [...labels], identities };
};

test("every form is recognised, and says the same of the same set", async () => {
  for (const name of ["a/1.jpg", "a/2.jpg", "b/1.jpg"]) write(at("images", name), "");
  writeSet(at("rec"), recordSet(insightfaceRecords([2, 1])));
  const set = recordSet(insightfaceRecords([2, 1]));
  write(at("other", "faces.rec"), set.rec);
  write(at("other", "faces.idx"), set.idx);
  write(at("shards", "s-000.tar"), tarBytes({ "a/1.jpg": "", "a/2.jpg": "" }));
  write(at("shards", "s-001.tar"), tarBytes({ "b/1.jpg": "" }));
  const labels = [0, 0, 1];
  expect(await summary("images")).toEqual({ kind: "folder", labels, identities: ["a", "b"] });
  for (const name of ["rec", "rec/train.rec", "other", "other/faces.rec"])
    expect(await summary(name)).toEqual({ kind: "recordio", labels, identities: ["0", "1"] });
  for (const name of ["shards", "shards/s-{000..001}.tar"])
    expect(await summary(name)).toEqual({ kind: "tar", labels, identities: ["a", "b"] });
  expect(await summary("shards/s-001.tar")).toEqual({ kind: "tar", labels: [0], identities: ["b"] });
});

test.each([
  ["train.idx", /is an index, without images; give train.rec beside it/],
  ["train.lst", /is a list of images, not the images; give the .rec made from it/],
  ["property", /only states a size; give the .rec beside it, or the folder/],
  [
    "lfw.bin",
    /is a benchmark of pairs; "topofr evaluate" reads it, "topofr data pairs lfw.bin <folder>" unpacks it/,
  ],
  ["faces.zip", /is compressed: .*unpack it first/],
  ["faces.tar.gz", /is compressed: .*unpack it first/],
  ["notes.txt", /is a file that is no data set; expected a folder with one folder of images per person/],
])("%s: says what to give instead", async (name, message) => {
  write(at(name), "x");
  await expect(open(name)).rejects.toMatchObject({ code: "E_DATA", message: expect.stringMatching(message) });
});

test("folders that are no data set say why", async () => {
  await expect(open("none")).rejects.toMatchObject({
    code: "E_FILE",
    message: expect.stringMatching(/no such file or folder/),
  });
  await expect(open("none-{0..1}.tar")).rejects.toMatchObject({
    code: "E_FILE",
    message: expect.stringMatching(/none-0.tar/),
  });
  write(at("idx", "train.idx"), "0\t0\n");
  await expect(open("idx")).rejects.toMatchObject({
    code: "E_DATA",
    message: expect.stringMatching(/holds train.idx, but no .rec file, which has the images/),
  });
  write(at("two", "a.rec"), "");
  write(at("two", "b.rec"), "");
  await expect(open("two")).rejects.toMatchObject({
    code: "E_DATA",
    message: expect.stringMatching(/holds several RecordIO files \(a.rec, b.rec\); name one of them/),
  });
  write(at("both", "a", "1.jpg"), "");
  write(at("both", "b.tar"), "");
  await expect(open("both")).rejects.toMatchObject({
    code: "E_DATA",
    message: expect.stringMatching(/holds tar files \(b.tar\) and folders \(a\)/),
  });
  mkdirSync(at("empty"));
  await expect(open("empty")).rejects.toMatchObject({
    code: "E_DATA",
    message: expect.stringMatching(/empty/),
  });
  write(at("part", "a", "1.jpg"), "");
  write(at("part", "unfinished.json"), "{}");
  await expect(open("part")).rejects.toMatchObject({
    code: "E_DATA",
    message: expect.stringMatching(/is not complete \(unfinished.json is in it\)/),
  });
});
