// An ONNX model as an embedder: image files in, rows out, with the flip test; what its card says.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { completeCard } from "@topofr/recognizer";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { halvesOnnx } from "../../../recognizer/dist/onnx/onnx.test.support.js";
import { imageFile } from "../data/imageSource.js";
import { PIXEL_MEAN, PIXEL_SCALE } from "../data/normalize.js";
import { openOnnxEmbedder } from "./embedderOnnx.js";

const folder = mkdtempSync(join(tmpdir(), "topofr-onnx-embed-"));
afterAll(() => rmSync(folder, { recursive: true }));

const SIZE = 16;
/** Image i is black on the left and 10·i bright on the right. */
const images = [0, 1, 2, 3, 4].map((i) => imageFile(join(folder, `${i}.png`)));

beforeAll(async () => {
  for (let i = 0; i < images.length; i++) {
    const pixels = Uint8Array.from({ length: SIZE * SIZE * 3 }, (_, k) =>
      Math.floor(k / 3) % SIZE < SIZE / 2 ? 0 : 10 * i,
    );
    await sharp(pixels, { raw: { width: SIZE, height: SIZE, channels: 3 } })
      .png()
      .toFile(join(folder, `${i}.png`));
  }
  writeFileSync(join(folder, "net.card.yaml"), "name: Halves\ninput: { mean: 0, std: 10 }\n");
});

const options = { name: "net", card: null, fields: {}, threads: 1 };

async function open(file: string, batch: number | string, more = {}) {
  const path = join(folder, file);
  writeFileSync(path, halvesOnnx({ size: SIZE, batch }));
  return openOnnxEmbedder(path, { ...options, ...more });
}

test.each([1, 2, "N"])(
  "batch %s: rows in the order of the files, with the mirror image's added",
  async (batch) => {
    const embedder = await open("net.onnx", batch);
    expect(embedder).toMatchObject({ name: "Halves", dimension: 6, imageSize: SIZE });
    const progress: number[] = [];
    const rows = await embedder.embed(images, {
      flip: false,
      batchSize: 2,
      onProgress: (done) => progress.push(done),
    });
    expect([...rows]).toEqual([0, 1, 2, 3, 4].flatMap((i) => [0, i, 0, i, 0, i]));
    expect(progress).toEqual([2, 4, 5]);
    const summed = await embedder.embed(images, { flip: true, batchSize: 4 });
    expect([...summed]).toEqual([0, 1, 2, 3, 4].flatMap((i) => [i, i, i, i, i, i]));
    await embedder.close();
  },
);

test("another card, and what is said besides, come before the card beside the model", async () => {
  const other = join(folder, "other.yaml");
  writeFileSync(other, "input: { mean: 0, std: 5 }\n");
  const embedder = await open("net.onnx", "N", { card: other, fields: { input: { mean: -5 } } });
  expect(embedder.name).toBe("net");
  const rows = await embedder.embed(images.slice(0, 2), { flip: false, batchSize: 2 });
  expect([...rows]).toEqual([1, 1, 1, 1, 1, 1, 1, 3, 1, 3, 1, 3]);
  await embedder.close();
});

test("images of another size than the model's are named, or fitted", async () => {
  const path = join(folder, "large.onnx");
  writeFileSync(path, halvesOnnx({ size: 112 }));
  const embedder = await openOnnxEmbedder(path, options);
  await expect(embedder.embed(images, { flip: false, batchSize: 2 })).rejects.toThrow(
    /0\.png: the image has 16x16 pixels, expected 112x112; .*--resize/,
  );
  expect(await embedder.embed(images, { flip: false, batchSize: 2, resize: "fit" })).toHaveLength(30);
  await embedder.close();
});

test("an abort ends it between two batches, with the abort's reason", async () => {
  const embedder = await open("net.onnx", 1);
  const stop = new AbortController();
  const embedding = embedder.embed(images, {
    flip: false,
    batchSize: 2,
    signal: stop.signal,
    onProgress: () => stop.abort(new Error("enough")),
  });
  await expect(embedding).rejects.toThrow("enough");
  await embedder.close();
});

test("a card's defaults are the preprocessing of our own networks", () => {
  const { mean, std, scale, color } = completeCard({}).input;
  expect({ mean, std, scale, color }).toEqual({
    mean: [PIXEL_MEAN, PIXEL_MEAN, PIXEL_MEAN],
    std: [PIXEL_SCALE, PIXEL_SCALE, PIXEL_SCALE],
    scale: 1,
    color: "rgb",
  });
});
