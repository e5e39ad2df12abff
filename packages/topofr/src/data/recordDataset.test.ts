import { readFileSync, rmSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { TopofrError } from "@topofr/formats";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { checkLabels } from "./dataset.js";
import { pattern, picture, temporaryFolder } from "./images.test.support.js";
import { readImage } from "./readImage.js";
import { openRecordDataset } from "./recordDataset.js";
import {
  imageOf,
  insightfaceRecords,
  recordBytes,
  recordSet,
  type TestRecord,
  writeSet,
} from "./recordFiles.test.support.js";
import { writeRecordIndex } from "./recordIndex.js";

const root = temporaryFolder();
const cacheBefore = process.env.XDG_CACHE_HOME;
let folder = "";
let sets = 0;
beforeAll(() => {
  process.env.XDG_CACHE_HOME = join(root.path, "cache");
});
beforeEach(() => {
  folder = join(root.path, `set${sets++}`); // readImage keeps files open, so no path is used twice
});
afterAll(() => {
  if (cacheBefore === undefined) delete process.env.XDG_CACHE_HOME;
  else process.env.XDG_CACHE_HOME = cacheBefore;
  root.remove();
});

const headless = (labels: TestRecord["label"][]) =>
  recordSet(labels.map((label, key) => ({ key, label, image: imageOf(key) })));
const texts = (dataset: Awaited<ReturnType<typeof openRecordDataset>>) =>
  Array.from(dataset.labels, (_, i) =>
    Buffer.from(readImage(dataset.source(i)))
      .toString()
      .trim()
      .replace(/\.+$/, "")
      .trim(),
  );
const old = (path: string) => utimesSync(path, 1e9, 1e9);

test("insightface's layout: labels from identity records, header record anywhere, images by key", async () => {
  const records = insightfaceRecords([2, 1, 3]);
  const path = writeSet(folder, recordSet(records.reverse()), "3,112,112\n");
  const dataset = await openRecordDataset(path);
  expect(dataset.identities).toEqual(["0", "1", "2"]);
  expect([...dataset.labels]).toEqual([0, 0, 1, 2, 2, 2]);
  expect(texts(dataset)).toEqual([1, 2, 3, 4, 5, 6].map((key) => `image of record ${key}`));
  expect(dataset.identityRecords).toBe(3);
  expect(dataset.property).toEqual({ classes: 3, height: 112, width: 112 });
  expect(dataset.warnings).toEqual(["have a single image"].map((text) => expect.stringContaining(text)));
  checkLabels(dataset);
});

test("the bytes of a record as the format's description gives them", async () => {
  // Label 7, id 1, a 5-byte payload; padded to 4 bytes.
  const bytes = Buffer.from(
    "0a23d7ce1d000000000000000000e04001000000000000000000000000000000ffd8ffd900000000",
    "hex",
  );
  expect(recordBytes({ key: 1, label: 7, image: Uint8Array.of(0xff, 0xd8, 0xff, 0xd9, 0) })).toEqual(bytes);
  const path = writeSet(folder, { rec: bytes, idx: "1\t0\n" });
  const dataset = await openRecordDataset(path);
  expect([...dataset.labels]).toEqual([7]);
  expect([...readImage(dataset.source(0))]).toEqual([0xff, 0xd8, 0xff, 0xd9, 0]);
});

test("without a header every key is an image; labels are scalars or the first of an array", async () => {
  const path = writeSet(folder, headless([4, [0, 9], 1, [4, 1.5, 2]]));
  const dataset = await openRecordDataset(path);
  expect([...dataset.labels]).toEqual([4, 0, 1, 4]);
  expect(dataset.identities).toHaveLength(5); // largest label + 1
  expect(dataset.identityRecords).toBeNull();
  expect(dataset.warnings[0]).toMatch(/2 of 5 identities have no image/);
});

test("a first image with two labels is not taken for a header", async () => {
  const dataset = await openRecordDataset(
    writeSet(
      folder,
      headless([
        [1, 3],
        [0, 3],
        [0, 3],
      ]),
    ),
  );
  expect([...dataset.labels]).toEqual([1, 0, 0]);
});

test("keys beyond 2^24 are rounded in ranges; the images around a limit say themselves whose they are", async () => {
  const firstKey = 2 ** 24 - 5;
  const counts = [4, 3, 5, 2, 1, 6]; // most limits are odd, which float32 does not hold there
  const records = insightfaceRecords(counts, firstKey);
  const dataset = await openRecordDataset(writeSet(folder, recordSet(records)));
  expect([...dataset.labels]).toEqual(counts.flatMap((n, label) => Array<number>(n).fill(label)));
  expect(dataset.identityRecords).toBe(6);
  for (const i of dataset.labels.keys()) expect(readImage(dataset.source(i))).toHaveLength(80); // the labels agree
});

test("an identity table that cannot be right is not used, and a warning says so", async () => {
  const records = insightfaceRecords([2, 2]);
  const swapped = records.map((record) =>
    record.key === 1 || record.key === 2 ? { ...record, label: 1 } : { ...record },
  );
  const dataset = await openRecordDataset(writeSet(folder, recordSet(swapped)));
  expect([...dataset.labels]).toEqual([1, 1, 1, 1]);
  expect(dataset.warnings[0]).toMatch(
    /identity records cannot be used \(image 1 has label 1, and is in the range of identity 0\); the labels were read/,
  );
  const fewer = insightfaceRecords([2, 2]).filter(({ key }) => key !== 6);
  const second = await openRecordDataset(writeSet(join(folder, "b"), recordSet(fewer)));
  expect([...second.labels]).toEqual([0, 0, 1, 1]);
  expect(second.warnings[0]).toMatch(/record 0 announces 2, found 1/);
});

test.each([
  ["missing", undefined, /train.idx is missing; its records were found by reading the whole file/],
  [
    "of another file",
    "0\t0\n1\t40\n2\t160\n",
    /key 1 is said to be at byte 40, where there is 0x[0-9a-f]+ instead of the magic/,
  ],
  ["of a longer file", "0\t0\n1\t112\n2\t400000\n", /key 2 is said to be at byte 400000/],
  ["no index", "this is a text\n", /train.idx: line 1 .*found by reading/],
  ["empty", "", /the index is empty/],
])("an index that is %s is rebuilt by a scan, with a warning", async (_, idx, message) => {
  const { rec } = headless([0, 1, 1]);
  const path = writeSet(folder, { rec, ...(idx !== undefined && { idx }) });
  const dataset = await openRecordDataset(path);
  expect([...dataset.labels]).toEqual([0, 1, 1]);
  expect(texts(dataset)[2]).toBe("image of record 2");
  expect(dataset.warnings.join("\n")).toMatch(message);
});

test("an index that only shows to be wrong in the middle is rebuilt as well", async () => {
  const set = headless(Array.from({ length: 1000 }, (_, i) => i % 5));
  const lines = set.idx.split("\n");
  lines[501] = `501\t${Number(lines[501]!.split("\t")[1]) + 8}`; // between the records that are looked at
  const dataset = await openRecordDataset(writeSet(folder, { rec: set.rec, idx: lines.join("\n") }));
  expect(dataset.labels).toHaveLength(1000);
  expect(dataset.warnings[0]).toMatch(
    /record 501 at byte .*expected the magic.*found by reading the whole file/,
  );
});

test("a scan is done once, the index written when asked for, and labels are kept", async () => {
  const set = headless([2, 0, 1]);
  const path = writeSet(folder, { rec: set.rec });
  old(path);
  const doings: string[] = [];
  const open = () => openRecordDataset(path, { onProgress: (doing) => doings.push(doing) });
  await open();
  expect(doings.filter((doing) => doing.includes("scanning train.rec"))).toHaveLength(1);
  expect(doings.filter((doing) => doing === "reading labels")).toHaveLength(1);
  doings.length = 0;
  const again = await open();
  expect(doings).toEqual([]);
  expect([...again.labels]).toEqual([2, 0, 1]);
  expect(again.warnings.join()).toMatch(/train.idx is missing/);
  await openRecordDataset(path, { cache: false, onProgress: (doing) => doings.push(doing) });
  expect(doings).toHaveLength(2);

  const written = await writeRecordIndex(again.file);
  expect(readFileSync(written, "utf8")).toBe(set.idx);
  expect((await open()).warnings.join()).not.toMatch(/missing/);
  rmSync(written);
});

test("a truncated or damaged file names record and byte", async () => {
  const set = headless([0, 1, 1, 2]);
  const short = writeSet(join(folder, "a"), { rec: set.rec.subarray(0, -50), idx: set.idx });
  await expect(openRecordDataset(short)).rejects.toMatchObject({
    code: "E_FORMAT",
    message: expect.stringMatching(/train.rec: record 3 at byte 336: .*truncated/),
  });
  const rec = Buffer.from(set.rec);
  rec.writeUInt32LE(0xdeadbeef, 112);
  await expect(openRecordDataset(writeSet(join(folder, "b"), { rec, idx: set.idx }))).rejects.toMatchObject({
    code: "E_FORMAT",
    message: expect.stringMatching(/record 1 at byte 112: .*0xdeadbeef/),
  });
  await expect(openRecordDataset(join(folder, "none.rec"))).rejects.toMatchObject({ code: "E_FILE" });
  await expect(
    openRecordDataset(writeSet(join(folder, "c"), { rec: Buffer.alloc(0) })),
  ).rejects.toMatchObject({
    code: "E_FORMAT",
    message: expect.stringMatching(/the file is empty/),
  });
});

test.each([
  [-1, /record 1 at byte 112 has label -1; expected a whole number from 0/],
  [0.5, /record 1 at byte 112 has label 0.5/],
  [Number.NaN, /has label NaN/],
  [2 ** 25, /has label 33554432; expected a whole number from 0 to 16777215/],
])("label %d is refused and named", async (label, message) => {
  const path = writeSet(folder, headless([0, label]));
  await expect(openRecordDataset(path)).rejects.toMatchObject({
    code: "E_DATA",
    message: expect.stringMatching(message),
  });
});

test("property: more classes than labels are kept, fewer refused; nonsense ignored; a wrong size said", async () => {
  const more = await openRecordDataset(writeSet(join(folder, "a"), headless([0, 0, 1, 1]), "7,112,112\n4"));
  expect(more.identities).toHaveLength(7);
  await expect(
    openRecordDataset(writeSet(join(folder, "b"), headless([0, 4]), "2,112,112")),
  ).rejects.toMatchObject({
    code: "E_DATA",
    message: expect.stringMatching(/record 1 at byte 112 has label 4, but property says 2 classes/),
  });
  const odd = await openRecordDataset(writeSet(join(folder, "c"), headless([0, 0]), "many,112,112"));
  expect(odd.warnings[0]).toMatch(
    /property: expected "classes,height,width".*found "many,112,112"; the file is ignored/,
  );
  const image = await picture(pattern(1)).jpeg().toBuffer();
  const set = recordSet([0, 1].map((key) => ({ key, label: 0, image })));
  const small = await openRecordDataset(writeSet(join(folder, "d"), set, "1,112,112"));
  expect(small.warnings[0]).toMatch(/the image has 16x16 pixels, property says 112x112/);
  const disagreeing = writeSet(join(folder, "e"), recordSet(insightfaceRecords([2, 2])), "5,112,112");
  expect((await openRecordDataset(disagreeing)).warnings[0]).toMatch(
    /property says 5 classes, and there are 2 identity records/,
  );
});

test("identities with few images are left out, and records still agree with their own labels", async () => {
  const path = writeSet(folder, headless([3, 0, 3, 5, 5, 5]));
  const dataset = await openRecordDataset(path, { minImagesPerIdentity: 2 });
  expect(dataset.identities).toEqual(["3", "5"]);
  expect([...dataset.labels]).toEqual([0, 0, 1, 1, 1]);
  expect(texts(dataset)).toEqual([0, 2, 3, 4, 5].map((key) => `image of record ${key}`));
  const one = await openRecordDataset(path, { isWanted: (identity) => identity === "3" });
  expect(one.identities).toEqual(["3"]);
  expect(texts(one)).toEqual(["image of record 0", "image of record 2"]);
  await expect(openRecordDataset(path, { minImagesPerIdentity: 9 })).rejects.toMatchObject({
    code: "E_DATA",
  });
  await expect(openRecordDataset(path, { minImagesPerIdentity: 0 })).rejects.toMatchObject({
    code: "E_USAGE",
  });
});

test("an image with the magic number inside is whole", async () => {
  // "ABCD" + magic + "EF" behind an IRHeader, in two parts: the magic between them is left out.
  const header = Buffer.alloc(24);
  header.writeFloatLE(1, 4);
  const filling = Buffer.alloc(60, 0x41);
  const first = Buffer.concat([header, filling]);
  const part = (flag: number, data: Buffer) => {
    const start = Buffer.from("0a23d7ce00000000", "hex");
    start.writeUInt32LE(flag * 2 ** 29 + data.length, 4);
    return Buffer.concat([start, data, Buffer.alloc((4 - (data.length % 4)) % 4)]);
  };
  const rec = Buffer.concat([part(1, first), part(3, Buffer.from("EF"))]);
  const dataset = await openRecordDataset(writeSet(folder, { rec, idx: "0\t0\n" }));
  expect([...dataset.labels]).toEqual([1]);
  expect(Buffer.from(readImage(dataset.source(0)))).toEqual(
    Buffer.concat([filling, Buffer.from("0a23d7ce", "hex"), Buffer.from("EF")]),
  );
});

test("whatever the bytes are, opening and reading end with a TopofrError or not at all", async () => {
  const set = recordSet(insightfaceRecords([2, 3, 1]));
  let run = 0;
  const change = fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), byte: fc.nat(255) });
  await fc.assert(
    fc.asyncProperty(
      fc.array(change, { maxLength: 4 }),
      fc.array(change, { maxLength: 3 }),
      fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
      async (recChanges, idxChanges, cut) => {
        const mutate = (bytes: Buffer, changes: { at: number; byte: number }[]) => {
          for (const { at, byte } of changes) bytes[Math.floor(at * (bytes.length - 1))] = byte;
          return bytes;
        };
        const rec = mutate(Buffer.from(set.rec), recChanges);
        const idx = mutate(Buffer.from(set.idx), idxChanges).toString("latin1");
        const path = writeSet(join(folder, String(run++)), {
          rec: rec.subarray(0, cut === null ? rec.length : Math.ceil(cut * rec.length)),
          idx,
        });
        try {
          const dataset = await openRecordDataset(path, { cache: false });
          for (const i of dataset.labels.keys()) readImage(dataset.source(i));
        } catch (error) {
          if (!(error instanceof TopofrError)) throw error;
        }
      },
    ),
    { seed: 7, numRuns: 150 },
  );
});
