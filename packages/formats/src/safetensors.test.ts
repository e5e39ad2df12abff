import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  fromHex,
  hex,
  refusalsOfCorruptions,
  SEED,
  temporaryFolder,
  tensorEntries,
  topofrError,
} from "./formats.test.helpers.js";
import { readSafetensors, readSafetensorsHeader, writeSafetensors } from "./safetensors.js";
import { ITEM_SIZE, type TensorEntry } from "./tensorEntry.js";

/** A file laid out by hand: the header as given (no padding), then the data. */
function file(header: string, data: string | Uint8Array = ""): Uint8Array {
  const length = Buffer.alloc(8);
  const json = Buffer.from(header, "utf8");
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, typeof data === "string" ? fromHex(data) : data]);
}

async function read(bytes: Uint8Array) {
  const path = join(temporaryFolder(), "x.safetensors");
  writeFileSync(path, bytes);
  return readSafetensors(path);
}

async function refusal(bytes: Uint8Array): Promise<string> {
  const error = await topofrError(() => read(bytes));
  expect(error.code).toBe("E_FORMAT");
  return error.message.replace(/^.*x\.safetensors: /, "");
}

// 0x38 = 56 bytes of header: 54 of JSON, 2 spaces; then 1.0f and -2.0f.
const GOLDEN = fromHex(
  `38000000 00000000
   7b22 6122 3a7b 22 6474797065 22 3a22 463332 22 2c22 7368617065 22 3a5b 32 5d2c
   22 646174615f6f666673657473 22 3a5b 302c38 5d7d7d 2020
   0000803f 000000c0`,
);

test("a file written by hand is read, and the writer writes the same bytes", async () => {
  const path = join(temporaryFolder(), "golden.safetensors");
  const data = new Uint8Array(Float32Array.of(1, -2).buffer);
  await writeSafetensors(path, [{ name: "a", dtype: "float32", shape: [2], data }]);
  expect(hex(readFileSync(path))).toBe(hex(GOLDEN));
  const { tensors, metadata } = await read(GOLDEN);
  expect(tensors).toEqual([{ name: "a", dtype: "float32", shape: [2], data }]);
  expect(metadata.size).toBe(0);
});

test("every dtype code of the format that we know maps to its name", async () => {
  const codes = ["F32", "F64", "BF16", "F16", "I64", "I32", "U8", "BOOL"];
  const header = codes.map((code) => `"${code}":{"dtype":"${code}","shape":[0],"data_offsets":[0,0]}`);
  const { tensors } = await read(file(`{${header}}`));
  expect(tensors.map(({ name, dtype }) => `${name} ${dtype}`)).toEqual([
    "F32 float32",
    "F64 float64",
    "BF16 bfloat16",
    "F16 float16",
    "I64 int64",
    "I32 int32",
    "U8 uint8",
    "BOOL bool",
  ]);
});

test("random tensors and metadata come back bit-equal, in order, each aligned in the file", async () => {
  const path = join(temporaryFolder(), "random.safetensors");
  const metadata = fc.uniqueArray(fc.tuple(fc.string(), fc.string({ unit: "grapheme" })), {
    selector: ([key]) => key,
  });
  await fc.assert(
    fc.asyncProperty(tensorEntries, metadata, async (tensors, pairs) => {
      await writeSafetensors(path, tensors, new Map(pairs));
      const back = await readSafetensors(path);
      expect(back.tensors).toEqual(tensors);
      expect(back.metadata).toEqual(new Map(pairs));
      for (const { dtype, start } of (await readSafetensorsHeader(path)).tensors) {
        expect(start % ITEM_SIZE[dtype]).toBe(0);
      }
    }),
    { seed: SEED, numRuns: 150 },
  );
});

test("offsets out of order and tensors in any order of the header are read by their offsets", async () => {
  const { tensors } = await read(
    file(
      `{"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]},"a":{"dtype":"BOOL","shape":[],"data_offsets":[0,1]}}`,
      "01 0203",
    ),
  );
  expect(tensors.map(({ name, data }) => `${name} ${hex(data)}`)).toEqual(["b 0203", "a 01"]);
});

test("a file that is truncated says which tensor and byte", async () => {
  expect(await refusal(GOLDEN.slice(0, -1))).toBe(
    'tensor "a" needs bytes 64 to 72, but the file ends at byte 71; it is truncated',
  );
  expect(await refusal(GOLDEN.slice(0, 30))).toBe(
    "header needs bytes 8 to 64, but the file ends at byte 30; it is truncated",
  );
  expect(await refusal(GOLDEN.slice(0, 5))).toMatch(/^5 bytes; a safetensors file has at least 8/);
});

test("a header length beyond the format's bound is refused before anything is read", async () => {
  expect(await refusal(fromHex("ffffffffffffffff 7b7d"))).toMatch(
    /^header length at byte 0 is 18446744073709552000, /,
  );
  expect(await refusal(fromHex("01e1f50500000000 7b7d"))).toMatch(/^header length at byte 0 is 100000001, /);
});

const u8 = (name: string, begin: number, end: number) =>
  `"${name}":{"dtype":"U8","shape":[${end - begin}],"data_offsets":[${begin},${end}]}`;

test.each([
  [
    "hole",
    `{${u8("a", 0, 2)},${u8("b", 3, 4)}}`,
    /^tensor "b" starts at byte \d+ and leaves a hole after tensor "a"/,
  ],
  [
    "overlap",
    `{${u8("a", 0, 3)},${u8("b", 2, 4)}}`,
    /^tensor "b" starts at byte \d+ and overlaps tensor "a"/,
  ],
  [
    "same range",
    `{${u8("a", 0, 4)},${u8("b", 0, 4)}}`,
    /^tensor "b" starts at byte \d+ and overlaps tensor "a"/,
  ],
  ["rest", `{${u8("a", 0, 3)}}`, /^1 bytes after tensor "a", .* belong to no tensor/],
  ["late start", `{${u8("a", 1, 4)}}`, /^tensor "a" starts .* leaves a hole after the header/],
  ["no tensor", "{}", /^4 bytes after the header/],
  [
    "reversed",
    `{"a":{"dtype":"U8","shape":[0],"data_offsets":[4,0]}}`,
    /takes 0 bytes, data_offsets \[4, 0\] give -4/,
  ],
  [
    "shape",
    `{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}`,
    /float32 of shape \[2\] takes 8 bytes, .* give 4/,
  ],
  [
    "overflow",
    `{"a":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,4]}}`,
    /takes 18446744073709552000/,
  ],
  ["negative", `{"a":{"dtype":"U8","shape":[-4],"data_offsets":[0,4]}}`, /shape is not a list of counts/],
  [
    "fraction",
    `{"a":{"dtype":"U8","shape":[4],"data_offsets":[0.5,4.5]}}`,
    /data_offsets is not a pair of counts/,
  ],
  [
    "dtype",
    `{"a":{"dtype":"I16","shape":[2],"data_offsets":[0,4]}}`,
    /dtype "I16" is not supported; convert it to one of/,
  ],
  ["no dtype", `{"a":{"shape":[4],"data_offsets":[0,4]}}`, /dtype missing is not supported/],
  ["no object", `{"a":[1]}`, /tensor "a": not described by an object/],
  ["duplicate", `{${u8("a", 0, 2)},${u8("\\u0061", 2, 4)}}`, /^header has "a" twice in one object/],
  [
    "duplicate inside",
    `{"a":{"dtype":"U8","dtype":"U8","shape":[4],"data_offsets":[0,4]}}`,
    /^header has "dtype" twice/,
  ],
  ["not JSON", `{"a":`, /^header \(bytes 8 to 13\) is not JSON/],
  ["after the end", `{}{}`, /is not JSON/],
  ["other start", `[1]`, /^byte 8 is not the `{`/],
  ["space first", ` {}`, /^byte 8 is not the `{`/],
  ["deep", `{"a":[[[[1]]]]}`, /^header nests deeper/],
  [
    "metadata",
    `{"__metadata__":{"epoch":3},${u8("a", 0, 4)}}`,
    /^__metadata__ has "epoch" with a value that is not text/,
  ],
  ["metadata list", `{"__metadata__":[],${u8("a", 0, 4)}}`, /^__metadata__ is not an object/],
])("a header with a fault is refused: %s", async (_, header, message) => {
  expect(await refusal(file(header, "00010203"))).toMatch(message);
});

test("text that is not UTF-8 and control characters in names are refused and shown safely", async () => {
  expect(await refusal(Buffer.concat([fromHex("0400000000000000"), fromHex("7b22ff22")]))).toMatch(
    /is not UTF-8$/,
  );
  expect(await refusal(file(`{"a\\u001b[31m":{}}`))).toMatch(/^tensor "a\\u001b\[31m": dtype missing/);
});

test("the name __proto__ is a name like any other", async () => {
  const { tensors } = await read(file(`{${u8("__proto__", 0, 4)}}`, "00010203"));
  expect(tensors[0]?.name).toBe("__proto__");
  expect(({} as Record<string, unknown>).dtype).toBeUndefined();
});

const entry = (changes: Partial<TensorEntry>): TensorEntry => ({
  name: "a",
  dtype: "uint8",
  shape: [2],
  data: new Uint8Array(2),
  ...changes,
});

test("the writer refuses what a reader would refuse, and leaves no file", async () => {
  const path = join(temporaryFolder(), "x.safetensors");
  const message = async (...tensors: TensorEntry[]) => {
    const error = await topofrError(() => writeSafetensors(path, tensors));
    expect(error.code).toBe("E_USAGE");
    return error.message;
  };
  expect(await message(entry({}), entry({}))).toMatch(/tensor "a": two tensors have this name/);
  expect(await message(entry({ name: "__metadata__" }))).toMatch(/keeps this name for metadata/);
  expect(await message(entry({ dtype: "float32" }))).toMatch(
    /float32 of shape \[2\] takes 8 bytes, the data have 2/,
  );
  expect(await message(entry({ shape: [-2] }))).toMatch(/is not made of counts/);
  expect((await topofrError(() => readSafetensors(path))).message).toMatch(/no such file or folder/);
});

test("a missing file and a folder are E_FILE, with the way out", async () => {
  const folder = temporaryFolder();
  const missing = await topofrError(() => readSafetensors(join(folder, "no.safetensors")));
  expect(missing.code).toBe("E_FILE");
  expect(missing.message).toMatch(
    /no\.safetensors: cannot open the file: no such file or folder; check the path/,
  );
  expect((await topofrError(() => readSafetensors(folder))).message).toMatch(
    /it is a folder, and a file is needed/,
  );
});

test("300 damaged files are read or refused, never anything else", async () => {
  const path = join(temporaryFolder(), "x.safetensors");
  const tensors = [
    entry({}),
    entry({ name: "b", dtype: "float32", shape: [2, 2], data: new Uint8Array(16) }),
  ];
  await writeSafetensors(path, tensors, { step: "3" });
  expect(await refusalsOfCorruptions(readFileSync(path), readSafetensors)).toBeGreaterThan(150);
});
