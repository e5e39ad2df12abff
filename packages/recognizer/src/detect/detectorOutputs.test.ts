// Which outputs are which, whatever their names and order; and sets of outputs that are of no detector.
import { expect, test } from "vitest";
import type { NetworkOutput } from "../onnx/network.js";
import { SCRFD, YUNET } from "./decoders.js";
import { detectorOutputs } from "./detectorOutputs.js";

const size = { width: 64, height: 32 };
const ROWS = [32, 8, 2]; // strides 8, 16, 32
const table = (dims: number[]): NetworkOutput => ({
  dims,
  data: new Float32Array(dims.reduce((a, b) => a * b, 1)),
});
const recognize = (outputs: NetworkOutput[]) =>
  detectorOutputs(
    "net",
    outputs.map((_, k) => `o${k}`),
    outputs,
    size,
  );

test("one score a cell is SCRFD, two are YuNet; strides by the number of rows", () => {
  const scrfd = [1, 4, 10].flatMap((columns) => ROWS.map((rows) => table([2 * rows, columns])));
  const { decoder, levels } = recognize(scrfd.reverse());
  expect(decoder).toBe(SCRFD);
  expect(levels.map(({ stride, columns, rows, anchors }) => [stride, columns, rows, anchors])).toEqual([
    [8, 8, 64, 2],
    [16, 4, 16, 2],
    [32, 2, 4, 2],
  ]);
  const yunet = [1, 1, 4, 10].flatMap((columns) => ROWS.map((rows) => table([1, rows, columns])));
  expect(recognize(yunet).decoder).toBe(YUNET);
  const single = [10, 1, 4].flatMap((columns) => ROWS.map((rows) => table([1, rows, columns])));
  expect(recognize(single)).toMatchObject({ decoder: SCRFD, levels: [{ anchors: 1 }, {}, {}] });
});

const yunet = () => [1, 1, 4, 10].flatMap((columns) => ROWS.map((rows) => table([rows, columns])));

test.each<[string, NetworkOutput[], string]>([
  ["an output too few", yunet().slice(1), "strides with one score and with two"],
  ["an output too many", [...yunet(), table([32, 7])], "outputs of 32 rows do not fit together"],
  ["no boxes", yunet().filter(({ dims }) => dims[1] !== 4), "do not fit together"],
  [
    "another grid",
    [table([33, 1]), table([33, 4]), table([33, 10])],
    "33 rows are no grid of stride 8 on 64x32 pixels",
  ],
  ["three anchors", [table([96, 1]), table([96, 4]), table([96, 10])], "96 rows are no grid of stride 8"],
  ["maps", [table([1, 10, 4, 10])], "4 dimensions in an output"],
  ["nothing", [], "not a face detector"],
])("%s: E_MODEL, with the outputs", (_, outputs, message) => {
  expect(() => recognize(outputs)).toThrow(message);
  expect(() => recognize(outputs)).toThrow("expected a YuNet or SCRFD face detector");
});
