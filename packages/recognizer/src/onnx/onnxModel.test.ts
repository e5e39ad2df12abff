// ONNX files made in the test: what is read from them, what the card adds, and what is refused.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test, vi } from "vitest";
import { type CardFields, completeCard } from "../card/modelCard.js";
import { openOnnxModel } from "./nodeRuntime.js";
import { type HalvesOptions, halvesOnnx } from "./onnx.test.support.js";

const folder = mkdtempSync(join(tmpdir(), "topofr-onnx-"));
afterAll(() => rmSync(folder, { recursive: true }));

const SIZE = 8;
const LEFT = [10, 20, 30];
const RIGHT = [100, 150, 250];

function file(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

/** Two images: the colours above, and swapped. */
function twoImages(size = SIZE): Uint8Array {
  const pixels = new Uint8Array(2 * size * size * 3);
  for (let i = 0; i < 2 * size * size; i++) {
    const onLeft = i % size < size / 2 === i < size * size;
    pixels.set(onLeft ? LEFT : RIGHT, 3 * i);
  }
  return pixels;
}

async function embedTwo(options: HalvesOptions, fields: CardFields = {}, mirror = false): Promise<number[]> {
  const size = options.size ?? SIZE;
  const path = file("model.onnx", halvesOnnx({ size, ...options }));
  const model = await openOnnxModel(path, completeCard(fields), { threads: 1 });
  expect(model).toMatchObject({ dimension: 6, imageSize: size });
  const { fixedBatch } = model;
  const rows: number[] = [];
  const step = fixedBatch ?? 2;
  const pixels = twoImages(size);
  for (let start = 0; start < 2; start += step) {
    const count = Math.min(step, 2 - start);
    rows.push(...(await model.run(pixels.subarray(start * size * size * 3), count, { mirror })));
  }
  await model.close();
  return rows;
}

/** The embedding of colours left and right, by the same rule written again. */
const halves = (map: (value: number, channel: number) => number, order = [0, 1, 2]) =>
  [
    [LEFT, RIGHT],
    [RIGHT, LEFT],
  ].flatMap(([left, right]) =>
    order.flatMap((channel, place) => [map(left![channel]!, place), map(right![channel]!, place)]),
  );

function expectClose(found: number[], wanted: number[]): void {
  expect(found).toHaveLength(wanted.length);
  for (const [i, value] of found.entries()) expect(value).toBeCloseTo(wanted[i]!, 4);
}

const standard = (value: number) => (value - 127.5) / 127.5;

describe("what is read from the file", () => {
  test.each<[string, HalvesOptions]>([
    ["any batch", { batch: "N" }],
    ["a batch of 1", { batch: 1 }],
    ["a batch that the images do not fill", { batch: 3 }],
    ["channels last", { layout: "nhwc" }],
    ["another size", { size: 16 }],
  ])("%s: RGB, (x - 127.5) / 127.5 unless the card says otherwise", async (_, options) => {
    expectClose(await embedTwo(options), halves(standard));
  });

  test("mirror images have left and right swapped", async () => {
    const [first, second] = [halves(standard).slice(0, 6), halves(standard).slice(6)];
    expectClose(await embedTwo({}, {}, true), [...second, ...first]);
  });
});

test("the card: colour order, scale, mean and deviation of each channel in the network's order", async () => {
  const input = {
    color: "bgr",
    scale: "1/255",
    mean: [0.5, 0.4, 0.3],
    std: [0.2, 0.3, 0.4],
  } satisfies CardFields["input"];
  const mean = [0.5, 0.4, 0.3];
  const std = [0.2, 0.3, 0.4];
  expectClose(
    await embedTwo({}, { input }),
    halves((value, channel) => (value / 255 - mean[channel]!) / std[channel]!, [2, 1, 0]),
  );
});

test("of several outputs one is named by the card; trailing sizes of 1 do not matter, others do", async () => {
  const two = { innerOutput: true };
  await expect(embedTwo(two)).rejects.toThrow(
    /E_MODEL|which of its 2 outputs is the embedding\? .*--output.*embedding, pooled/,
  );
  expectClose(await embedTwo(two, { output: "embedding" }), halves(standard));
  await expect(embedTwo(two, { output: "none" })).rejects.toThrow(
    'no output "none"; it has embedding, pooled',
  );
  await expect(embedTwo(two, { output: "pooled" })).rejects.toThrow(
    'output "pooled" is float32 [1, 3, 1, 2] for 1 images; expected float32 [1, dimension]',
  );
});

test.each<[string, HalvesOptions, CardFields, string]>([
  ["grey images", { channels: 1 }, {}, 'input "image" is float32 [N, 1, 8, 8]; expected one input'],
  ["bytes", { elementType: 2 }, {}, 'input "image" is uint8 [N, 3, 8, 8]; expected one input'],
  ["a size that the card contradicts", {}, { input: { size: 112 } }, "images of 8 pixels; the card says 112"],
  [
    "a layout that the card contradicts",
    {},
    { input: { layout: "nhwc" } },
    "the card says input.layout nhwc",
  ],
])("%s: E_MODEL", async (_, options, fields, message) => {
  const path = file("refused.onnx", halvesOnnx({ size: SIZE, ...options }));
  // ONNX Runtime itself refuses to pool bytes; either way the file is named.
  await expect(openOnnxModel(path, completeCard(fields))).rejects.toMatchObject({
    code: options.elementType === 2 ? "E_FORMAT" : "E_MODEL",
    message: expect.stringContaining(options.elementType === 2 ? "refused.onnx" : message) as string,
  });
});

test("a missing, an empty, a cut and a foreign file", async () => {
  const card = completeCard({});
  const bytes = halvesOnnx({ size: SIZE });
  await expect(openOnnxModel(join(folder, "none.onnx"), card)).rejects.toMatchObject({ code: "E_FILE" });
  for (const [name, content] of [
    ["empty.onnx", new Uint8Array(0)],
    ["cut.onnx", bytes.subarray(0, bytes.length - 60)],
    ["foreign.onnx", Buffer.from("PK\u0003\u0004 no model at all")],
  ] as const) {
    await expect(openOnnxModel(file(name, content), card)).rejects.toMatchObject({
      code: "E_FORMAT",
      message: expect.stringMatching(
        new RegExp(`${name}: ONNX Runtime cannot load it \\(.*damaged or not an ONNX model`),
      ) as string,
    });
  }
});

test("without ONNX Runtime: what to install", async () => {
  vi.resetModules();
  vi.doMock("onnxruntime-node", () => {
    throw new Error("Cannot find package 'onnxruntime-node'");
  });
  const { openOnnxModel: open } = await import("./nodeRuntime.js");
  await expect(open(file("good.onnx", halvesOnnx()), completeCard({}))).rejects.toMatchObject({
    code: "E_SETUP",
    message: expect.stringContaining("npm install onnxruntime-node") as string,
  });
  vi.doUnmock("onnxruntime-node");
});
