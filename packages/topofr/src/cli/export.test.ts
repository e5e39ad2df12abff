// topofr export as a user has it: a PyTorch file to ONNX, evaluated as it is; what is printed; what is refused.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { RandomStream } from "../random/stream.js";
import { topofr } from "./command.test.support.js";

const CHECKPOINT = fileURLToPath(new URL("../../fixtures/export/mobilefacenet.pt", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "topofr-export-"));
const here = process.cwd();
const SIZE = 112;
const PEOPLE = ["a", "b", "c", "d", "e"];

beforeAll(async () => {
  process.chdir(folder);
  const stream = new RandomStream(1, "faces");
  for (const person of PEOPLE) {
    mkdirSync(`faces/${person}`, { recursive: true });
    for (const k of [1, 2]) {
      const pixels = Uint8Array.from({ length: SIZE * SIZE * 3 }, () => stream.integer(256));
      const raw = { width: SIZE, height: SIZE, channels: 3 } as const;
      await sharp(pixels, { raw })
        .png({ compressionLevel: 1 })
        .toFile(`faces/${person}/${person}_000${k}.png`);
    }
  }
  const pairs = PEOPLE.map((person, i) => `${person}\t1\t2\n${person}\t1\t${PEOPLE[(i + 1) % 5]}\t2\n`);
  writeFileSync("faces/pairs.txt", pairs.join(""));
  mkdirSync("empty");
  mkdirSync("unsaved/checkpoints", { recursive: true });
  writeFileSync("unsaved/config.json", "{}");
  writeFileSync("cut.pt", readFileSync(CHECKPOINT).subarray(0, 50_000));
  writeFileSync("net.onnx", "");
});
afterAll(() => {
  process.chdir(here);
  rmSync(folder, { recursive: true });
});

test("a PyTorch file to ONNX, and evaluate takes it as it is", async () => {
  const { status, out, err } = await topofr("export", CHECKPOINT, "--to", "model.onnx");
  expect(status, err).toBe(0);
  expect(out).toMatch(
    /mobilefacenet\.pt: mobilefacenet, embeddings of 16 numbers\nmodel\.onnx: opset 17, fp32, 0 batch norms left, .* MB\nmodel\.card\.yaml: model card\nbeside the training engine, 4 random images: largest difference \d\.\de-\d+ \(limit 0\.0001\)\n$/,
  );
  const evaluated = await topofr("evaluate", "model.onnx", "--data", "faces", "--json");
  expect(JSON.parse(evaluated.out)).toMatchObject({ model: "mobilefacenet", benchmark: "faces", images: 10 });
});

test("int8: compared on faces, and the accuracy before and after", async () => {
  const calibration = ["--calibration", "faces", "--calibration-images", "3"];
  const args = ["export", CHECKPOINT, "--to", "small.onnx", "--int8", ...calibration, "--data", "faces"];
  const { status, out, err } = await topofr(...args);
  expect(status, err).toBe(0);
  expect(out).toMatch(
    /3 images of faces: largest difference .*, cosine 0\.9\d+ on average, 0\.9\d+ at least\n/,
  );
  expect(out).toMatch(/mobilefacenet\.pt .*\nsmall\.onnx /);
  expect(out).toMatch(/\naccuracy \d+\.\d\d % -> \d+\.\d\d % \([+-]\d+\.\d\d\)\n$/);
});

test("--json has the comparison; --images adds faces to it; what exists is only replaced when asked", async () => {
  const args = ["export", CHECKPOINT, "--to", "half.safetensors", "--precision", "fp16", "--images", "faces"];
  const { out } = await topofr(...args, "--json");
  const report = JSON.parse(out) as { differences: unknown[] };
  expect(report).toMatchObject({
    network: "mobilefacenet",
    embeddingSize: 16,
    precision: "fp16",
    evaluations: null,
  });
  expect(report.differences).toMatchObject([
    { images: "random images" },
    { images: "images of faces", count: 10 },
  ]);
  expect(await topofr(...args)).toMatchObject({
    status: 2,
    err: expect.stringContaining("half.safetensors exists") as string,
  });
  expect(await topofr(...args, "--overwrite")).toMatchObject({ status: 0 });
});

describe("refused before anything is written", () => {
  test.each<[string[], string, RegExp]>([
    [["net.onnx", "--to", "x.onnx"], "E_USAGE", /net\.onnx: is an ONNX file already/],
    [["empty", "--to", "x.onnx"], "E_FILE", /empty: has no config\.json, so it is not a run folder/],
    [
      ["unsaved", "--to", "x.onnx"],
      "E_FILE",
      /unsaved\/checkpoints: no best\.safetensors and no last\.safetensors/,
    ],
    [["none.pt", "--to", "x.onnx"], "E_FILE", /none\.pt: no such/],
    [
      ["faces/pairs.txt", "--to", "x.onnx"],
      "E_FILE",
      /expected a run folder or a \.safetensors, \.pt, \.pth file/,
    ],
    [["cut.pt", "--to", "x.onnx"], "E_FORMAT", /cut\.pt: /],
    [
      [CHECKPOINT, "--to", "x.onnx", "--network", "r50"],
      "E_MODEL",
      /mobilefacenet, --network says iresnet50/,
    ],
    [[CHECKPOINT, "--to", "x.onnx", "--network", "vit"], "E_USAGE", /--network: expected one of/],
    [[CHECKPOINT, "--to", "x.tflite"], "E_USAGE", /--to: expected a \.onnx or \.safetensors file/],
    [[CHECKPOINT, "--to", "no/x.onnx"], "E_FILE", /no\/x\.onnx: cannot write a file into this folder/],
    [
      [CHECKPOINT, "--to", "x.onnx", "--opset", "9"],
      "E_USAGE",
      /--opset: expected a whole number from 13 to 21/,
    ],
    [[CHECKPOINT, "--to", "x.onnx", "--int8"], "E_USAGE", /--int8: needs --calibration/],
    [[CHECKPOINT, "--to", "x.onnx", "--calibration", "faces"], "E_USAGE", /--calibration: is for --int8/],
    [[CHECKPOINT, "--to", "x.safetensors", "--opset", "17"], "E_USAGE", /--opset: is for \.onnx files/],
    [[CHECKPOINT, "--to", "x.safetensors", "--data", "faces"], "E_USAGE", /--data: a \.safetensors file/],
    [[CHECKPOINT, "--to", "x.onnx", "--pairs", "p.txt"], "E_USAGE", /--pairs: goes with --data/],
  ])("%j", async (args, code, message) => {
    const { status, out, err } = await topofr("export", ...args);
    expect({ status, out }).toEqual({ status: code === "E_USAGE" ? 2 : 1, out: "" });
    expect(err).toMatch(message);
    expect(err).toContain(code);
    expect(existsSync("x.onnx") || existsSync("x.card.yaml")).toBe(false);
  });
});
