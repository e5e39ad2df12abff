import { closeSync, openSync, readdirSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { TopofrError } from "./error.js";
import { corruptions, fromHex, SEED, temporaryFolder, topofrError } from "./formats.test.helpers.js";
import { encodeRecord, readRecordAt } from "./recordIo.js";
import { decodeImageRecord, encodeImageRecord } from "./recordIoImage.js";
import { readRecordIndex, recordLengths } from "./recordIoIndex.js";
import { scanRecordIndex } from "./recordIoScan.js";
import { RecordWriter } from "./recordIoWriter.js";

const MAGIC = "0a23d7ce";

function written(content: string | Uint8Array, name = "train.idx"): string {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, content);
  return path;
}

async function indexOf(text: string) {
  const { keys, offsets } = await readRecordIndex(written(text));
  return { keys: [...keys], offsets: [...offsets] };
}

/** A record of an image header with this id, byte by byte: label 0, `imageBytes` of image. */
function recordOfId(id: number, imageBytes = 4): Uint8Array {
  const record = Buffer.alloc(8 + 24 + imageBytes);
  record.writeUInt32LE(0xced7230a, 0);
  record.writeUInt32LE(24 + imageBytes, 4);
  record.writeBigUInt64LE(BigInt(id), 16);
  return record;
}

test("an index is read in any order of its keys, and comes out in ascending order", async () => {
  expect(await indexOf("0\t0\n1\t40\n2\t80\n")).toEqual({ keys: [0, 1, 2], offsets: [0, 40, 80] });
  expect(await indexOf("1\t0\n2\t40\n0\t80\n")).toEqual({ keys: [0, 1, 2], offsets: [80, 0, 40] });
  const sparse = "5000000\t8\n17\t0\n900\t16\n";
  expect(await indexOf(sparse)).toEqual({ keys: [17, 900, 5000000], offsets: [0, 16, 8] });
});

test("keys may be missing; spaces, blank lines, Windows line ends and a last line without one are read", async () => {
  expect(await indexOf("7 48\r\n\n1\t0")).toEqual({ keys: [1, 7], offsets: [0, 48] });
});

test("an index of several megabytes, longer than the reader's memory", async () => {
  const count = 200_000;
  const lines = Array.from({ length: count }, (_, i) => `${(i + 77_777) % count}\t${i * 10_000}\n`);
  const { keys, offsets } = await readRecordIndex(written(lines.join("")));
  expect(keys.length).toBe(count);
  expect(keys.every((key, i) => key === i)).toBe(true);
  expect(offsets[0]).toBe((count - 77_777) * 10_000);
  expect(offsets[77_777]).toBe(0);
});

test.each([
  ["", /train\.idx: the index is empty; rebuild the index by a scan/],
  ["\n\n", /the index is empty/],
  ["0\t0\nx\t5\n", /line 2 has "x" where a key, a tab and a byte offset are expected/],
  ["0\n", /line 1 has the end of the line where/],
  ["0\t0\n\n5", /line 3 has the end of the line where/],
  ["0\t-4\n", /line 1 has "-"/],
  ["0\t1.5\n", /line 1 has "\."/],
  ["0\t0\t0\n", /line 1 has "0"/],
  ["0\t\x01", /line 1 has "\\u0001"/],
  ["1234567890123456\t0\n", /line 1 has "6"/],
  ["0\t0\n1\t8\n0\t16\n", /key 0 is in the index twice/],
  ["0\t0\n0\t16\n", /key 0 is in the index twice/],
  ["1000000\t0\n5\t8\n1000000\t16\n", /key 1000000 is in the index twice/],
  [`0\t0\n${"1".repeat(3_000_000)}`, /line 2 has "1"/],
])("an index is refused: case %#", async (text, message) => {
  const error = await topofrError(() => indexOf(text));
  expect(error.code).toBe("E_FORMAT");
  expect(error.message).toMatch(message);
});

test("a missing index is E_FILE", async () => {
  const error = await topofrError(() => readRecordIndex(join(temporaryFolder(), "no.idx")));
  expect(error.code).toBe("E_FILE");
});

test("lengths go up to the next offset, in whatever order the keys are", async () => {
  const index = { keys: Float64Array.of(0, 1, 2, 9), offsets: Float64Array.of(100, 0, 40, 40) };
  expect(recordLengths(index, 160, "train.idx")).toEqual(Float64Array.of(60, 40, 60, 60));
});

test("offsets outside of the file, or in the middle of a word, name their key", async () => {
  const index = { keys: Float64Array.of(3, 4), offsets: Float64Array.of(0, 160) };
  const outside = await topofrError(() => recordLengths(index, 160, "train.idx"));
  expect(outside.message).toMatch(
    /^train\.idx: key 4 is said to be at byte 160, expected .* the 160 bytes .* by a scan$/,
  );
  index.offsets[1] = 42;
  expect((await topofrError(() => recordLengths(index, 160, "x"))).message).toMatch(
    /key 4 is said to be at byte 42/,
  );
});

test("a scan finds every record, by the ids of the image headers", async () => {
  const records = [recordOfId(9), recordOfId(2, 60), recordOfId(5, 0)];
  const { keys, offsets } = await scanRecordIndex(written(Buffer.concat(records), "a.rec"));
  expect([...keys]).toEqual([2, 5, 9]);
  expect([...offsets]).toEqual([36, 128, 0]);
});

test("a scan counts where ids are the same, missing or too large", async () => {
  const raw = fromHex(`${MAGIC}03000000 41424300`);
  const huge = recordOfId(0);
  huge.set(fromHex("ffffffffffffffff"), 16);
  for (const second of [recordOfId(9), raw, huge]) {
    const { keys, offsets } = await scanRecordIndex(written(Buffer.concat([recordOfId(9), second]), "a.rec"));
    expect([...keys]).toEqual([0, 1]);
    expect([...offsets]).toEqual([0, 36]);
  }
});

test("a scan reads ids across the parts of a record", async () => {
  const id = 0xced7230a; // the magic number itself, at a multiple of 4
  const payload = encodeImageRecord({ labels: [1], id, id2: id, image: new Uint8Array(3) });
  const bytes = Buffer.concat([...encodeRecord(payload), recordOfId(1)]);
  expect(bytes.readUInt32LE(4) >>> 29).toBe(1);
  expect([...(await scanRecordIndex(written(bytes, "a.rec"))).keys]).toEqual([1, id]);
});

test("a scan skips over large images and reports its progress", async () => {
  const path = join(temporaryFolder(), "large.rec");
  const file = openSync(path, "w");
  const imageBytes = 100 * 1024 * 1024; // a hole in the file, which takes no space on the disk
  const record = Buffer.from(recordOfId(0).subarray(0, 32));
  record.writeUInt32LE(24 + imageBytes, 4);
  for (const [i, at] of [0, 32 + imageBytes].entries()) {
    record.writeBigUInt64LE(BigInt(10 - i), 16);
    writeSync(file, record, 0, 32, at);
  }
  writeSync(file, Buffer.of(0), 0, 1, 2 * (32 + imageBytes) - 1);
  closeSync(file);
  const progress: [number, number][] = [];
  const started = process.memoryUsage().arrayBuffers;
  const { keys } = await scanRecordIndex(path, { onProgress: (done, total) => progress.push([done, total]) });
  expect([...keys]).toEqual([9, 10]);
  expect(process.memoryUsage().arrayBuffers - started).toBeLessThan(16 * 1024 * 1024);
  const total = 2 * (32 + imageBytes);
  expect(progress).toEqual([
    [total / 2, total],
    [total, total],
  ]);
});

test("a scan names record and byte of a truncated tail, of damage, and of a file that is none", async () => {
  const bytes = Buffer.concat([recordOfId(1), recordOfId(2), recordOfId(3)]);
  const refusal = async (content: Uint8Array) =>
    (await topofrError(() => scanRecordIndex(written(content, "a.rec")))).message.replace(
      /^.*a\.rec/,
      "a.rec",
    );
  expect(await refusal(bytes.subarray(0, 107))).toMatch(
    /^a\.rec: record 2 at byte 72: the record goes on where the data end \(byte 107\); the file is truncated/,
  );
  expect(await refusal(bytes.subarray(0, 75))).toMatch(/record 2 at byte 72: .*\(byte 75\)/);
  const damaged = Buffer.from(bytes);
  damaged[38] = 0;
  expect(await refusal(damaged)).toMatch(/record 1 at byte 36: 0xce00230a where the magic number/);
  expect(await refusal(Buffer.from("RIFF, not RecordIO"))).toMatch(/record 0 at byte 0: 0x46464952 where/);
  expect(await refusal(new Uint8Array(0))).toMatch(/the file is empty, it has no records/);
});

test("a last record without its padding is whole", async () => {
  const path = written(fromHex(`${MAGIC}03000000 414243`), "a.rec");
  expect([...(await scanRecordIndex(path)).offsets]).toEqual([0]);
});

test("600 damaged files are scanned or refused, never anything else", async () => {
  const payload = encodeImageRecord({ labels: [1, 2], id: 0xced7230a, image: fromHex(`${MAGIC}00${MAGIC}`) });
  const original = Buffer.concat([recordOfId(1), ...encodeRecord(payload), recordOfId(3, 1)]);
  const path = written(original, "a.rec");
  let refused = 0;
  const property = fc.asyncProperty(corruptions(original), async (bytes) => {
    writeFileSync(path, bytes);
    try {
      await scanRecordIndex(path);
    } catch (error) {
      if (!(error instanceof TopofrError) || error.code !== "E_FORMAT") throw error;
      refused++;
    }
  });
  await fc.assert(property, { seed: SEED, numRuns: 600 });
  expect(refused).toBeGreaterThan(200);
});

test("600 damaged indexes are read or refused, never anything else", async () => {
  const original = Buffer.from("3\t0\n1\t400000\n2\t36\n12\t72\n");
  const path = written(original);
  const bytes = fc.oneof(corruptions(original), fc.uint8Array({ maxLength: 200 }));
  const property = fc.asyncProperty(bytes, async (damaged) => {
    writeFileSync(path, damaged);
    try {
      const index = await readRecordIndex(path);
      expect(index.keys.every((key, i) => i === 0 || key > index.keys[i - 1]!)).toBe(true);
    } catch (error) {
      if (!(error instanceof TopofrError) || error.code !== "E_FORMAT") throw error;
    }
  });
  await fc.assert(property, { seed: SEED, numRuns: 600 });
});

async function writeSet(folder: string, entries: readonly (readonly [number, Uint8Array])[]): Promise<void> {
  const writer = await RecordWriter.open(join(folder, "train.rec"), join(folder, "train.idx"));
  for (const [key, payload] of entries) await writer.write(key, payload);
  await writer.close();
}

test("what is written is found by its index and by a scan", async () => {
  const folder = temporaryFolder();
  const images = [1, 2, 3, 0].map((id) => {
    return [
      id,
      encodeImageRecord({ labels: [id / 2], id, image: fromHex(`${MAGIC}${"ab".repeat(id)}`) }),
    ] as const;
  });
  await writeSet(folder, images);
  expect(readdirSync(folder).sort()).toEqual(["train.idx", "train.rec"]);
  const bytes = readFileSync(join(folder, "train.rec"));
  expect(readFileSync(join(folder, "train.idx"), "utf8")).toBe("1\t0\n2\t44\n3\t88\n0\t132\n");
  const index = await readRecordIndex(join(folder, "train.idx"));
  expect(await scanRecordIndex(join(folder, "train.rec"))).toEqual(index);
  for (const [i, key] of index.keys.entries()) {
    const where = { source: "train.rec", record: key, fileOffset: 0 };
    const { labels, image } = decodeImageRecord(readRecordAt(bytes, index.offsets[i]!, where).payload, where);
    expect(labels).toEqual(Float32Array.of(key / 2));
    expect(image.length).toBe(4 + key);
  }
});

test("a wrong index is found out by the first record that is read through it", async () => {
  const folder = temporaryFolder();
  await writeSet(folder, [
    [0, new Uint8Array(40)],
    [1, new Uint8Array(40)],
  ]);
  const bytes = readFileSync(join(folder, "train.rec"));
  const error = await topofrError(() =>
    readRecordAt(bytes, 44, { source: "train.rec", record: 1, fileOffset: 0 }),
  );
  expect(error.message).toMatch(
    /record 1 at byte 44: 0x00000000 where .* its index is wrong: rebuild it by a scan/,
  );
});

test("nothing changes before close, nor after abort, a bad key, or a key written twice", async () => {
  const folder = temporaryFolder();
  await writeSet(folder, [[0, new Uint8Array(3)]]);
  const before = readFileSync(join(folder, "train.rec"));
  const open = () => RecordWriter.open(join(folder, "train.rec"), join(folder, "train.idx"));

  const aborted = await open();
  await aborted.write(5, new Uint8Array(2_000_000));
  await aborted.abort();
  await aborted.abort();
  expect((await topofrError(() => aborted.write(6, new Uint8Array(1)))).code).toBe("E_USAGE");

  const twice = await open();
  for (const key of [4, 2, 4]) await twice.write(key, new Uint8Array(1));
  const duplicate = await topofrError(() => twice.close());
  expect(duplicate.message).toMatch(/train\.rec: key 4 was written twice; nothing is kept/);

  const bad = await open();
  expect((await topofrError(() => bad.write(0.5, new Uint8Array(1)))).message).toMatch(/key 0.5 of a record/);
  await bad.abort();
  expect(readFileSync(join(folder, "train.rec"))).toEqual(before);
  expect(readFileSync(join(folder, "train.idx"), "utf8")).toBe("0\t0\n");
  expect(readdirSync(folder).sort()).toEqual(["train.idx", "train.rec"]);
});

test("a writer whose second file cannot be opened leaves nothing", async () => {
  const folder = temporaryFolder();
  const error = await topofrError(() =>
    RecordWriter.open(join(folder, "a.rec"), join(folder, "no", "a.idx")),
  );
  expect(error.code).toBe("E_FILE");
  expect(readdirSync(folder)).toEqual([]);
});
