import fc from "fast-check";
import { expect, test } from "vitest";
import { TopofrError } from "./error.js";
import { corruptions, fromHex, hex, SEED, topofrError } from "./formats.test.helpers.js";
import { encodeRecord, RECORD_MAGIC, readRecordAt } from "./recordIo.js";
import { decodeImageRecord, encodeImageRecord } from "./recordIoImage.js";

const WHERE = { source: "train.rec", record: 7, fileOffset: 0 };
const MAGIC = "0a23d7ce";

// The format's bytes, written out by hand.
const SET_HEADER = fromHex(
  `${MAGIC} 20000000  02000000 00000000 00000000 00000000 01000000 00000000  7cb1b14a 584fb44a`,
);
const IMAGE = fromHex(
  `${MAGIC} 1d000000  00000000 0000e040 01000000 00000000 00000000 00000000  ffd8ffd900 000000`,
);
const TWO_PARTS = fromHex(`${MAGIC} 04000020 41424344 ${MAGIC} 02000060 4546 0000`);

function joined(payload: Uint8Array): string {
  return hex(Buffer.concat(encodeRecord(payload)));
}

test("the header record of a set: two labels, no image", () => {
  const { payload, end } = readRecordAt(SET_HEADER, 0, WHERE);
  expect(end).toBe(40);
  expect(decodeImageRecord(payload, WHERE)).toEqual({
    flag: 2,
    labels: Float32Array.of(5822654, 5908396),
    id: 0n,
    id2: 1n,
    image: new Uint8Array(0),
  });
  const record = { labels: [5822654, 5908396], id: 0n, id2: 1n, image: new Uint8Array(0) };
  expect(joined(encodeImageRecord(record))).toBe(hex(SET_HEADER));
});

test("an image record: the label in the header, the image padded to 4 bytes", () => {
  const { payload, end } = readRecordAt(IMAGE, 0, WHERE);
  expect(end).toBe(IMAGE.length);
  const image = fromHex("ffd8ffd900");
  expect(decodeImageRecord(payload, WHERE)).toEqual({
    flag: 0,
    labels: Float32Array.of(7),
    id: 1n,
    id2: 0n,
    image,
  });
  expect(joined(encodeImageRecord({ labels: [7], id: 1, image }))).toBe(hex(IMAGE));
});

test("a payload that holds the magic number is two parts without it", () => {
  const payload = fromHex(`41424344 ${MAGIC} 4546`);
  expect(joined(payload)).toBe(hex(TWO_PARTS));
  const read = readRecordAt(TWO_PARTS, 0, WHERE);
  expect(hex(read.payload)).toBe(hex(payload));
  expect(read.end).toBe(TWO_PARTS.length);
});

test.each([
  ["at its start", `${MAGIC} 41`, `${MAGIC}00000020 ${MAGIC}01000060 41000000`],
  ["at its end", `41424344 ${MAGIC}`, `${MAGIC}04000020 41424344 ${MAGIC}00000060`],
  ["twice in a row", `${MAGIC}${MAGIC}`, `${MAGIC}00000020 ${MAGIC}00000040 ${MAGIC}00000060`],
  ["at an odd place only", `41 ${MAGIC} 424344`, `${MAGIC}08000000 41${MAGIC}424344`],
  ["across two places", `0a23d7 ${MAGIC} ce`, `${MAGIC}08000000 0a23d7${MAGIC}ce`],
  [
    "at an odd place, then at an even one",
    `41${MAGIC}424344${MAGIC}`,
    `${MAGIC}08000020 41${MAGIC}424344 ${MAGIC}00000060`,
  ],
])("the magic number %s", (_, payload, record) => {
  expect(joined(fromHex(payload))).toBe(hex(fromHex(record)));
  expect(hex(readRecordAt(fromHex(record), 0, WHERE).payload)).toBe(hex(fromHex(payload)));
});

test("an empty payload, and records one after another", () => {
  expect(joined(new Uint8Array(0))).toBe(`${MAGIC}00000000`);
  const bytes = Buffer.concat([IMAGE, TWO_PARTS, SET_HEADER]);
  const second = readRecordAt(bytes, IMAGE.length, WHERE);
  expect(second.end).toBe(IMAGE.length + TWO_PARTS.length);
  expect(readRecordAt(bytes, second.end, WHERE).end).toBe(bytes.length);
});

test("random payloads full of magic numbers come back, whatever follows them", () => {
  const words = fc.array(
    fc.oneof(fc.constant(fromHex(MAGIC)), fc.uint8Array({ maxLength: 5 }), fc.constant(fromHex("0a23"))),
    { maxLength: 12 },
  );
  fc.assert(
    fc.property(words, fc.uint8Array({ maxLength: 8 }), (pieces, after) => {
      const payload = Buffer.concat(pieces);
      const record = Buffer.concat(encodeRecord(payload));
      expect(record.length % 4).toBe(0);
      for (let at = 4; at < record.length; at += 4) {
        if (record.readUInt32LE(at) === RECORD_MAGIC) expect(record.readUInt32LE(at + 4) >>> 30).not.toBe(0);
      }
      const read = readRecordAt(Buffer.concat([record, after]), 0, WHERE);
      expect(hex(read.payload)).toBe(hex(payload));
      expect(read.end).toBe(record.length);
    }),
    { seed: SEED, numRuns: 500 },
  );
});

test("image records come back: labels, ids of 64 bits, image", () => {
  const record = fc.record({
    labels: fc.array(fc.float({ noNaN: true }), { minLength: 1, maxLength: 4 }),
    id: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    id2: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    image: fc.uint8Array({ maxLength: 20 }),
  });
  fc.assert(
    fc.property(record, ({ labels, id, id2, image }) => {
      const read = decodeImageRecord(encodeImageRecord({ labels, id, id2, image }), WHERE);
      const flag = labels.length === 1 ? 0 : labels.length;
      expect(read).toEqual({ flag, labels: Float32Array.from(labels), id, id2, image });
    }),
    { seed: SEED, numRuns: 200 },
  );
});

test("one label behind the header, as flag 1, is read too", () => {
  const payload = fromHex("01000000 00000000 05000000 00000000 00000000 00000000  0000e040 ffd8");
  expect(decodeImageRecord(payload, WHERE)).toMatchObject({
    flag: 1,
    labels: Float32Array.of(7),
    image: fromHex("ffd8"),
  });
});

test.each([
  [
    "no magic number",
    "00000000 00000000",
    /record 7 at byte 0: 0x00000000 where the magic number 0xced7230a is expected \(byte 0\); .* rebuild it by a scan/,
  ],
  ["the oldest dmlc magic", "0a23d73e 00000000", /0x3ed7230a where the magic number/],
  ["nothing", "", /goes on where the data end \(byte 0\); the file is truncated/],
  ["half a head", "0a23d7ce 1d0000", /goes on where the data end \(byte 7\)/],
  ["fewer bytes than announced", `${MAGIC} 05000000 41424344`, /goes on where the data end \(byte 12\)/],
  ["a last part first", `${MAGIC} 00000060`, /part with flag 3, expected 0 or 1 \(the start of a record\)/],
  ["a middle part first", `${MAGIC} 00000040`, /part with flag 2, expected 0 or 1/],
  ["a flag that is not defined", `${MAGIC} 000000e0`, /part with flag 7, expected 0 or 1/],
  ["a first part and the end", `${MAGIC} 04000020 41424344`, /goes on where the data end \(byte 12\)/],
  [
    "a first part and a whole record",
    `${MAGIC} 00000020 ${MAGIC} 00000000`,
    /part with flag 0, expected 2 or 3 \(byte 8\)/,
  ],
  [
    "a first part and no magic",
    `${MAGIC} 00000020 01020304 00000060`,
    /0x04030201 where the magic number .* \(byte 8\)/,
  ],
  [
    "a first part of odd length",
    `${MAGIC} 02000020 41420000 ${MAGIC} 00000060`,
    /part of 2 bytes, expected a multiple of 4/,
  ],
])("a record is refused: %s", async (_, bytes, message) => {
  const error = await topofrError(() => readRecordAt(fromHex(bytes), 0, WHERE));
  expect(error.code).toBe("E_FORMAT");
  expect(error.message).toMatch(message);
});

test("places in messages are those of the file", async () => {
  const bytes = Buffer.concat([IMAGE, Buffer.alloc(8)]);
  const error = await topofrError(() => readRecordAt(bytes, IMAGE.length, { ...WHERE, fileOffset: 1000 }));
  expect(error.message).toMatch(/^train\.rec: record 7 at byte 1040: .*\(byte 1040\)/);
});

test("payloads that are no image record are refused; so are labels and ids that do not fit", async () => {
  const short = await topofrError(() => decodeImageRecord(new Uint8Array(23), WHERE));
  expect(short.message).toBe(
    "train.rec: record 7 at byte 0: 23 bytes of data, an image record begins with 24 (IRHeader)",
  );
  const labels = await topofrError(() => decodeImageRecord(fromHex(`ffffffff ${"00".repeat(28)}`), WHERE));
  expect(labels.message).toMatch(
    /flag 4294967295 announces labels up to byte 17179869204 of the data, which have 32/,
  );
  const image = new Uint8Array(0);
  const refused = (record: { labels: number[]; id: number | bigint }) =>
    topofrError(() => encodeImageRecord({ ...record, image })).then(
      ({ code, message }) => `${code} ${message}`,
    );
  expect(await refused({ labels: [], id: 3 })).toBe(
    "E_USAGE image record 3: no label, at least one is needed",
  );
  expect(await refused({ labels: [2 ** 24 + 1], id: 3 })).toMatch(/label 16777217 is not a float32/);
  expect(await refused({ labels: [1], id: -1 })).toMatch(/-1 is not an unsigned 64-bit integer/);
  expect(await refused({ labels: [1], id: 2n ** 64n })).toMatch(/is not an unsigned 64-bit integer/);
  expect(await refused({ labels: [1], id: 0.5 })).toMatch(/0.5 is not an unsigned 64-bit integer/);
});

test("1000 damaged or random records are read or refused, never anything else", () => {
  let refused = 0;
  const bytes = fc.oneof(
    corruptions(SET_HEADER),
    corruptions(TWO_PARTS),
    fc.uint8Array({ maxLength: 64 }),
    fc.uint8Array({ maxLength: 64 }).map((tail) => Buffer.concat([fromHex(MAGIC), tail])),
  );
  fc.assert(
    fc.property(bytes, (damaged) => {
      try {
        decodeImageRecord(readRecordAt(damaged, 0, WHERE).payload, WHERE);
      } catch (error) {
        if (!(error instanceof TopofrError) || error.code !== "E_FORMAT") throw error;
        refused++;
      }
    }),
    { seed: SEED, numRuns: 1000 },
  );
  expect(refused).toBeGreaterThan(300);
});
