import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { expect, test } from "vitest";
import {
  type ExpectedTensor,
  fixturePath,
  hex,
  readFixtureJson,
  refusalsOfCorruptions,
  temporaryFolder,
  topofrError,
} from "./formats.test.helpers.js";
import { readStateDict } from "./stateDict.js";

async function refusal(path: string, options = {}): Promise<string> {
  const error = await topofrError(() => readStateDict(path, options));
  expect(error.code).toBe("E_FORMAT");
  return error.message;
}

test.each([
  ["module.pt", "module.json"],
  ["module_protocol4.pt", "module.json"],
  ["module_nested.pt", "module.json"],
  ["module_legacy.pt", "module.json"],
  ["module_legacy_protocol4.pt", "module.json"],
  ["dtypes.pt", "dtypes.json"],
  ["dtypes_legacy.pt", "dtypes.json"],
  ["views.pt", "views.json"],
  ["views_legacy.pt", "views.json"],
])("%s, written by PyTorch 1.13, is read bit for bit", async (name, expected) => {
  const entries = await readStateDict(fixturePath(name));
  const found = entries.map(({ name, dtype, shape, data }) => ({ name, dtype, shape, hex: hex(data) }));
  expect(found).toEqual(readFixtureJson<ExpectedTensor[]>(expected));
});

test("tensors of one storage do not share memory", async () => {
  const entries = await readStateDict(fixturePath("views.pt"));
  const buffers = entries.map((entry) => entry.data.buffer);
  expect(new Set(buffers).size).toBe(buffers.length);
  expect(entries.every(({ data }) => data.byteOffset === 0)).toBe(true);
});

test("a checkpoint with backbone and head gives the backbone, or what the option key says", async () => {
  const path = fixturePath("backbone_and_head.pt");
  const names = (await readStateDict(path)).map((entry) => entry.name);
  expect(names).toEqual(readFixtureJson<{ name: string }[]>("module.json").map((entry) => entry.name));
  const head = await readStateDict(path, { key: "state_dict_softmax_fc" });
  expect(head.map(({ name, dtype, shape, data }) => ({ name, dtype, shape, hex: hex(data) }))).toEqual(
    readFixtureJson<ExpectedTensor[]>("backbone_and_head.json"),
  );
  expect(await refusal(path, { key: "optimizer" })).toBe(
    `${path}: no state_dict under the key "optimizer"; the file has epoch (number), state_dict_backbone (dict of 7), ` +
      "state_dict_softmax_fc (dict of 1)",
  );
});

test("a pickle that would run a command is refused and the command is named", async () => {
  for (const name of ["malicious.pt", "malicious_legacy.pt"]) {
    expect(await refusal(fixturePath(name))).toBe(
      `${fixturePath(name)}: pickle asks for the Python global posix.system, which is not on the allow-list; refused ` +
        "(a state_dict needs none; in Python, save model.state_dict())",
    );
  }
});

test.each([
  [
    "whole_module.pt",
    /Python global torch\.nn\.modules\.container\.Sequential, .* save model\.state_dict\(\)/,
  ],
  ["torchscript.pt", /a TorchScript archive; save torch\.jit\.load\(path\)\.state_dict\(\)/],
  [
    "no_state_dict.pt",
    /under state_dict, model, state_dict_backbone; the file has epoch \(number\), best \(number\)$/,
  ],
  ["int16.pt", /tensor "x": dtype int16 is not supported; convert it in Python to one of float32, /],
  ["npy_f4.npy", /neither of the two formats of torch\.save \(it starts with 934e554d\)/],
])("%s is refused with the way out", async (name, message) => {
  expect(await refusal(fixturePath(name))).toMatch(message);
});

/** A stored record of a zip archive, or a whole archive: written by hand, so that it can lie. */
interface Record {
  name: string;
  data: Uint8Array;
  crc?: number;
  size?: number;
  method?: number;
}

function zip(records: Record[]): Uint8Array {
  const locals: Buffer[] = [];
  const central: Buffer[] = [];
  let position = 0;
  for (const { name, data, crc = crc32(data), size = data.length, method = 0 } of records) {
    const fields = Buffer.alloc(26); // version … extra length, common to both headers
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(method, 4);
    fields.writeUInt32LE(crc, 10);
    fields.writeUInt32LE(size, 14);
    fields.writeUInt32LE(size, 18);
    fields.writeUInt16LE(name.length, 22);
    const at = Buffer.alloc(4);
    at.writeUInt32LE(position);
    const local = Buffer.concat([Buffer.from("PK\x03\x04"), fields, Buffer.from(name), data]);
    central.push(
      Buffer.concat([
        Buffer.from("PK\x01\x02"),
        Buffer.of(20, 0),
        fields,
        Buffer.alloc(10),
        at,
        Buffer.from(name),
      ]),
    );
    locals.push(local);
    position += local.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06");
  end.writeUInt16LE(records.length, 8);
  end.writeUInt16LE(records.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(position, 16);
  return Buffer.concat([...locals, directory, end]);
}

/** The pickle of {"x": tensor of `shape` and `strides` at `offset` in a FloatStorage of `numel`}, protocol 0 style. */
function tensorPickle(numel: number, offset: number, shape: number[], strides: number[]): Uint8Array {
  const ints = (values: number[]) => `(${values.map((value) => `L${value}L\n`).join("")}t`;
  const storage = `(S'storage'\nctorch\nFloatStorage\nS'0'\nS'cpu'\nL${numel}L\ntQ`;
  const args = `(${storage}L${offset}L\n${ints(shape)}${ints(strides)}I00\nNt`;
  return Buffer.from(`(S'x'\nctorch._utils\n_rebuild_tensor_v2\n${args}Rd.`, "latin1");
}

async function refusalOfRecords(records: Record[]): Promise<string> {
  const path = join(temporaryFolder(), "x.pt");
  writeFileSync(path, zip(records));
  return (await refusal(path)).slice(path.length + 2);
}

const storage = (bytes: number): Record => ({ name: "a/data/0", data: new Uint8Array(bytes) });
const pickle = (data: Uint8Array): Record => ({ name: "a/data.pkl", data });

test("the hand-written archive of these tests is a good one when it does not lie", async () => {
  const path = join(temporaryFolder(), "x.pt");
  const data = new Uint8Array(Float32Array.of(1, 2, 3, 4, 5, 6).buffer);
  writeFileSync(path, zip([pickle(tensorPickle(6, 0, [3, 2], [1, 3])), { name: "a/data/0", data }]));
  const [entry] = await readStateDict(path);
  expect([...new Float32Array(entry!.data.buffer as ArrayBuffer)]).toEqual([1, 4, 2, 5, 3, 6]);
});

test.each([
  ["past the storage", tensorPickle(6, 1, [3, 2], [1, 3]), /needs 7 elements, its storage has 6$/],
  [
    "huge stride",
    tensorPickle(6, 0, [2], [2 ** 53 - 1]),
    /needs 9007199254740992 elements, its storage has 6$/,
  ],
  ["expanded", tensorPickle(6, 0, [2 ** 40], [0]), /more than 8 times the file; refused/],
  [
    "expanded beyond numbers",
    tensorPickle(6, 0, new Array(64).fill(2 ** 50), new Array(64).fill(0)),
    /refused/,
  ],
  ["rank", tensorPickle(6, 0, new Array(65).fill(1), new Array(65).fill(1)), /65 dimensions and 65 strides/],
  ["strides missing", tensorPickle(6, 0, [3, 2], [1]), /2 dimensions and 1 strides/],
  ["negative", tensorPickle(6, 0, [-3], [1]), /the size is not a tuple of counts/],
  ["negative offset", tensorPickle(6, -1, [3], [1]), /the offset is not a count/],
  [
    "other storage size",
    tensorPickle(5, 0, [5], [1]),
    /record a\/data\/0 has 24 bytes, 5 elements of float32 take 20/,
  ],
])("a tensor that does not fit its storage is refused: %s", async (_, bytes, message) => {
  expect(await refusalOfRecords([pickle(bytes), storage(24)])).toMatch(message);
});

test("an archive that lies about its records is refused", async () => {
  const good = pickle(tensorPickle(6, 0, [6], [1]));
  expect(await refusalOfRecords([good])).toMatch(/record a\/data\/0 is missing/);
  expect(await refusalOfRecords([good, { ...storage(24), crc: 1 }])).toMatch(
    /record a\/data\/0 \(24 bytes at byte \d+\) does not match its checksum; the file is damaged/,
  );
  expect(await refusalOfRecords([good, { ...storage(24), size: 1e9 }])).toMatch(
    /announce \d+ bytes, the file has/,
  );
  expect(await refusalOfRecords([good, { ...storage(24), method: 8 }])).toMatch(/is compressed or encrypted/);
  expect(await refusalOfRecords([good, good])).toMatch(/is in the zip archive twice/);
  expect(await refusalOfRecords([storage(24)])).toMatch(/with 0 records named \*\/data\.pkl/);
  const bigEndian = { name: "a/byteorder", data: Buffer.from("big") };
  expect(await refusalOfRecords([good, storage(24), bigEndian])).toMatch(
    /byte order "big", only "little" is supported/,
  );
});

test("a truncated file of either format says so", async () => {
  const path = join(temporaryFolder(), "x.pt");
  for (const name of ["module.pt", "module_legacy.pt"]) {
    const bytes = readFileSync(fixturePath(name));
    for (const part of [0.3, 0.9]) {
      writeFileSync(path, bytes.subarray(0, bytes.length * part));
      expect(await refusal(path)).toMatch(/truncated/);
    }
  }
});

test("an empty file is refused", async () => {
  const path = join(temporaryFolder(), "x.pt");
  writeFileSync(path, "");
  expect(await refusal(path)).toMatch(/it starts with nothing/);
});

test.each(["module.pt", "views.pt", "module_nested.pt", "module_legacy.pt", "views_legacy.pt"])(
  "300 damaged copies of %s are read or refused, never anything else",
  async (name) => {
    expect(await refusalsOfCorruptions(readFileSync(fixturePath(name)), readStateDict)).toBeGreaterThan(100);
  },
);
