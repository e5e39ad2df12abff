import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type ExpectedTensor,
  fixturePath,
  hex,
  readFixtureJson,
  refusalsOfCorruptions,
  SEED,
  temporaryFolder,
  tensorEntries,
  topofrError,
} from "./formats.test.helpers.js";
import { decodeNpy, readNpy, writeNpy } from "./npy.js";

const EXPECTED = readFixtureJson<Record<string, ExpectedTensor>>("npy.json");

test.each(Object.keys(EXPECTED))("%s, written by NumPy, is read row-major", async (name) => {
  const { dtype, shape, data } = await readNpy(fixturePath(`${name}.npy`));
  expect({ dtype, shape, hex: hex(data) }).toEqual(EXPECTED[name]);
});

test.each(["npy_f4", "npy_i8", "npy_b1", "npy_scalar", "npy_empty", "npy_vector"])(
  "%s is written with the same bytes as NumPy writes",
  async (name) => {
    const path = join(temporaryFolder(), "x.npy");
    await writeNpy(path, await readNpy(fixturePath(`${name}.npy`)));
    expect(hex(readFileSync(path))).toBe(hex(readFileSync(fixturePath(`${name}.npy`))));
  },
);

test("random arrays come back bit-equal", async () => {
  const path = join(temporaryFolder(), "x.npy");
  await fc.assert(
    fc.asyncProperty(tensorEntries, async (entries) => {
      for (const { dtype, shape, data } of entries) {
        if (dtype === "bfloat16") continue;
        await writeNpy(path, { dtype, shape, data });
        expect(await readNpy(path)).toEqual({ dtype, shape, data });
      }
    }),
    { seed: SEED, numRuns: 50 },
  );
});

function withHeader(header: string, dataBytes: number): Uint8Array<ArrayBuffer> {
  const length = Buffer.alloc(2);
  length.writeUInt16LE(header.length);
  const parts = [
    Buffer.from("\x93NUMPY\x01\0", "latin1"),
    length,
    Buffer.from(header),
    Buffer.alloc(dataBytes),
  ];
  return new Uint8Array(Buffer.concat(parts));
}

test("a header in another order, with Python 2's long sizes, is the same header", () => {
  const bytes = withHeader("{'shape': (2L, 1), 'descr': '|u1', 'fortran_order': True}", 2);
  expect(decodeNpy(bytes, "x")).toEqual({ dtype: "uint8", shape: [2, 1], data: new Uint8Array(2) });
});

test.each([
  ["{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }", /dtype <c8; supported are <f4,/],
  ["{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", /is not one of a plain array/],
  ["{'descr': '<f4', 'fortran_order': 0, 'shape': (1,), }", /is not one of a plain array/],
  ["{'descr': '<f4', 'shape': (1,), }", /is not one of a plain array/],
  ["{'descr': '<f4', 'fortran_order': False, 'shape': (1,, ), }", /is not one of a plain array/],
  ["{'descr': '<f4', 'descr': '<f4', 'shape': (1,), }", /is not one of a plain array/],
  ["{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", /takes 12 bytes of data, the file has 4/],
])("the header %s is refused", async (header, message) => {
  const error = await topofrError(() => decodeNpy(withHeader(header, 4), "x.npy"));
  expect(error.code).toBe("E_FORMAT");
  expect(error.message).toMatch(message);
});

test("big-endian and object arrays are refused; bfloat16 is not written", async () => {
  const big = await topofrError(() => readNpy(fixturePath("bad_big_endian.npy")));
  expect(big.message).toMatch(/dtype >f4; supported are/);
  const object = await topofrError(() => readNpy(fixturePath("bad_object.npy")));
  expect(object.message).toMatch(/dtype \|O; supported are/);
  const array = { dtype: "bfloat16", shape: [1], data: new Uint8Array(2) } as const;
  const path = join(temporaryFolder(), "x.npy");
  expect((await topofrError(() => writeNpy(path, { ...array, shape: [1] }))).code).toBe("E_USAGE");
  writeFileSync(path, "short");
  expect((await topofrError(() => readNpy(path))).message).toMatch(/not a \.npy file, or truncated/);
});

test("300 damaged files are read or refused, never anything else", async () => {
  const original = readFileSync(fixturePath("npy_fortran.npy"));
  expect(await refusalsOfCorruptions(original, readNpy)).toBeGreaterThan(100);
});
