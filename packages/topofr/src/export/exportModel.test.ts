// Exports beside the training engine, on networks with drawn batch-norm statistics: what ONNX Runtime computes from the files, what
// is beside and in them, and what is refused. Structure of all networks: identifyNetwork.test.ts; as a command: cli/export.test.ts.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeOnnx, readSafetensors } from "@topofr/formats";
import { completeCard, openOnnxModel, readModelCard } from "@topofr/recognizer";
import {
  liveTensors,
  loadTensors,
  manualSeed,
  noGrad,
  rand,
  saveTensors,
  scope,
  type Tensor,
  tensor,
} from "@topofr/torch";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { NetworkName } from "../models/names.js";
import { createBackbone } from "../models/registry.js";
import { type ExportReport, type ExportRequest, exportModel } from "./exportModel.js";
import { randomPictures } from "./pictures.js";
import { spread } from "./spread.js";

const SIZE = 16; // numbers of an embedding
const folder = mkdtempSync(join(tmpdir(), "topofr-export-"));
afterAll(() => rmSync(folder, { recursive: true }));
const path = (name: string) => join(folder, name);

/** A network with drawn statistics, saved under a prefix, with class centres where the reference code has them. */
async function writeNetwork(
  network: NetworkName,
  name: string,
  prefix = "",
  { centres = false, inputSize = 112 } = {},
): Promise<void> {
  manualSeed(3);
  const backbone = createBackbone(network, { embeddingSize: SIZE, inputSize });
  const state = new Map<string, Tensor>();
  noGrad(() => {
    for (const [key, value] of backbone.stateDict()) {
      if (/running_mean|\.bias$/.test(key)) value.copy_(rand(value.shape).sub(0.5)).dispose();
      // The last sum of IResNet's many blocks stays in range when each block adds little.
      if (/running_var/.test(key)) value.copy_(rand(value.shape).add(0.5)).dispose();
      state.set(prefix + key, value);
    }
  });
  if (centres) state.set(`${prefix}weight`, rand([5, SIZE]));
  await saveTensors(path(name), state);
  for (const value of state.values()) value.dispose();
}

beforeAll(async () => {
  await writeNetwork("mobilefacenet", "mbf.safetensors", "module.", { centres: true });
  await writeNetwork("iresnet18", "r18.safetensors");
});

const request = (source: string, target: string, more: Partial<ExportRequest> = {}): ExportRequest => ({
  ...{ source: path(source), name: "Net", network: null, embeddingSize: null, target: path(target) },
  ...{ precision: "fp32", opset: 17, foldBatchNorm: true, calibration: null, check: null },
  ...{ resize: "error", overwrite: false, threads: 2, version: "9.9.9" },
  ...more,
});
const read = (name: string) => decodeOnnx(readFileSync(path(name)), name);

describe.each([
  ["mbf", "mobilefacenet", 0, 50],
  ["r18", "iresnet18", 8, 31],
] as const)("%s", (file, network, left, all) => {
  test("float32: embeddings, batch of 1 and 3; opset, axes, names, card and metadata", async () => {
    const before = liveTensors();
    const report = await exportModel(request(`${file}.safetensors`, `${file}.onnx`));
    expect(liveTensors()).toBeLessThanOrEqual(before); // fewer: garbage of before
    expect(report).toMatchObject({ network, embeddingSize: SIZE, opset: 17, batchNorms: left, limit: 1e-4 });
    expectClose(report, 1e-5);
    const { graph, opset, metadata } = read(`${file}.onnx`);
    expect(opset).toBe(17);
    expect(graph.inputs).toEqual([{ name: "input", dtype: "float32", shape: ["N", 3, 112, 112] }]);
    expect(graph.outputs).toEqual([{ name: "embedding", dtype: "float32", shape: ["N", SIZE] }]);
    expect(metadata).toMatchObject({ network, embeddingSize: "16", precision: "fp32", version: "9.9.9" });
    expect(completeCard(await readModelCard(path(`${file}.card.yaml`)))).toEqual(
      completeCard({ name: "Net", input: { size: 112, layout: "nchw" }, output: "embedding" }),
    );
  });

  test("with every batch norm kept, at the oldest opset", async () => {
    const more = { foldBatchNorm: false, opset: 13 };
    const report = await exportModel(request(`${file}.safetensors`, `${file}_plain.onnx`, more));
    expect(report.batchNorms).toBe(all);
    expectClose(report, 1e-5);
  });

  test("float16: half the bytes, float32 in and out", async () => {
    const more = { precision: "fp16", opset: 21 } as const;
    const report = await exportModel(request(`${file}.safetensors`, `${file}_half.onnx`, more));
    expectClose(report, 5e-3);
    const { graph } = read(`${file}_half.onnx`);
    expect(new Set(graph.weights.map(({ dtype }) => dtype))).toEqual(new Set(["float16"]));
    expect([...graph.inputs, ...graph.outputs].map(({ dtype }) => dtype)).toEqual(["float32", "float32"]);
  });
});

function expectClose({ differences }: ExportReport, limit: number): void {
  expect(differences[0]).toMatchObject({ images: "random images", count: 4 });
  for (const { largest, leastCosine } of differences) {
    expect(largest).toBeGreaterThan(0);
    expect(largest).toBeLessThan(limit);
    expect(leastCosine).toBeGreaterThan(1 - 100 * limit ** 2 - 1e-9);
  }
}

test("a network of smaller images: the size is in the graph and on the card", async () => {
  await writeNetwork("mobilefacenet", "small.safetensors", "", { inputSize: 48 });
  const report = await exportModel(request("small.safetensors", "small.onnx"));
  expectClose(report, 1e-4);
  expect(report.inputSize).toBe(48);
  const card = completeCard(await readModelCard(path("small.card.yaml")));
  expect(card.input.size).toBe(48);
  const model = await openOnnxModel(path("small.onnx"), card);
  expect(model).toMatchObject({ imageSize: 48, dimension: SIZE });
  await model.close();
  await exportModel(request("small.safetensors", "small16.safetensors", { precision: "fp16" }));
});

describe("int8", () => {
  beforeAll(async () => {
    const { default: sharp } = await import("sharp");
    const { pixels, count } = randomPictures(3, 112);
    for (let i = 0; i < count; i++) {
      const raw = { width: 112, height: 112, channels: 3 } as const;
      const image = pixels.subarray((i * pixels.length) / count, ((i + 1) * pixels.length) / count);
      await sharp(image, { raw })
        .png()
        .toFile(path(`${i}.png`));
    }
  });
  const images = [0, 1, 2].map((i) => ({ kind: "file" as const, path: path(`${i}.png`) }));

  test("8-bit weights, and nearly the same embeddings", async () => {
    const calibration = { name: "noise", images };
    const more = { precision: "int8", calibration, check: calibration } as const;
    const report = await exportModel(request("mbf.safetensors", "mbf_int8.onnx", more));
    expect(report.limit).toBeNull();
    expect(report.differences.map(({ images, count }) => `${count} ${images}`)).toEqual([
      "4 random images",
      "3 noise",
    ]);
    for (const { meanCosine } of report.differences) expect(meanCosine).toBeGreaterThan(0.98);
    const { graph } = read("mbf_int8.onnx");
    const integers = graph.weights.filter(({ name }) => name.endsWith(".weight.quantized"));
    expect(integers).toHaveLength(33); // 49 convolutions but for 17 grouped ones, 1 linear layer
    for (const { data } of integers) {
      const largest = new Int8Array(data.buffer, data.byteOffset, data.length).reduce(
        (most, value) => Math.max(most, Math.abs(value)),
        0,
      );
      expect(largest).toBe(64);
    }
    expect(report.bytes).toBeLessThan(0.35 * readFileSync(path("mbf.safetensors")).length);
  });
});

test("safetensors: plain names, no class centres, readable again; as float16 too", async () => {
  const report = await exportModel(request("mbf.safetensors", "out.safetensors"));
  expect(report).toMatchObject({ opset: null, card: null });
  const { tensors, metadata } = await readSafetensors(path("out.safetensors"));
  expect(tensors.map(({ name }) => name)).toContain("features.layers.3.running_var");
  expect(tensors.some(({ name }) => name.startsWith("module.") || name === "weight")).toBe(false);
  expect(metadata.get("network")).toBe("mobilefacenet");
  const half = await exportModel(request("out.safetensors", "half.safetensors", { precision: "fp16" }));
  expectClose(half, 5e-3);
  expect(half.bytes).toBeLessThan(0.55 * report.bytes);
});

describe("refused, and nothing is written", () => {
  test.each<[string, Partial<ExportRequest>, string, RegExp]>([
    [
      "another network",
      { network: "iresnet50" },
      "E_MODEL",
      /by its shapes it is of mobilefacenet, --network says iresnet50/,
    ],
    ["another size", { embeddingSize: 512 }, "E_MODEL", /it is of 16, --embedding-size says 512/],
    ["a missing folder", { target: path("no/where.onnx") }, "E_FILE", /no\/where\.onnx: cannot write/],
    [
      "its own file",
      { target: path("mbf.safetensors"), overwrite: true },
      "E_USAGE",
      /is the checkpoint itself/,
    ],
    [
      "a file that is there",
      { target: path("r18.safetensors") },
      "E_USAGE",
      /r18\.safetensors exists; give --overwrite/,
    ],
    ["a folder", { target: folder }, "E_FILE", /is a folder/],
  ])("%s", async (_, more, code, message) => {
    const before = readdirSync(folder);
    const wanted = expect.stringMatching(message) as string;
    await expect(exportModel(request("mbf.safetensors", "no.onnx", more))).rejects.toMatchObject({
      code,
      message: wanted,
    });
    expect(readdirSync(folder)).toEqual(before);
  });

  test("a truncated file", async () => {
    writeFileSync(path("cut.safetensors"), readFileSync(path("mbf.safetensors")).subarray(0, 100_000));
    await expect(exportModel(request("cut.safetensors", "no.onnx"))).rejects.toMatchObject({
      code: "E_FORMAT",
    });
    expect(existsSync(path("no.onnx"))).toBe(false);
  });

  test("weights with NaN, and weights beyond float16", async () => {
    for (const [value, precision, message] of [
      [Number.NaN, "fp32", /its embeddings of random images hold NaN/],
      [1e6, "fp16", /features\.layers\.3\.bias holds .*float16 ends at 65504|float16 ends at 65504/],
    ] as const) {
      const { tensors } = await loadTensors(path("mbf.safetensors"));
      const name = "module.features.layers.3.bias";
      noGrad(() => scope(() => tensors.get(name)!.copy_(tensor(new Float32Array(SIZE).fill(value)))));
      await saveTensors(path("odd.safetensors"), tensors);
      for (const one of tensors.values()) one.dispose();
      await expect(exportModel(request("odd.safetensors", "no.onnx", { precision }))).rejects.toThrow(
        message,
      );
      expect(existsSync(path("no.onnx"))).toBe(false);
    }
  });
});

test("a model made by PyTorch: the embeddings that PyTorch computed", async () => {
  const fixture = new URL("../../fixtures/export/", import.meta.url).pathname;
  const { rows } = JSON.parse(readFileSync(join(fixture, "mobilefacenet.json"), "utf8")) as {
    rows: number[][];
  };
  await exportModel(request("", "torch.onnx", { source: join(fixture, "mobilefacenet.pt") }));
  const model = await openOnnxModel(path("torch.onnx"), completeCard({}));
  const pixels = Uint8Array.from({ length: 2 * 112 * 112 * 3 }, (_, i) => (i * 7919) % 251);
  const found = await model.run(pixels, 2, { mirror: false });
  await model.close();
  const unit = (row: readonly number[]) => row.map((value) => value / Math.hypot(...row));
  const difference = rows.flatMap((row, k) => {
    const ours = unit([...found.subarray(k * row.length, (k + 1) * row.length)]);
    return unit(row).map((value, i) => Math.abs(value - ours[i]!));
  });
  expect(Math.max(...difference)).toBeLessThan(1e-4);
});

test("spread takes places evenly, and others with an offset", () => {
  expect(spread(10, 5)).toEqual([0, 2, 4, 6, 8]);
  expect(spread(10, 5, 0.5)).toEqual([1, 3, 5, 7, 9]);
  expect(spread(2, 5)).toEqual([0, 1]);
});
