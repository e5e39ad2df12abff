import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { TopofrError } from "@topofr/formats";
import fc from "fast-check";
import sharp from "sharp";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { FaceDataset } from "../dataset.js";
import { pattern, picture, temporaryFolder, write } from "../images.test.support.js";
import { openDataset } from "../openDataset.js";
import { readImage } from "../readImage.js";
import { type PackOptions, packDataset } from "./packDataset.js";

const root = temporaryFolder();
let folder = "";
let sets = 0;
let encoded: Buffer[] = []; // small real images, all different
beforeAll(async () => {
  encoded = await Promise.all(
    Array.from({ length: 12 }, (_, i) => {
      const image = picture(pattern(20 * i));
      return i % 3 === 0
        ? image.png().toBuffer()
        : i % 3 === 1
          ? image.webp().toBuffer()
          : image.jpeg().toBuffer();
    }),
  );
});
beforeEach(() => {
  folder = join(root.path, `set${sets++}`);
});
afterAll(() => root.remove());

const at = (...names: string[]) => join(folder, ...names);
const open = (path: string) => openDataset(path, { cache: false });
async function pack(from: string, to: string, options: PackOptions) {
  return packDataset(await open(at(from)), at(to), options);
}

/** All that matters of a set: whose image is whose, byte for byte. */
const contents = (dataset: FaceDataset) =>
  Array.from(dataset.labels, (label, i) => [
    label,
    Buffer.from(readImage(dataset.source(i))).toString("base64"),
  ]);
const tree = (path: string): Record<string, string> =>
  Object.fromEntries(
    (readdirSync(path, { recursive: true }) as string[])
      .filter((name) => /\.\w+$/.test(name))
      .sort()
      .map((name) => [name, readFileSync(join(path, name)).toString("base64")]),
  );

function writeFaces(name: string, counts: number[]): void {
  let image = 0;
  counts.forEach((n, person) => {
    for (let i = 0; i < n; i++)
      write(at(name, `person ${person}`, `${i}.jpg`), encoded[image++ % encoded.length]!);
  });
}

test("folder, RecordIO and tar hold the same bytes for the same people, there and back", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 6 }),
      fc.nat(4),
      async (counts, shards) => {
        folder = join(root.path, `set${sets++}`);
        writeFaces("a", counts);
        const original = contents(await open(at("a")));
        await pack("a", "rec", { format: "recordio" });
        expect(contents(await open(at("rec")))).toEqual(original);
        await pack("rec", "b", { format: "folder" });
        expect(tree(at("b"))).toEqual(tree(at("a"))); // the names come back from train.lst
        await pack("rec", "tar/t.tar", { format: "tar", shardImages: shards === 0 ? null : shards });
        expect(contents(await open(at("tar")))).toEqual(original);
        await pack("tar", "c", { format: "folder" });
        expect(tree(at("c"))).toEqual(tree(at("a")));
        await pack("tar", "again.rec", { format: "recordio" });
        expect(readFileSync(at("again.rec"))).toEqual(readFileSync(at("rec", "train.rec")));
        expect(readFileSync(at("again.idx"))).toEqual(readFileSync(at("rec", "train.idx")));
      },
    ),
    { seed: 13, numRuns: 8 },
  );
});

test("a RecordIO set has the files and keys of insightface", async () => {
  writeFaces("a", [2, 1]);
  const packed = await pack("a", "rec", { format: "recordio" });
  expect(packed).toMatchObject({ images: 3, identities: 2, encodedAgain: 0, broken: [] });
  expect(packed.paths).toEqual(
    ["train.rec", "train.idx", "property", "train.lst"].map((name) => at("rec", name)),
  );
  expect(readFileSync(at("rec", "property"), "utf8")).toBe("2,16,16\n");
  expect(readFileSync(at("rec", "train.lst"), "utf8")).toBe(
    "1\tperson 0/0.jpg\t0\n1\tperson 0/1.jpg\t0\n1\tperson 1/0.jpg\t1\n",
  );
  const keys = readFileSync(at("rec", "train.idx"), "utf8")
    .split("\n")
    .map((line) => line.split("\t")[0]);
  expect(keys).toEqual(["1", "2", "3", "4", "5", "0", ""]); // images, identities, header
  const rec = readFileSync(at("rec", "train.rec"));
  // Record 0: flag 2, label 0, id 0, id2 1; identity keys [4, 6).
  expect(rec.subarray(-40).toString("hex")).toBe(
    "0a23d7ce20000000" + "02000000000000000000000000000000" + "0100000000000000" + "000080400000c040",
  );
  // Identity 1 (key 5): the image with key 3.
  expect(rec.subarray(-80, -40).toString("hex")).toBe(
    "0a23d7ce20000000" + "02000000000000000500000000000000" + "0000000000000000" + "0000404000008040",
  );
});

test("without a list that fits, folders are labels and files are keys", async () => {
  writeFaces("a", Array<number>(11).fill(1));
  await pack("a", "rec", { format: "recordio" });
  write(at("rec", "train.lst"), "1\t../../x.jpg\t0\n");
  await pack("rec", "b", { format: "folder" });
  expect(Object.keys(tree(at("b"))).slice(0, 2)).toEqual(["00/00000001.png", "01/00000002.webp"]);
  rmSync(at("rec", "train.lst"));
  const lines = Array.from({ length: 11 }, (_, i) => `${i + 1}\t${i}\t/raid/faces/p${i}/x.jpg\n`);
  write(at("rec", "train.lst"), lines.join("")); // im2rec's order of columns, whole paths
  await pack("rec", "c", { format: "folder" });
  expect(Object.keys(tree(at("c"))).slice(0, 2)).toEqual(["p0/x.jpg", "p1/x.jpg"]);
});

test("shuffled sets have every image once, another order for another seed, and no identity records", async () => {
  writeFaces("a", [3, 4, 5]);
  const sorted = contents(await open(at("a")))
    .map(String)
    .sort();
  const orders = await Promise.all(
    [1, 1, 2].map(async (shuffleSeed, i) => {
      await pack("a", `${i}/train.rec`, { format: "recordio", shuffleSeed });
      const dataset = await open(at(String(i)));
      expect(dataset).toMatchObject({ kind: "recordio", identityRecords: null });
      return contents(dataset).map(String);
    }),
  );
  for (const order of orders) expect(order.slice().sort()).toEqual(sorted);
  expect(orders[0]).toEqual(orders[1]);
  expect(orders[0]).not.toEqual(orders[2]);
  expect(orders[0]).not.toEqual(sorted);
});

test("images of the size asked for are copied, only the others are encoded again", async () => {
  writeFaces("a", [3]);
  const large = await sharp(pattern(9, 40), { raw: { width: 40, height: 40, channels: 3 } })
    .webp()
    .toBuffer();
  write(at("a", "x", "1.webp"), large);
  await expect(pack("a", "r", { format: "recordio" })).rejects.toMatchObject({
    code: "E_DATA",
    message: expect.stringMatching(/x\/1.webp: has 40x40 pixels, and person 0\/0.jpg 16x16; .*--size 112/),
  });
  expect(existsSync(at("r", "train.rec"))).toBe(false);
  const packed = await pack("a", "b", { format: "folder", size: 16 });
  expect(packed.encodedAgain).toBe(1);
  const after = tree(at("b"));
  expect(after["x/1.png"]).toBeDefined(); // a WebP that was scaled is kept without further loss
  expect(await sharp(at("b", "x", "1.png")).metadata()).toMatchObject({ width: 16, height: 16 });
  for (const [name, bytes] of Object.entries(tree(at("a"))))
    if (!name.startsWith("x")) expect(after[name]).toBe(bytes);
});

test("a broken image stops the packing and is named, or is left out and named", async () => {
  writeFaces("a", [2, 2]);
  write(at("a", "person 1", "0.jpg"), "no image");
  const message = /person 1\/0.jpg: cannot be read as an image/;
  await expect(pack("a", "t.tar", { format: "tar" })).rejects.toMatchObject({
    code: "E_DATA",
    message: expect.stringMatching(message),
  });
  expect(readdirSync(at("."))).toEqual(["a"]);
  const packed = await pack("a", "t.tar", { format: "tar", skipBroken: true });
  expect(packed).toMatchObject({ images: 3, withoutImages: 0, broken: [expect.stringMatching(message)] });
  expect((await open(at("t.tar"))).labels).toHaveLength(3);
});

test("what is there is not replaced unless asked, and a folder with something in it never", async () => {
  writeFaces("a", [2, 1]);
  writeFaces("b", [1]);
  for (const [to, options] of [
    ["s/train.rec", { format: "recordio" }],
    ["t.tar", { format: "tar" }],
    ["u/u.tar", { format: "tar", shardImages: 1 }],
  ] as const) {
    await pack("a", to, options);
    await expect(pack("b", to, options)).rejects.toMatchObject({
      code: "E_DATA",
      message: expect.stringMatching(/is there already; choose another name, or add --overwrite/),
    });
    renameSync(at(to.split("/")[0]!), at("moved")); // readImage keeps files open
    renameSync(at("moved"), at(to.split("/")[0]!));
    await pack("b", to, { ...options, overwrite: true });
    expect((await open(at(to.includes("u") ? "u" : to))).labels).toHaveLength(1); // older shards are gone
  }
  mkdirSync(at("full"));
  write(at("full", "mine.txt"), "");
  await expect(pack("a", "full", { format: "folder", overwrite: true })).rejects.toMatchObject({
    code: "E_DATA",
    message: expect.stringMatching(/is not empty \(mine.txt\)/),
  });
});

test("an aborted packing leaves no file, and a folder or shards that say they are not complete", async () => {
  writeFaces("a", Array<number>(40).fill(5));
  for (const [to, format, shardImages] of [
    ["x", "folder", null],
    ["r", "recordio", null],
    ["s/s.tar", "tar", 30],
    ["t.tar", "tar", null],
  ] as const) {
    const controller = new AbortController();
    const onProgress = (done: number) => {
      if (done > 100) controller.abort();
    };
    const options = { format, shardImages, signal: controller.signal, onProgress };
    await expect(pack("a", to, options)).rejects.toMatchObject({ name: "AbortError" });
    if (format === "recordio") expect(readdirSync(at("r"))).toEqual([]);
    else if (to === "t.tar") expect(readdirSync(at("."))).not.toContain("t.tar");
    else {
      await expect(open(at(to.split("/")[0]!))).rejects.toMatchObject({
        message: expect.stringMatching(/is not complete/),
      });
      await expect(pack("a", to, { format, shardImages })).rejects.toMatchObject({
        code: "E_DATA",
        message: expect.stringMatching(/is not complete .*add --overwrite to begin again/),
      });
    }
    await pack("a", to, { format, shardImages, overwrite: true });
    expect((await open(at(to.split("/")[0]!))).labels).toHaveLength(200);
  }
});

test("shards are not replaced while they are read", async () => {
  writeFaces("a", [2, 1]);
  await pack("a", "t/t.tar", { format: "tar", shardImages: 1 });
  await expect(
    pack("t", "t/t.tar", { format: "tar", shardImages: 2, overwrite: true }),
  ).rejects.toMatchObject({
    code: "E_USAGE",
    message: expect.stringMatching(/t-000000.tar: is what the images are read from/),
  });
  expect((await open(at("t"))).labels).toHaveLength(3);
});

test("names that cannot be used are refused", async () => {
  write(at("a", "p", "1.jpg"), encoded[0]!);
  write(at("a", "p", "1.png"), encoded[3]!);
  await expect(pack("a", "t.tar", { format: "tar" })).rejects.toThrow(TopofrError); // both would have p/1.cls
  await expect(pack("a", "t.tar", { format: "folder", shardImages: 3 })).rejects.toMatchObject({
    code: "E_USAGE",
  });
});
