// Opening: cards, names, and every wrong file or option a clear error.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { openRecognizer, type RecognizerOptions } from "./index.js";
import { detectorOnnx } from "./onnx/detector.test.support.js";
import { halvesOnnx } from "./onnx/onnx.test.support.js";

const folder = mkdtempSync(join(tmpdir(), "topofr-open-"));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: Uint8Array | string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const model = halvesOnnx({ size: 16 });
const detector = detectorOnnx({ family: "SCRFD" });
const pixels = new Uint8Array(16 * 16 * 3).fill(100);

async function firstNumbers(options: RecognizerOptions): Promise<[name: string, ratio: number]> {
  const recognizer = await openRecognizer({ threads: 1, ...options });
  const [embedding] = await recognizer.embed([{ pixels, size: 16 }]);
  await recognizer.close();
  return [recognizer.model.name, embedding![0]! / embedding![2]!];
}

test("the card beside the model, another one, and fields; the name is the card's, else the file's", async () => {
  const path = file("net.onnx", model);
  expect(await firstNumbers({ model: path })).toEqual(["net", 1]);
  file("net.card.yaml", "name: Halves\ninput: { mean: [0, 50, 0] }\n");
  const [name, ratio] = await firstNumbers({ model: path });
  expect([name, ratio.toFixed(4)]).toEqual(["Halves", "2.0000"]);
  const other = file("other.yaml", "input: { mean: [0, 75, 0] }\n");
  expect((await firstNumbers({ model: path, card: other }))[1]).toBeCloseTo(4, 4);
  expect(await firstNumbers({ model: path, card: {} })).toEqual(["net", 1]);
  expect(await firstNumbers({ model })).toEqual(["model", 1]);
});

test("the hash is the file's", async () => {
  const path = file("hashed.onnx", model);
  const hashes = [];
  for (const source of [path, model]) {
    const recognizer = await openRecognizer({ model: source, threads: 1 });
    hashes.push(recognizer.model.sha256);
    await recognizer.close();
  }
  expect(hashes[0]).toBe(hashes[1]);
});

test.each<[string, () => RecognizerOptions, string, string]>([
  ["no model", () => ({}) as RecognizerOptions, "E_USAGE", "model is missing"],
  [
    "an unknown option",
    () => ({ model, detectorPath: "x" }) as RecognizerOptions,
    "E_USAGE",
    'unknown option "detectorPath"; known: model',
  ],
  ["a threshold", () => ({ model, threshold: 1.2 }), "E_USAGE", "threshold 1.2"],
  ["a score", () => ({ model, minScore: 60 }), "E_USAGE", "minScore 60"],
  ["pixels", () => ({ model, maxPixels: 0 }), "E_USAGE", "maxPixels 0"],
  ["threads", () => ({ model, threads: 0.5 }), "E_USAGE", "threads 0.5"],
  ["a flip", () => ({ model, flip: 1 as unknown as boolean }), "E_USAGE", "flip 1"],
  ["providers", () => ({ model, executionProviders: [] }), "E_USAGE", "executionProviders"],
  ["a card", () => ({ model, card: { input: { std: 0 } } }), "E_USAGE", "model card: input.std"],
  ["a card's file", () => ({ model, card: join(folder, "none.yaml") }), "E_FILE", "none.yaml"],
  [
    "a card that is none",
    () => ({ model, card: file("bad.yaml", "inputs: 1") }),
    "E_FORMAT",
    'unknown key "inputs"',
  ],
  [
    "a model that is not there",
    () => ({ model: join(folder, "none.onnx") }),
    "E_FILE",
    "none.onnx: cannot open the ONNX model",
  ],
  ["a folder as model", () => ({ model: folder }), "E_FILE", "is not a file"],
  [
    "no ONNX",
    () => ({ model: file("text.onnx", "no model") }),
    "E_FORMAT",
    "text.onnx: ONNX Runtime cannot load it",
  ],
  ["no bytes", () => ({ model: new Uint8Array(0) }), "E_FORMAT", "model: ONNX Runtime cannot load it"],
  [
    "a detector as model",
    () => ({ model: file("face.onnx", detector) }),
    "E_MODEL",
    "if it is a face detector, give it as `detector`",
  ],
  [
    "a model as detector",
    () => ({ model, detector: file("m.onnx", model) }),
    "E_MODEL",
    "if it is the embedding network, give it as `model`",
  ],
  ["a detector that is not there", () => ({ model, detector: join(folder, "no.onnx") }), "E_FILE", "no.onnx"],
  [
    "a detector that is no ONNX",
    () => ({ model, detector: Buffer.from("no") }),
    "E_FORMAT",
    "detector: ONNX Runtime cannot load it",
  ],
  [
    "a size that the card contradicts",
    () => ({ model, card: { input: { size: 112 } } }),
    "E_MODEL",
    "images of 16 pixels; the card says 112",
  ],
])("%s", async (_, options, code, message) => {
  await expect(openRecognizer(options())).rejects.toMatchObject({
    code,
    message: expect.stringContaining(message) as string,
  });
});
