import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readFaceBin, writeFaceBin } from "./faceBin.js";
import {
  hex,
  readFixtureJson,
  refusalsOfCorruptions,
  SEED,
  temporaryFolder,
  topofrError,
} from "./formats.test.helpers.js";

// faceBins.json: by CPython's pickle.dumps and NumPy, protocols 0 to 5. lists: an image each as bytes, bytearray, array (n,), (n, 1),
// read-only, Fortran; flags True, numpy.bool_(False), numpy.bool_(True). flagArray: the first two, and a NumPy array of one flag.
const FIXTURES = readFixtureJson<Record<"lists" | "flagArray", string[]>>("faceBins.json");
const fixture = (name: "lists" | "flagArray", protocol: number) =>
  Buffer.from(FIXTURES[name][protocol]!, "base64");

function written(content: Uint8Array | string): string {
  const path = join(temporaryFolder(), "lfw.bin");
  writeFileSync(path, typeof content === "string" ? Buffer.from(content, "latin1") : content);
  return path;
}

async function read(content: Uint8Array | string) {
  const { images, same } = await readFaceBin(written(content));
  return { images: images.map(hex), same };
}

async function refusal(content: Uint8Array | string): Promise<string> {
  const error = await topofrError(() => read(content));
  expect(error.code).toBe("E_FORMAT");
  return error.message.replace(/^.*lfw\.bin: /, "");
}

const EXPECTED = {
  images: ["ffd86100", "ffd86262", "ffd8636363", "ffd864", "ffd865", "ffd86666"],
  same: [true, false, true],
};

test.each([0, 1, 2, 3, 4, 5])("every form of image and flag is read, protocol %i", async (protocol) => {
  expect(await read(fixture("lists", protocol))).toEqual(EXPECTED);
  expect(await read(fixture("flagArray", protocol))).toEqual({
    images: EXPECTED.images.slice(0, 2),
    same: [true],
  });
});

test.each([0, 1, 2, 3])("NumPy 2's module names are read, protocol %i", async (protocol) => {
  const text = fixture("lists", protocol).toString("latin1").replaceAll("cnumpy.core.", "cnumpy._core.");
  expect(text).toContain("numpy._core");
  expect(await read(text)).toEqual(EXPECTED);
});

test("protocol 5 of NumPy 2: _frombuffer of numpy._core.numeric", async () => {
  const renamed = (name: string) =>
    [name.length, name].map((x) => (typeof x === "number" ? String.fromCharCode(x) : x)).join("");
  const text = fixture("flagArray", 5)
    .toString("latin1")
    .replace(renamed("numpy.core.numeric"), renamed("numpy._core.numeric"))
    .replace(/\x95.\0{7}/s, ""); // the frame, whose length is now another; frames are optional
  expect(text).toContain("\x13numpy._core.numeric");
  expect((await read(text)).same).toEqual([true]);
});

test("Python 2: str of bytes that are no text, str arrays, ints as flags", async () => {
  const image = "\xff\xd8\0\x80";
  // pickle.dumps((["\xff\xd8\0\x80", …], [True, 0]), 2)
  const strings = `\x80\x02]q\0(U\x04${image}q\x01T\x04\0\0\0${image}q\x02h\x01h\x02e]q\x03(\x88K\0e\x86q\x04.`;
  expect(await read(strings)).toEqual({ images: new Array(4).fill("ffd80080"), same: [true, false] });
  const dtype = "cnumpy\ndtype\nU\x02u1K\0K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb";
  const array = `cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\0\x85U\x01btR(K\x01K\x04K\x01\x86${dtype}\x89U\x04${image}tb`;
  expect(await read(`\x80\x02](${array}${array}e]\x88a\x86.`)).toEqual({
    images: ["ffd80080", "ffd80080"],
    same: [true],
  });
  const text = "(lp0\nS'\\xff\\xd8\\x00'\np1\nag1\na(lp2\nI01\na.";
  expect(await read(text.replace(/^/, "(").replace(/\.$/, "t."))).toEqual({
    images: ["ffd800", "ffd800"],
    same: [true],
  });
});

test("tuples do for lists, and no pairs at all are no pairs", async () => {
  expect(await read("\x80\x04C\x01aC\x01b\x86\x89\x85\x86.")).toEqual({
    images: ["61", "62"],
    same: [false],
  });
  expect(await read("\x80\x04]]\x86.")).toEqual({ images: [], same: [] });
});

test("a foreign global is refused and named, and nothing runs", async () => {
  expect(await refusal("cos\nsystem\n(S'true'\ntR.")).toBe(
    "pickle asks for the Python global os.system, which is not on the allow-list; refused (a .bin benchmark needs only bytes and NumPy arrays)",
  );
  for (const name of [
    "builtins\neval",
    "__builtin__\ngetattr",
    "numpy\nload",
    "numpy.core.multiarray\nfromfile",
    "torch._utils\n_rebuild_tensor",
  ])
    expect(await refusal(`c${name}\n.`)).toContain(`Python global ${name.replace("\n", ".")},`);
});

const IMAGES = "](C\x01aC\x01be";
const UINT8 = "cnumpy\ndtype\nU\x02u1\x85R";
const fromBuffer = (bytes: string, dtype: string, shape: string) =>
  `cnumpy.core.numeric\n_frombuffer\n(${bytes}${dtype}${shape}tR`;

test.each([
  ["not a pair", "].", /^the pickle is not a pair of a list of images and a list of flags/],
  ["three values", `${IMAGES}]N\x87.`, /is not a pair/],
  ["images that are no list", "K\x01]\x86.", /first of the pickle's two values is not a list of images/],
  [
    "flags that are no list",
    `${IMAGES}K\x01\x86.`,
    /second of the pickle's two values is not a list of flags/,
  ],
  [
    "flags in two dimensions",
    `${IMAGES}${fromBuffer("C\x01\x01", "cnumpy\ndtype\nU\x02b1\x85R", "K\x01K\x01\x86")}\x86.`,
    /is not a list of flags/,
  ],
  ["an odd number of images", "]C\x01aa]\x88a\x86.", /^1 images and 1 flags, expected two images a flag/],
  ["more flags than pairs", `${IMAGES}](\x88\x88e\x86.`, /^2 images and 2 flags/],
  [
    "an image that is text",
    "](C\x01aX\x01\0\0\0be]\x88a\x86.",
    /^image 1 is neither bytes nor a NumPy array of uint8/,
  ],
  ["an image that is None", "](NC\x01ae]\x88a\x86.", /^image 0 is neither/],
  ["an image without bytes", "](C\x01aC\0e]\x88a\x86.", /^image 1 has no bytes/],
  [
    "a decoded image",
    `](C\x01a${fromBuffer("C\x04abcd", UINT8, "K\x02K\x02\x86")}e]\x88a\x86.`,
    /^image 1 is a NumPy array of uint8 and shape \(2,2\), expected the encoded file/,
  ],
  [
    "an array of bool",
    `](C\x01a${fromBuffer("C\x01\x01", "cnumpy\ndtype\nU\x02b1\x85R", "K\x01\x85")}e]\x88a\x86.`,
    /^image 1 is a NumPy array of bool/,
  ],
  ["a flag that is 2", `${IMAGES}]K\x02a\x86.`, /^flag 0 is neither True nor False/],
  ["a flag that is None", `${IMAGES}]Na\x86.`, /^flag 0 is neither/],
  [
    "another dtype",
    `](C\x01a${fromBuffer("C\x04abcd", "cnumpy\ndtype\nU\x02f4\x85R", "K\x01\x85")}e]\x88a\x86.`,
    /bad call of numpy\.core\.numeric\._frombuffer: dtype f4; only uint8 \(u1\) and bool \(b1\)/,
  ],
  [
    "a shape that does not fit",
    fromBuffer("C\x04abcd", UINT8, "K\x05\x85"),
    /shape \(5\) takes 5 bytes, the data have 4/,
  ],
  [
    "a negative shape",
    fromBuffer("C\x04abcd", UINT8, "J\xff\xff\xff\xff\x85"),
    /the shape is not a tuple of counts/,
  ],
  ["data that are no bytes", fromBuffer("N", UINT8, "K\x01\x85"), /the data are not bytes/],
  ["a dtype that is missing", fromBuffer("C\x01a", "N", "K\x01\x85"), /dtype missing/],
  [
    "a structured dtype",
    "cnumpy\ndtype\nU\x02V8\x85R(K\x03U\x01|N(tNK\0K\0K\0tb.",
    /a structured dtype is not supported/,
  ],
  [
    "text in another encoding",
    "c_codecs\nencode\nX\x01\0\0\0aX\x05\0\0\0utf-8\x86R.",
    /expected bytes, or text and its encoding latin1/,
  ],
  [
    "text that is not Latin-1",
    "c_codecs\nencode\nX\x02\0\0\0\xc4\x80X\x06\0\0\0latin1\x86R.",
    /the text is not Latin-1/,
  ],
  ["a buffer outside of the file", "\x80\x05\x97.", /opcode 0x97, which is unknown or not supported/],
])("a benchmark is refused: %s", async (_, text, message) => {
  expect(await refusal(text)).toMatch(message);
});

test("text that is encoded again and again is a bomb: refused beyond the size of the file", async () => {
  const long = `X\xe8\x03\0\0${"a".repeat(1000)}q\0X\x06\0\0\0latin1q\x01c_codecs\nencode\nq\x02`;
  expect(await refusal(`${long}${"h\x02h\0h\x01\x86R".repeat(100)}.`)).toMatch(
    /more than \d+ bytes, the size of the file; refused/,
  );
});

test("a truncated file is refused wherever it is cut", async () => {
  for (const protocol of [2, 5]) {
    const bytes = fixture("lists", protocol);
    for (const part of [0, 0.1, 0.5, 0.9])
      expect(await refusal(bytes.subarray(0, part * bytes.length))).toMatch(/truncated/);
  }
});

const PAIRS = fc.array(
  fc.record({
    first: fc.uint8Array({ minLength: 1, maxLength: 400 }),
    second: fc.uint8Array({ minLength: 1, maxLength: 4 }),
    flag: fc.boolean(),
  }),
  { maxLength: 6 },
);

test("random benchmarks come back, each image in memory of its own", async () => {
  const path = join(temporaryFolder(), "x.bin");
  const property = fc.asyncProperty(PAIRS, async (pairs) => {
    const images = pairs.flatMap(({ first, second }) => [first, second]);
    const same = pairs.map(({ flag }) => flag);
    await writeFaceBin(path, { images, same });
    const read = await readFaceBin(path);
    expect(read).toEqual({ images, same });
    for (const image of read.images) expect(image.buffer.byteLength).toBe(image.length);
  });
  await fc.assert(property, { seed: SEED, numRuns: 50 });
});

test("an image that the pickle has ten thousand times takes its memory once", async () => {
  const image = `B\x40\x42\x0f\0${"x".repeat(1_000_000)}q\0`;
  const started = process.memoryUsage().arrayBuffers;
  const { images } = await readFaceBin(
    written(`\x80\x04](${image}${"h\0".repeat(9999)}e](${"\x88".repeat(5000)}e\x86.`),
  );
  expect(images[9999]).toBe(images[0]);
  expect(process.memoryUsage().arrayBuffers - started).toBeLessThan(64 * 1024 * 1024);
});

async function* manyImages(count: number) {
  for (let i = 0; i < count; i++) yield Uint8Array.of(i & 255, i >> 8);
}

const hasPython = spawnSync("python3", ["--version"]).status === 0;

test.skipIf(!hasPython)(
  "Python's pickle reads what is written, in lists longer than a batch and images of all lengths",
  async () => {
    const path = join(temporaryFolder(), "x.bin");
    const script =
      "import hashlib, pickle, sys\n" +
      "images, same = pickle.load(open(sys.argv[1], 'rb'), encoding='bytes')\n" +
      "assert type(images) is list and type(same) is list and all(type(x) is bytes for x in images)\n" +
      "assert all(type(x) is bool for x in same)\n" +
      "print(len(images), len(same), sum(same), hashlib.sha256(b''.join(images)).hexdigest()[:8])";
    const python = () => execFileSync("python3", ["-c", script, path], { encoding: "utf8" }).trim();
    await writeFaceBin(path, {
      images: manyImages(5000),
      same: Array.from({ length: 2500 }, (_, i) => i % 3 === 0),
    });
    expect(python()).toMatch(/^5000 2500 834 [0-9a-f]{8}$/);
    await writeFaceBin(path, { images: [new Uint8Array(255), new Uint8Array(70_000)], same: [true] });
    expect(python()).toMatch(/^2 1 1 [0-9a-f]{8}$/);
    await writeFaceBin(path, { images: [], same: [] });
    expect(python()).toMatch(/^0 0 0/);
  },
);

test("a batch boundary: the bytes of 1002 images", async () => {
  const path = join(temporaryFolder(), "x.bin");
  await writeFaceBin(path, { images: manyImages(1002), same: new Array<boolean>(501).fill(false) });
  const bytes = readFileSync(path);
  expect(hex(bytes.subarray(0, 12))).toBe("80045d28" + "43020000" + "43020100");
  expect(hex(bytes.subarray(4 + 4000, 4 + 4000 + 10))).toBe("6528" + "4302e803" + "4302e903");
  expect(hex(bytes.subarray(4 + 4010, 4 + 4010 + 4))).toBe("655d2889");
  expect(hex(bytes.subarray(-4))).toBe("8965862e");
  expect((await readFaceBin(path)).images).toHaveLength(1002);
});

test("a writer refuses images that are no pairs, and the earlier file stays", async () => {
  const folder = temporaryFolder();
  const path = join(folder, "x.bin");
  writeFileSync(path, "earlier");
  const refused = async (images: Uint8Array[]) => {
    const { code, message } = await topofrError(() => writeFaceBin(path, { images, same: [true] }));
    return `${code} ${message.replace(path, "x.bin")}`;
  };
  const image = Uint8Array.of(1);
  expect(await refused([image])).toBe("E_USAGE x.bin: 1 images for 1 flags, expected 2");
  expect(await refused([image, image, image])).toBe(
    "E_USAGE x.bin: more than 2 images for 1 flags, expected 2",
  );
  expect(await refused([image, new Uint8Array(0)])).toBe("E_USAGE x.bin: image 1 has no bytes");
  expect(readFileSync(path, "utf8")).toBe("earlier");
  expect(readdirSync(folder)).toEqual(["x.bin"]);
});

test.each([2, 5])(
  "300 damaged benchmarks of protocol %i are read or refused, never anything else",
  async (protocol) => {
    expect(await refusalsOfCorruptions(fixture("lists", protocol), readFaceBin)).toBeGreaterThan(100);
  },
);
