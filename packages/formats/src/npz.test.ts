import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32, deflateRawSync } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  fixturePath,
  refusalsOfCorruptions,
  SEED,
  temporaryFolder,
  tensorEntries,
  topofrError,
} from "./formats.test.helpers.js";
import { encodeNpy, type NpyArray } from "./npy.js";
import { readNpz, writeNpz } from "./npz.js";

const FLOATS = Buffer.alloc(24);
for (let i = 0; i < 6; i++) FLOATS.writeFloatLE(i, 4 * i);
const EXPECTED: [string, NpyArray][] = [
  ["scores", { dtype: "float32", shape: [2, 3], data: new Uint8Array(FLOATS) }],
  ["same", { dtype: "bool", shape: [2], data: Uint8Array.of(1, 0) }],
  ["zeros", { dtype: "uint8", shape: [1000], data: new Uint8Array(1000) }],
];

interface RawMember {
  name: string;
  /** As stored. */
  data: Uint8Array;
  method?: number;
  /** What the directory says; the truth unless given. */
  size?: number;
  crc?: number;
  flags?: number;
}

/** A zip archive, field by field as APPNOTE.TXT lays it out. */
function zip(members: readonly RawMember[]): Buffer {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, data, method = 0, size = data.length, crc = crc32(data), flags = 0 } of members) {
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(flags, 2);
    common.writeUInt16LE(method, 4);
    common.writeUInt32LE(crc, 10);
    common.writeUInt32LE(data.length, 14);
    common.writeUInt32LE(size, 18);
    common.writeUInt16LE(name.length, 22);
    const entry = Buffer.alloc(14);
    entry.writeUInt32LE(offset, 10);
    directory.push(Buffer.from("PK\x01\x02\x14\0", "latin1"), common, entry, Buffer.from(name));
    const local = Buffer.concat([Buffer.from("PK\x03\x04", "latin1"), common, Buffer.from(name), data]);
    locals.push(local);
    offset += local.length;
  }
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", "latin1");
  end.writeUInt16LE(members.length, 8);
  end.writeUInt16LE(members.length, 10);
  end.writeUInt32LE(Buffer.concat(directory).length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, ...directory, end]);
}

function npy(array: NpyArray): Buffer {
  const { header, data } = encodeNpy(array, "x");
  return Buffer.concat([header, data]);
}

const ONE = npy({ dtype: "uint8", shape: [3], data: Uint8Array.of(1, 2, 3) });

function written(content: Uint8Array): string {
  const path = join(temporaryFolder(), "a.npz");
  writeFileSync(path, content);
  return path;
}

async function refusal(content: Uint8Array): Promise<string> {
  const error = await topofrError(() => readNpz(written(content)));
  expect(error.code).toBe("E_FORMAT");
  return error.message.replace(/^.*a\.npz: /, "");
}

test.each(["npz_stored", "npz_deflated"])("%s, written by NumPy, is read in its order", async (name) => {
  expect([...(await readNpz(fixturePath(`${name}.npz`)))]).toEqual(EXPECTED);
});

test("archives laid out by hand: stored and deflated members", async () => {
  const deflated = { name: "b.npy", data: deflateRawSync(ONE), method: 8, size: ONE.length, crc: crc32(ONE) };
  const arrays = await readNpz(written(zip([{ name: "a.npy", data: ONE }, deflated])));
  expect([...arrays.keys()]).toEqual(["a", "b"]);
  for (const { data } of arrays.values()) expect(data).toEqual(Uint8Array.of(1, 2, 3));
  expect((await readNpz(written(zip([])))).size).toBe(0);
});

test("a zip bomb is refused by the size that it announces", async () => {
  const data = deflateRawSync(new Uint8Array(1000));
  const bomb = (size: number) => ({ name: "a.npy", data, method: 8, size });
  expect(await refusal(zip([bomb(2 ** 32 - 2)]))).toMatch(
    /^records up to a\.npy expand to 4294967294 bytes, at most 268435456 are read from a file of \d+; refused as a zip bomb/,
  );
  const parts = [bomb(2e8), { ...bomb(2e8), name: "b.npy" }];
  expect(await refusal(zip(parts))).toMatch(/^records up to b\.npy expand to 400000000 bytes/);
});

test("a zip bomb that announces little is refused by what comes out", async () => {
  const data = deflateRawSync(new Uint8Array(50_000_000));
  const member = { name: "a.npy", data, method: 8, size: 1000 };
  const started = process.memoryUsage().arrayBuffers;
  expect(await refusal(zip([member]))).toMatch(
    /^record a\.npy expands to more than the announced 1000 bytes; the file is damaged/,
  );
  expect(process.memoryUsage().arrayBuffers - started).toBeLessThan(16 * 1024 * 1024);
});

test.each<[string, RawMember[], RegExp]>([
  [
    "less than announced",
    [{ name: "a.npy", data: deflateRawSync(ONE), method: 8, size: 5000 }],
    /expands to 131 bytes, 5000 were announced/,
  ],
  [
    "no deflate stream",
    [{ name: "a.npy", data: Buffer.from("\xff\xff\xff", "latin1"), method: 8, size: 9 }],
    /record a\.npy cannot be inflated/,
  ],
  [
    "a cut deflate stream",
    [{ name: "a.npy", data: deflateRawSync(ONE).subarray(0, 9), method: 8, size: ONE.length }],
    /cannot be inflated|expands to/,
  ],
  [
    "a wrong checksum",
    [{ name: "a.npy", data: deflateRawSync(ONE), method: 8, size: ONE.length, crc: 1 }],
    /does not match its checksum/,
  ],
  ["a wrong checksum, stored", [{ name: "a.npy", data: ONE, crc: 1 }], /does not match its checksum/],
  [
    "another compression",
    [{ name: "a.npy", data: ONE, method: 12 }],
    /compressed or encrypted, expected it stored or deflated/,
  ],
  ["encryption", [{ name: "a.npy", data: ONE, flags: 1, size: ONE.length - 12 }], /compressed or encrypted/],
  [
    "a name twice",
    [
      { name: "a.npy", data: ONE },
      { name: "a.npy", data: ONE },
    ],
    /record a\.npy is in the zip archive twice/,
  ],
  [
    "something else than arrays",
    [{ name: "a.txt", data: ONE }],
    /^member a\.txt is not named \*\.npy; it is no \.npz file/,
  ],
  ["a broken array", [{ name: "a.npy", data: ONE.subarray(0, 100) }], /^member a\.npy: header ends at byte/],
  ["a path out of the folder", [{ name: "../a.npy", data: ONE }], /invalid relative path: \.\.\/a\.npy/],
])("an archive is refused: %s", async (_, members, message) => {
  expect(await refusal(zip(members))).toMatch(message);
});

test("a file that is no archive, or the beginning of one", async () => {
  expect(await refusal(ONE)).toMatch(/damaged or truncated zip archive/);
  expect(await refusal(new Uint8Array(0))).toMatch(/damaged or truncated zip archive/);
  const whole = readFileSync(fixturePath("npz_stored.npz"));
  expect(await refusal(whole.subarray(0, whole.length - 30))).toMatch(/damaged or truncated zip archive/);
});

test("random arrays come back, and the same arrays are the same bytes", async () => {
  const path = join(temporaryFolder(), "x.npz");
  const property = fc.asyncProperty(tensorEntries, async (entries) => {
    const kept = entries.filter(
      ({ dtype, name }) => dtype !== "bfloat16" && /^[\w."]+$/.test(name) && name !== "__proto__",
    );
    const arrays = kept.map(({ name, dtype, shape, data }): [string, NpyArray] => [
      name,
      { dtype, shape, data },
    ]);
    await writeNpz(path, Object.fromEntries(arrays));
    const first = readFileSync(path);
    const sorted = (pairs: Iterable<[string, NpyArray]>) => [...pairs].sort(([a], [b]) => (a < b ? -1 : 1));
    expect(sorted(await readNpz(path))).toEqual(sorted(arrays));
    await writeNpz(path, Object.fromEntries(arrays));
    expect(readFileSync(path).equals(first)).toBe(true);
  });
  await fc.assert(property, { seed: SEED, numRuns: 30 });
});

const hasNumpy = spawnSync("python3", ["-c", "import numpy"]).status === 0;

test.skipIf(!hasNumpy)("NumPy reads what is written", async () => {
  const path = join(temporaryFolder(), "x.npz");
  const large = { dtype: "uint8", shape: [3, 1_000_000], data: new Uint8Array(3_000_000).fill(7) } as const;
  await writeNpz(path, { ...Object.fromEntries(EXPECTED), größe: { ...large, shape: [...large.shape] } });
  const script =
    "import numpy, sys\n" +
    "for name, a in numpy.load(sys.argv[1]).items(): print(name, a.dtype, a.shape, int(a.sum()))";
  const env = { ...process.env, PYTHONIOENCODING: "utf8" };
  expect(execFileSync("python3", ["-c", script, path], { encoding: "utf8", env }).trim().split("\n")).toEqual(
    [
      "scores float32 (2, 3) 15",
      "same bool (2,) 1",
      "zeros uint8 (1000,) 0",
      "größe uint8 (3, 1000000) 21000000",
    ],
  );
});

test("names and dtypes that do not fit are refused, and the earlier file stays", async () => {
  const folder = temporaryFolder();
  const path = join(folder, "x.npz");
  writeFileSync(path, "earlier");
  const array = { dtype: "uint8", shape: [1], data: Uint8Array.of(1) } as const;
  const refused = async (arrays: Record<string, NpyArray>) => {
    const { code, message } = await topofrError(() => writeNpz(path, arrays));
    return `${code} ${message.replace(path, "x.npz")}`;
  };
  const plain = { ...array, shape: [1] };
  expect(await refused({ "../a": plain })).toMatch(
    /^E_USAGE x\.npz: array name "\.\.\/a": .*; choose another name$/,
  );
  expect(await refused({ "/a": plain })).toMatch(/^E_USAGE x\.npz: array name "\/a"/);
  expect(await refused({ a: { ...plain, dtype: "bfloat16" } })).toMatch(
    /^E_USAGE x\.npz: array a: \.npy has no dtype for bfloat16/,
  );
  expect(await refused({ a: { ...plain, shape: [2] } })).toMatch(/takes 2 bytes, the data have 1/);
  expect(readFileSync(path, "utf8")).toBe("earlier");
  expect(readdirSync(folder)).toEqual(["x.npz"]);
});

test("a missing folder is E_FILE", async () => {
  const error = await topofrError(() => writeNpz(join(temporaryFolder(), "no", "x.npz"), {}));
  expect(error.code).toBe("E_FILE");
});

test.each(["npz_stored", "npz_deflated"])("300 damaged copies of %s are read or refused", async (name) => {
  expect(await refusalsOfCorruptions(readFileSync(fixturePath(`${name}.npz`)), readNpz)).toBeGreaterThan(100);
});
