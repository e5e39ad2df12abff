// ONNX files: bytes written out by hand from onnx.proto, there and back, and what is refused.
import fc from "fast-check";
import { expect, test } from "vitest";
import { TopofrError } from "./error.js";
import { decodeOnnx, encodeOnnx, type OnnxFile } from "./onnx.js";

const file: OnnxFile = {
  irVersion: 8,
  opset: 17,
  producer: "p",
  producerVersion: "1",
  graph: {
    name: "g",
    nodes: [
      {
        name: "a",
        op: "Conv",
        inputs: ["x", "w"],
        outputs: ["y"],
        attributes: { pads: [1, 0], group: 2, e: { float: 0.5 } },
      },
    ],
    weights: [
      { name: "w", dtype: "float32", shape: [1, 2], data: Uint8Array.of(0, 0, 128, 63, 0, 0, 0, 64) },
    ],
    inputs: [{ name: "x", dtype: "float32", shape: ["N", 3] }],
    outputs: [{ name: "y", dtype: "float16", shape: null }],
  },
  metadata: { k: "v" },
};

// Tag = 8 * field number + wire type (0 varint, 2 bytes, 5 four bytes). Field numbers: onnx.proto.
const bytes = (field: number, ...content: (number | number[])[]): number[] => {
  const flat = content.flat();
  return [8 * field + 2, flat.length, ...flat];
};
const text = (field: number, value: string) => bytes(field, [...Buffer.from(value)]);
const integer = (field: number, value: number) =>
  field < 16 ? [8 * field, value] : [((8 * field) % 128) | 128, 1, value];
const tensorType = (code: number, ...shape: number[]) => bytes(2, bytes(1, integer(1, code), shape));
const golden = [
  integer(1, 8),
  text(2, "p"),
  text(3, "1"),
  bytes(
    7,
    bytes(
      1,
      [text(1, "x"), text(1, "w"), text(2, "y"), text(3, "a"), text(4, "Conv")].flat(),
      bytes(5, text(1, "pads"), bytes(8, 1, 0), integer(20, 7)),
      bytes(5, text(1, "group"), integer(3, 2), integer(20, 2)),
      bytes(5, text(1, "e"), [8 * 2 + 5, 0, 0, 0, 63], integer(20, 1)),
    ),
    text(2, "g"),
    bytes(5, bytes(1, 1, 2), integer(2, 1), text(8, "w"), bytes(9, 0, 0, 128, 63, 0, 0, 0, 64)),
    bytes(11, text(1, "x"), tensorType(1, ...bytes(2, bytes(1, text(2, "N")), bytes(1, integer(1, 3))))),
    bytes(12, text(1, "y"), tensorType(10)),
  ),
  bytes(8, integer(2, 17)), // the domain "" is left out
  bytes(14, text(1, "k"), text(2, "v")),
].flat();

test("a model comes to the bytes of onnx.proto", () => {
  expect([...encodeOnnx(file)]).toEqual(golden);
});

test("what is written is read again", () => {
  expect(JSON.stringify(decodeOnnx(Uint8Array.from(golden), "m.onnx"))).toBe(JSON.stringify(file));
});

test("numbers that are not packed, as protobuf 2 writes them, are read too", () => {
  const dims = [...integer(1, 1), ...integer(1, 2)];
  const tensor = bytes(5, dims, integer(2, 3), text(8, "w"), bytes(9, 5, 6));
  const model = Uint8Array.from([...bytes(7, tensor), ...bytes(8, integer(2, 17))]);
  expect(decodeOnnx(model, "m").graph.weights[0]).toMatchObject({ dtype: "int8", shape: [1, 2] });
});

test("data that do not fit the shape are refused in both directions", () => {
  const weights = [{ ...file.graph.weights[0]!, shape: [3] }];
  expect(() => encodeOnnx({ ...file, graph: { ...file.graph, weights } })).toThrow(
    /"w": float32 of shape \[3\] takes 12 bytes/,
  );
  const short = [
    ...bytes(7, bytes(5, integer(1, 3), integer(2, 1), text(8, "w"), bytes(9, 0))),
    ...bytes(8, integer(2, 17)),
  ];
  expect(() => decodeOnnx(Uint8Array.from(short), "m.onnx")).toThrow(
    /m\.onnx: weight "w": float32 of shape \[3\] takes 12/,
  );
});

test("other files and other kinds of models are refused by name", () => {
  expect(() => decodeOnnx(new Uint8Array(0), "m.onnx")).toThrow(/m\.onnx: not an ONNX model: no graph/);
  expect(() => decodeOnnx(Buffer.from("not a model"), "m.onnx")).toThrow(/m\.onnx: not an ONNX model/);
  const strange = [...bytes(7, bytes(1, text(3, "n"), text(7, "com.x"))), ...bytes(8, integer(2, 17))];
  expect(() => decodeOnnx(Uint8Array.from(strange), "m.onnx")).toThrow(
    /node "n" is of the operators "com\.x"/,
  );
});

test("damaged files are read or refused, never anything else", () => {
  const change = fc.array(fc.tuple(fc.nat(golden.length - 1), fc.nat(255)), { maxLength: 4 });
  const damaged = fc.tuple(change, fc.nat(golden.length)).map(([changes, length]) => {
    const copy = Uint8Array.from(golden);
    for (const [at, value] of changes) copy[at] = value;
    return copy.subarray(0, length);
  });
  fc.assert(
    fc.property(fc.oneof(damaged, fc.uint8Array({ maxLength: 200 })), (input) => {
      try {
        decodeOnnx(input, "m");
      } catch (error) {
        if (!(error instanceof TopofrError && error.code === "E_FORMAT")) throw error;
      }
    }),
    { numRuns: 2000, seed: 7 },
  );
});
