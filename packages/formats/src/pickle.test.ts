import fc from "fast-check";
import { expect, test } from "vitest";
import { TopofrError } from "./error.js";
import { corruptions, readFixtureJson, SEED } from "./formats.test.helpers.js";
import { GlobalReference, type PickleGlobal, type UnpickleOptions, unpickle, unpickleAt } from "./pickle.js";

// pickles.json: the same value by CPython's pickle.dumps in protocols 0, 1, 2, …
const FIXTURES = readFixtureJson<Record<"plain" | "sets" | "ordered" | "numpy", string[]>>("pickles.json");
const pickles = (name: keyof typeof FIXTURES) =>
  FIXTURES[name].map((text) => new Uint8Array(Buffer.from(text, "base64")));

const ORDERED_DICT: PickleGlobal = {
  construct: (args) => new Map((args[0] as [unknown, unknown][] | undefined) ?? []),
  build: (instance, state) => void Object.assign(instance as object, { state }),
};
// bytes in protocols 0 to 2 are _codecs.encode(text, "latin1"), and b"" is bytes().
const BYTES: [string, PickleGlobal][] = [
  ["_codecs encode", { construct: ([text]) => new Uint8Array(Buffer.from(text as string, "latin1")) }],
  ["__builtin__ bytes", { construct: () => new Uint8Array(0) }],
];

function load(bytes: Uint8Array, options: Partial<UnpickleOptions> = {}): unknown {
  return unpickle(bytes, { source: "x.pkl", globals: new Map(), ...options });
}

function refusal(bytes: Uint8Array | string, options: Partial<UnpickleOptions> = {}): string {
  try {
    load(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes, options);
  } catch (error) {
    if (error instanceof TopofrError && error.code === "E_FORMAT") return error.message;
    throw error;
  }
  throw new Error("did not throw");
}

test.each([0, 1, 2, 3, 4, 5])("plain values of protocol %i come out as CPython put them in", (protocol) => {
  const value = load(pickles("plain")[protocol]!, { globals: new Map(BYTES) }) as Map<string, unknown>;
  expect(value.get("none")).toBeNull();
  expect(value.get("booleans")).toEqual([true, false]);
  expect(value.get("integers")).toEqual([
    ...[0, 1, 255, 256, 65535, 65536, -1, -(2 ** 31), 2 ** 31],
    ...[2n ** 53n, 2n ** 70n, -(2n ** 70n), 0x1950a86a20f9469cfc6cn],
  ]);
  expect(value.get("floats")).toEqual([0.5, -1e300, Infinity, 5e-324]);
  expect(value.get("text")).toEqual(["", "plain", "é", "日本", "😀", "a\\b\nc'\"", "\0", "x".repeat(300)]);
  expect(value.get("bytes")).toEqual([
    new Uint8Array(0),
    Uint8Array.of(0, 255),
    new Uint8Array(300).fill(0x79),
  ]);
  const tuples = value.get("tuples") as unknown[];
  expect(tuples).toEqual([[], [1], [1, 2], [1, 2, 3], [1, 2, 3, 4]]);
  expect(tuples.every(Object.isFrozen)).toBe(true);
  const [first, second] = value.get("shared") as unknown[];
  expect(first).toEqual(["shared"]);
  expect(second).toBe(first);
  expect(value.get("many")).toEqual(new Array(1001).fill(0));
  const dict = value.get("dict") as Map<unknown, unknown>;
  expect([...dict]).toEqual([
    ["__proto__", 1],
    ["constructor", 2],
    [3, "three"],
  ]);
});

test.each([0, 1])("sets of protocol 4 and up become Sets (case %i)", (i) => {
  const value = load(pickles("sets")[i]!) as Map<string, Set<unknown>>;
  expect(value.get("set")).toEqual(new Set([1, 2]));
  expect(value.get("frozenset")).toEqual(new Set(["a"]));
});

test.each([0, 1, 2, 3, 4, 5])(
  "an OrderedDict with attributes is built by its handler, protocol %i",
  (protocol) => {
    const globals = new Map([["collections OrderedDict", ORDERED_DICT]]);
    const value = load(pickles("ordered")[protocol]!, { globals }) as Map<string, unknown> & {
      state: Map<string, unknown>;
    };
    expect([...value]).toEqual([
      ["a", 1],
      ["b", 2],
    ]);
    expect(value.state.get("_metadata")).toEqual(new Map([["", new Map([["version", 1]])]]));
  },
);

test.each([0, 1, 2, 3, 4])(
  "a NumPy array is rebuilt by handlers outside of the unpickler, protocol %i",
  (protocol) => {
    class NumpyArray {
      state: readonly unknown[] = [];
    }
    const globals = new Map<string, PickleGlobal>([
      ...BYTES,
      [
        "numpy.core.multiarray _reconstruct",
        {
          construct: () => new NumpyArray(),
          build: (array, state) => {
            (array as NumpyArray).state = state as unknown[];
          },
        },
      ],
      ["numpy ndarray", {}],
      ["numpy dtype", { construct: ([name]) => ({ name }), build: () => undefined }],
    ]);
    const { state } = load(pickles("numpy")[protocol]!, { globals }) as NumpyArray;
    const [version, shape, dtype, isFortran, data] = state;
    expect([version, shape, isFortran]).toEqual([1, [6], false]);
    expect(dtype).toEqual({ name: "u1" });
    expect(data).toEqual(Uint8Array.of(0, 1, 2, 3, 4, 5));
  },
);

test("opcodes that today's pickler does not write are read too", () => {
  const cases: [string, unknown][] = [
    ["S'a\\x41\\101\\n\\''\n.", "aAA\n'"],
    ['S"q"\n.', "q"],
    ["U\x03abc.", "abc"],
    ["T\x03\0\0\0abc.", "abc"],
    ["L123L\n.", 123],
    ["F1e3\n.", 1000],
    ["F-inf\n.", -Infinity],
    ["\x8b\x02\0\0\0\xff\xff.", -1],
    ["\x8a\0.", 0],
    ["(K\x01K\x02l.", [1, 2]],
    ["(K\x01K\x02d.", new Map([[1, 2]])],
    ["K\x01K\x020.", 1],
    ["K\x01(K\x021.", 1],
    ["K\x01(0.", 1],
    ["K\x012\x86.", [1, 1]],
    ["\x8d\x01\0\0\0\0\0\0\0a.", "a"],
    ["\x8e\x01\0\0\0\0\0\0\0a.", Uint8Array.of(97)],
    ["\x96\x01\0\0\0\0\0\0\0a.", Uint8Array.of(97)],
  ];
  for (const [text, value] of cases) expect(load(Buffer.from(text, "latin1")), text).toEqual(value);
  expect(load(Buffer.from("U\x02\xff\0.", "latin1"), { python2Strings: "bytes" })).toEqual(
    Uint8Array.of(255, 0),
  );
});

test("INST, OBJ, NEWOBJ and NEWOBJ_EX call the handler with the arguments as a tuple", () => {
  const globals = new Map([["m C", { construct: (args: readonly unknown[]) => ({ args }) }]]);
  const expected = { args: [1, 2] };
  for (const text of [
    "(K\x01K\x02im\nC\n.",
    "(cm\nC\nK\x01K\x02o.",
    "cm\nC\nK\x01K\x02\x86R.",
    "cm\nC\nK\x01K\x02\x86\x81.",
    "cm\nC\nK\x01K\x02\x86}\x92.",
    "\x8c\x01m\x8c\x01C\x93K\x01K\x02\x86R.",
  ]) {
    expect(load(Buffer.from(text, "latin1"), { globals }), text).toEqual(expected);
  }
});

test("persistent ids of both forms go to the caller", () => {
  const persistentLoad = (id: unknown) => ({ id });
  expect(load(Buffer.from("Pabc\n."), { persistentLoad })).toEqual({ id: "abc" });
  expect(load(Buffer.from("K\x05Q."), { persistentLoad })).toEqual({ id: 5 });
});

test("a pickle that follows another is read from where the first ends", () => {
  const bytes = Buffer.from("K\x01.K\x02.");
  const options = { source: "x", globals: new Map() };
  const first = unpickleAt(bytes, 0, options);
  expect(first).toEqual({ value: 1, end: 3 });
  expect(unpickleAt(bytes, first.end, options)).toEqual({ value: 2, end: 6 });
});

test("a global that is not on the list is refused and named", () => {
  const expected =
    "x.pkl: pickle asks for the Python global os.system, which is not on the allow-list; refused";
  expect(refusal("cos\nsystem\n(S'true'\ntR.")).toBe(expected);
  expect(refusal("\x8c\x02os\x8c\x06system\x93.")).toBe(expected);
  expect(refusal("(ios\nsystem\n.")).toBe(expected);
  expect(refusal("cos\nsystem\n.", { refusalHint: "(why)" })).toBe(`${expected} (why)`);
  expect(refusal("cos\x1b[31m\nx\n.")).toContain("os\\u001b[31m.x");
});

test("a global that may only be named is not called, and an object that takes no state gets none", () => {
  const globals = new Map<string, PickleGlobal>([
    ["m NAME", {}],
    ["m C", { construct: () => ({}) }],
  ]);
  expect(load(Buffer.from("cm\nNAME\n."), { globals })).toBeInstanceOf(GlobalReference);
  expect(refusal("cm\nNAME\n)R.", { globals })).toMatch(
    /calls m\.NAME, which may only be named; refused \(byte 9/,
  );
  expect(refusal("cm\nC\n)R}b.", { globals })).toMatch(/sets the state of an object that takes none/);
  expect(refusal("}}b.")).toMatch(/sets the state of an object that takes none/);
  expect(refusal("]]R.")).toMatch(/calls something that is no global/);
  expect(refusal("cm\nC\n]R.", { globals })).toMatch(/without a tuple of arguments/);
  expect(refusal("cm\nC\n)}K\x01K\x01s\x92.", { globals })).toMatch(/keyword arguments; refused/);
  expect(refusal("K\x01Q.")).toMatch(/refers to an object outside of it/);
});

test("what a handler throws is reported with the global and the byte", () => {
  const fail = () => {
    throw new Error("expected a shape");
  };
  const globals = new Map([["m C", { construct: fail }]]);
  expect(refusal("cm\nC\n)R.", { globals })).toBe(
    "x.pkl: pickle has a bad call of m.C: expected a shape (byte 6 of the pickle)",
  );
});

test.each([
  ["", /ends at byte 0, 1 more were announced; the file is truncated/],
  ["K", /ends at byte 1/],
  ["X\x05\0\0\0ab", /ends at byte 7, 5 more were announced/],
  ["\x8d\xff\xff\xff\xff\xff\xff\xff\xffa.", /ends at byte 11, 18446744073709552000 more/],
  ["cos", /ends inside a line/],
  [".", /uses an empty stack/],
  ["(.", /uses an empty stack/],
  ["K\x01(a.", /uses an empty stack/],
  ["t.", /closes a container that was never opened/],
  ["h\x07.", /uses memo 7, which was never set/],
  ["]q\x01K\x01K\x02s.", /uses an empty stack|no dict/],
  [")K\x01a.", /appends to something that is no list/],
  ["}(K\x01u.", /a key that has no value/],
  ["](K\x01\x90.", /no set/],
  ["X\x01\0\0\0\xff.", /not UTF-8/],
  ["\x80\x06.", /has protocol 6; at most 5/],
  ["\x95\xff\0\0\0\0\0\0\0N.", /announces a frame of 255 bytes, 2 are left/],
  ["I12x\n.", /malformed or oversized integer/],
  [`L${"9".repeat(2000)}\n.`, /malformed or oversized integer/],
  ["\x8b\xff\xff\xff\x7f.", /an integer of 2147483647 bytes/],
  ["F1.0.0\n.", /malformed number/],
  ["S'a\n.", /malformed quoted string/],
  ["S'\\q'\n.", /malformed quoted string/],
  ["V\\u12\n.", /malformed escape/],
  ["V\\Uffffffff\n.", /malformed escape/],
  ["\x82\x01.", /opcode 0x82, which is unknown or not supported \(byte 0 of the pickle\)/],
  ["\x97.", /opcode 0x97/],
  ["(".repeat(1001), /nests more than 1000 deep/],
])("a malformed pickle is refused: case %#", (text, message) => {
  expect(refusal(text)).toMatch(message);
});

test("the number of operations is bounded", () => {
  expect(refusal(new Uint8Array(5_000_001).fill(0x4e))).toMatch(/more than 5000000 operations; refused/);
});

test("300 damaged pickles of each protocol are read or refused, never anything else", () => {
  for (const original of pickles("plain")) {
    let refused = 0;
    fc.assert(
      fc.property(corruptions(original), (bytes) => {
        try {
          load(bytes, { globals: new Map(BYTES) });
        } catch (error) {
          if (!(error instanceof TopofrError) || error.code !== "E_FORMAT") throw error;
          refused++;
        }
      }),
      { seed: SEED, numRuns: 300 },
    );
    expect(refused).toBeGreaterThan(50);
  }
});
