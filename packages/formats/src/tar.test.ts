import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import fc from "fast-check";
import tar from "tar-stream";
import { expect, test } from "vitest";
import { TopofrError } from "./error.js";
import { corruptions, fromHex, SEED, temporaryFolder, topofrError } from "./formats.test.helpers.js";
import { indexTar } from "./tarIndex.js";
import { safeMemberName } from "./tarMemberName.js";
import { TarWriter } from "./tarWriter.js";

const END = new Uint8Array(1024);

interface RawHeader {
  name?: string;
  size?: number | Uint8Array;
  type?: string;
  magic?: string;
  prefix?: string;
  /** Added to the right checksum. */
  wrongBy?: number;
  signed?: boolean;
}

/** A header block, field by field as POSIX lays them out. */
function head({
  name = "a",
  size = 0,
  type = "0",
  magic = "ustar\x0000",
  prefix = "",
  ...sum
}: RawHeader): Buffer {
  const block = Buffer.alloc(512);
  block.write(name, 0);
  block.write("0000644\x000001750\x000001750\0", 100);
  if (typeof size === "number") block.write(`${size.toString(8).padStart(11, "0")}\0`, 124);
  else block.set(size, 124);
  block.write("14524770000\0", 136);
  block.write("        ", 148);
  block.write(type, 156);
  block.write(magic, 257);
  block.write(prefix, 345);
  const bytes = sum.signed ? Array.from(new Int8Array(block)) : [...block];
  const checksum = bytes.reduce((total, byte) => total + byte, 0) + (sum.wrongBy ?? 0);
  block.write(`${checksum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}

function member(content: string, header: RawHeader = {}): Buffer {
  const data = Buffer.from(content);
  const padding = Buffer.alloc((512 - (data.length % 512)) % 512);
  return Buffer.concat([head({ size: data.length, ...header }), data, padding]);
}

function written(...parts: Uint8Array[]): string {
  const path = join(temporaryFolder(), "a.tar");
  writeFileSync(path, Buffer.concat(parts));
  return path;
}

/** Names and contents by the index. */
async function contents(path: string): Promise<[string, string][]> {
  const bytes = readFileSync(path);
  return (await indexTar(path)).map(({ name, offset, length }) => {
    return [name, bytes.toString("utf8", offset, offset + length)];
  });
}

async function refusal(...parts: Uint8Array[]): Promise<string> {
  const error = await topofrError(() => indexTar(written(...parts)));
  expect(error.code).toBe("E_FORMAT");
  return error.message.replace(/^.*a\.tar: /, "");
}

test("regular members of a ustar archive, in its order; folders are left out", async () => {
  const folder = head({ name: "p/", type: "5" });
  const long = member("three", { name: "c.jpg", prefix: `${"p".repeat(150)}/q` });
  const path = written(
    folder,
    member("one", { name: "p/a.jpg" }),
    member("x".repeat(512), { name: "p/b.cls" }),
    long,
    END,
  );
  expect(await contents(path)).toEqual([
    ["p/a.jpg", "one"],
    ["p/b.cls", "x".repeat(512)],
    [`${"p".repeat(150)}/q/c.jpg`, "three"],
  ]);
  expect((await indexTar(path))[0]).toEqual({ name: "p/a.jpg", offset: 1024, length: 3 });
});

test("older archives: no magic, type NUL, a folder by its slash, signed checksums, spaces around numbers", async () => {
  const old = { magic: "", type: "\0" };
  const spaced = { size: Buffer.from("         3 \0") };
  const accented = member("abc", { ...old, name: "é", signed: true });
  const path = written(head({ ...old, name: "p/" }), member("abc", { ...old, ...spaced }), accented, END);
  expect(await contents(path)).toEqual([
    ["a", "abc"],
    ["é", "abc"],
  ]);
});

test("GNU archives: long names, base-256 sizes, and no prefix where they keep times", async () => {
  const gnu = { magic: "ustar  \0" };
  const long = `${"very/".repeat(60)}long.jpg`;
  const base256 = fromHex("80 0000000000000000000003".replace(/ /g, ""));
  const path = written(
    member(`${long}\0`, { ...gnu, type: "L", name: "././@LongLink" }),
    member("one", { ...gnu, name: long.slice(0, 100) }),
    member("two", { ...gnu, name: "b", size: base256, prefix: "14524770000" }),
    member("t", { ...gnu, name: "c", type: "7" }),
    END,
  );
  expect(await contents(path)).toEqual([
    [long, "one"],
    ["b", "two"],
    ["c", "t"],
  ]);
});

test("pax headers: path and size of the next member, and those for all that follow", async () => {
  const path = written(
    member("19 comment=ignored\n", { type: "g" }),
    member("22 path=p/größe.jpg\n13 size=0003\n30 mtime=1700000000.123456789\n", { type: "x" }),
    member("abc", { name: "short", size: 0 }),
    member("d", { name: "b" }),
    END,
  );
  expect(await contents(path)).toEqual([
    ["p/größe.jpg", "abc"],
    ["b", "d"],
  ]);
});

test("./ and doubled slashes are taken out of names; a name that occurs twice is listed twice", async () => {
  const path = written(member("1", { name: "./a//b" }), member("2", { name: "a/b" }), END);
  expect(await contents(path)).toEqual([
    ["a/b", "1"],
    ["a/b", "2"],
  ]);
});

test("an archive without members is empty", async () => {
  expect(await contents(written(END))).toEqual([]);
});

test.each([
  ["/etc/passwd", /member "\/etc\/passwd" has an absolute path; refused/],
  ["a/../../b", /leaves its folder by ".."/],
  ["..", /leaves its folder by ".."/],
  ["a\\..\\..\\b", /leaves its folder by ".."/],
  ["\\\\server\\share", /has an absolute path/],
  ["C:\\x", /has a drive letter/],
  ["c:x", /has a drive letter/],
  ["a\0b", /has a NUL in its name/],
  ["", /has no name/],
  ["./", /has no name/],
])("the name %j is refused", async (name, message) => {
  const error = await topofrError(() => safeMemberName(name, "a.tar"));
  expect(error.code).toBe("E_FORMAT");
  expect(error.message).toMatch(message);
});

test("names that only look odd are kept", () => {
  for (const name of ["a..b", "..a/b.", "a b/ü", "-", "ab:c"]) expect(safeMemberName(name)).toBe(name);
});

test("a member that would leave its folder is refused, from every place that names have", async () => {
  const unsafe = /^member "\.\.\/x" leaves its folder by "\.\."; refused$/;
  expect(await refusal(member("1", { name: "../x" }), END)).toMatch(unsafe);
  expect(await refusal(member("x", { name: "x", prefix: ".." }), END)).toMatch(unsafe);
  expect(await refusal(member("13 path=../x\n", { type: "x" }), member("1"), END)).toMatch(unsafe);
  expect(await refusal(member("13 path=../x\n", { type: "g" }), member("1"), END)).toMatch(unsafe);
  expect(await refusal(member("../x\0", { type: "L" }), member("1"), END)).toMatch(unsafe);
});

test.each([
  ["1", /member "a" at byte 512: is a hard link, and only regular files can be read; pack it again/],
  ["2", /is a symbolic link/],
  ["3", /is a device/],
  ["6", /is a pipe/],
  ["S", /is a sparse file/],
  ["V", /is of type "V"/],
])("a member of type %s is refused", async (type, message) => {
  expect(await refusal(head({}), head({ type }), END)).toMatch(message);
});

test("damage is named with member and byte", async () => {
  const good = member("one");
  expect(await refusal(good, head({ wrongBy: 1 }), END)).toMatch(
    /^header at byte 1024: checksum \d+, expected \d+; the file is damaged/,
  );
  expect(await refusal(Buffer.from("\x1f\x8b compressed".padEnd(2048, "x"), "latin1"))).toMatch(
    /^header at byte 0: checksum unreadable, .* compressed \(unpack it by gzip -d\)/,
  );
  expect(await refusal(good, head({ name: "big", size: 5000 }), END)).toMatch(
    /^member "big" at byte 1024: its 5000 bytes begin at byte 1536, the file ends at byte 2560; it is truncated$/,
  );
  expect(await refusal(head({ size: Buffer.from("9999999999\0") }), END)).toMatch(/the size is not a number/);
  expect(await refusal(head({ size: fromHex("ffffffffffffffffffffffff") }), END)).toMatch(
    /the size is not a number/,
  );
  expect(await refusal(head({ size: fromHex("80ffffffffffffffffffffff") }), END)).toMatch(
    /the size is not a number/,
  );
});

test("a truncated archive is refused wherever it is cut", async () => {
  const whole = Buffer.concat([member("one"), member("two", { name: "b" }), END]);
  for (const length of [0, 100, 512, 513, 1024, 1500, 1536, 2047, 2048, 2500])
    expect(await refusal(whole.subarray(0, length))).toMatch(/truncated/);
  expect(await refusal(whole.subarray(0, 2048))).toMatch(
    /^the file ends at byte 2048, behind 2 members and without/,
  );
  expect(await contents(written(whole.subarray(0, 2560)))).toHaveLength(2);
});

test("archives that were joined by cat are refused, zeros behind the end are not", async () => {
  const whole = Buffer.concat([member("one"), END]);
  expect(await refusal(whole, whole)).toMatch(
    /^data at byte 2048, behind the archive's end mark \(byte 1024\); join/,
  );
  expect(await contents(written(whole, new Uint8Array(10_000)))).toHaveLength(1);
});

test("extended headers that are too large, truncated or malformed are refused", async () => {
  const pax = (records: string) => refusal(member(records, { type: "x" }), member("1"), END);
  expect(await refusal(head({ type: "x", size: 2 ** 30 }), END)).toMatch(
    /extended header of 1073741824 bytes, at most 1048576/,
  );
  expect(await refusal(head({ type: "L", size: 5000 }), END)).toMatch(
    /extended header of 5000 bytes, the file ends at byte 1536/,
  );
  expect(await pax("9 path=x\n ")).toMatch(/pax header with a malformed record at its byte 9/);
  expect(await pax("99 path=x\n")).toMatch(/malformed record at its byte 0/);
  expect(await pax("x path=x\n")).toMatch(/malformed record at its byte 0/);
  expect(await pax("0 path=x\n")).toMatch(/malformed record at its byte 0/);
  expect(await pax("9 path=xy")).toMatch(/malformed record at its byte 0/);
  expect(await pax("8 pathx\n")).toMatch(/malformed record at its byte 0/);
  expect(await pax("11 size=-1\n")).toMatch(/pax header with size "-1", expected a number of bytes/);
  expect(await pax("22 GNU.sparse.major=1\n")).toMatch(/is a sparse file/);
});

test("progress is reported for large archives", async () => {
  const large = 20 * 1024 * 1024;
  const path = written(head({ size: large }), new Uint8Array(large), member("b", { name: "b" }), END);
  const progress: number[] = [];
  await indexTar(path, { onProgress: (done, total) => progress.push(done / total) });
  expect(progress).toHaveLength(2);
  expect(progress[0]).toBeGreaterThan(0.99);
  expect(progress[1]).toBe(1);
});

test("tar-stream's archives are read", async () => {
  const pack = tar.pack();
  const names = ["a.jpg", `${"d/".repeat(70)}b.jpg`, "ü/c.jpg", "n".repeat(300)];
  for (const name of names) pack.entry({ name }, name);
  pack.finalize();
  expect(await contents(written(await buffer(pack)))).toEqual(names.map((name) => [name, name]));
});

/** Names and contents as tar-stream reads them. */
async function byTarStream(path: string): Promise<[string, string][]> {
  const members: [string, string][] = [];
  const extract = Readable.from([readFileSync(path)]).pipe(tar.extract());
  for await (const entry of extract) members.push([entry.header.name, (await buffer(entry)).toString()]);
  return members;
}

const AWKWARD_NAMES = [
  "a.jpg",
  "p/ü.jpg",
  "n".repeat(100),
  "n".repeat(101),
  `${"d/".repeat(120)}x`,
  `${"日本/".repeat(40)}x`,
];

async function writeAwkward(path: string): Promise<[string, string][]> {
  const members = AWKWARD_NAMES.map((name, i): [string, string] => [name, "x".repeat(i * 256)]);
  const writer = await TarWriter.open(path);
  for (const [name, content] of members) await writer.add(name, Buffer.from(content));
  await writer.close();
  return members;
}

test("what is written is read by us and by tar-stream", async () => {
  const folder = temporaryFolder();
  const path = join(folder, "a.tar");
  const members = await writeAwkward(path);
  expect(await contents(path)).toEqual(members);
  expect(await byTarStream(path)).toEqual(members);
  expect(readdirSync(folder)).toEqual(["a.tar"]);
});

const has = (command: string) => spawnSync(command, ["--version"]).status === 0;

test.skipIf(!has("tar"))("what is written is unpacked by tar(1) without a word", async () => {
  const folder = temporaryFolder();
  const members = await writeAwkward(join(folder, "a.tar"));
  const { stderr, status } = spawnSync("tar", ["-xf", "a.tar"], { cwd: folder, encoding: "utf8" });
  expect({ stderr, status }).toEqual({ stderr: "", status: 0 });
  for (const [name, content] of members) expect(readFileSync(join(folder, name), "utf8")).toBe(content);
});

test.skipIf(!has("python3"))("what is written is read by Python's tarfile", async () => {
  const path = join(temporaryFolder(), "a.tar");
  const members = await writeAwkward(path);
  const script =
    "import json, sys, tarfile\n" +
    "a = tarfile.open(sys.argv[1])\n" +
    "print(json.dumps([[m.name, a.extractfile(m).read().decode()] for m in a]))";
  expect(JSON.parse(execFileSync("python3", ["-c", script, path], { encoding: "utf8" }))).toEqual(members);
});

test("a header is the same bytes as POSIX lays them out", async () => {
  const path = join(temporaryFolder(), "a.tar");
  const writer = await TarWriter.open(path);
  await writer.add("./a.jpg", Buffer.from("one"));
  await writer.close();
  const expected = member("one", { name: "a.jpg" });
  expected.write("0000000\x000000000\x00", 108); // owner
  expected.write("00000000000\0", 136); // time
  expected.write("        ", 148);
  const checksum = expected.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  expected.write(`${checksum.toString(8).padStart(6, "0")}\0 `, 148);
  expect(readFileSync(path).equals(Buffer.concat([expected, END]))).toBe(true);
});

test("a writer refuses unsafe names and names that it has had, and abort leaves the earlier file", async () => {
  const folder = temporaryFolder();
  const path = join(folder, "a.tar");
  writeFileSync(path, "earlier");
  const writer = await TarWriter.open(path);
  await writer.add("a/b", new Uint8Array(3));
  const refused = async (name: string) =>
    (await topofrError(() => writer.add(name, new Uint8Array(1)))).message;
  expect(await refused("a//b")).toMatch(/member "a\/\/b" was added before/);
  expect(await refused("../b")).toMatch(/member "\.\.\/b" leaves its folder/);
  await writer.abort();
  expect((await topofrError(() => writer.close())).code).toBe("E_USAGE");
  expect(readFileSync(path, "utf8")).toBe("earlier");
  expect(readdirSync(folder)).toEqual(["a.tar"]);
});

/** Sets the checksum of the first header right, so that damage behind it is reached. */
function withChecksum(bytes: Uint8Array): Uint8Array {
  const copy = Buffer.from(bytes);
  if (copy.length < 512) return copy;
  copy.write("        ", 148);
  const checksum = copy.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  copy.write(`${checksum.toString(8).padStart(6, "0")}\0 `, 148);
  return copy;
}

test("800 damaged archives are listed or refused, never anything else", async () => {
  const original = Buffer.concat([member("12 path=p/x\n13 size=0003\n", { type: "x" }), member("abc"), END]);
  const path = written(original);
  let refused = 0;
  const bytes = fc.tuple(corruptions(original), fc.boolean()).map(([damaged, fix]) => {
    return fix ? withChecksum(damaged) : damaged;
  });
  const property = fc.asyncProperty(bytes, async (damaged) => {
    writeFileSync(path, damaged);
    try {
      for (const { offset, length } of await indexTar(path))
        expect(offset + length).toBeLessThanOrEqual(damaged.length);
    } catch (error) {
      if (!(error instanceof TopofrError) || error.code !== "E_FORMAT") throw error;
      refused++;
    }
  });
  await fc.assert(property, { seed: SEED, numRuns: 800 });
  expect(refused).toBeGreaterThan(300);
});
