// Embeddings of files, by a backbone whose embedding is known: the mean colour of the left and of the right half.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { liveTensors, ops, setNumThreads, type Tensor } from "@topofr/torch";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { imageFile } from "../data/imageSource.js";
import { settledLiveTensors } from "../method/method.test.support.js";
import { Backbone } from "../models/backbone.js";
import { embedImages } from "./embedImages.js";

class HalvesBackbone extends Backbone {
  override readonly embeddingSize = 6;
  readonly modes: string[] = [];
  override forward(images: Tensor): Tensor {
    this.modes.push(`${this.training ? "train" : "eval"} ${images.dtype}`);
    const pixels = images.to({ dtype: "float32" });
    return ops.cat(
      [0, 56].map((start) => pixels.narrow(3, start, 56).mean([2, 3])),
      { dim: 1 },
    );
  }
}

const SIZE = 112;
const folder = mkdtempSync(join(tmpdir(), "topofr-embed-"));
afterAll(() => rmSync(folder, { recursive: true }));

type Colour = readonly [red: number, green: number, blue: number];
const colours: [Colour, Colour][] = Array.from({ length: 5 }, (_, i) => [
  [10 * i, 255, 0],
  [200, 20 + i, 30 * i],
]);
const paths = colours.map((_, i) => join(folder, `${i}.png`));
const images = paths.map(imageFile);

async function writeHalves(path: string, [left, right]: [Colour, Colour], size = SIZE): Promise<void> {
  const pixels = new Uint8Array(size * size * 3);
  for (let i = 0; i < size * size; i++) pixels.set(i % size < size / 2 ? left : right, 3 * i);
  await sharp(pixels, { raw: { width: size, height: size, channels: 3 } })
    .png()
    .toFile(path);
}

beforeAll(async () => {
  setNumThreads(1);
  for (const [i, path] of paths.entries()) await writeHalves(path, colours[i]!);
});

const scaled = (colour: Colour) => colour.map((value) => (value - 127.5) / 127.5);

function expectClose(actual: Float32Array, expected: readonly number[], tolerance = 1e-5): void {
  expect(actual).toHaveLength(expected.length);
  expect(Math.max(...expected.map((value, i) => Math.abs(value - actual[i]!)))).toBeLessThan(tolerance);
}

test("rows come in the order of the files, also when the last batch is not full; with the flip test the mirror image's row is added", async () => {
  const backbone = new HalvesBackbone();
  const done: string[] = [];
  const before = await settledLiveTensors();
  const plain = await embedImages(backbone, images, { flip: false, batchSize: 2 });
  const summed = await embedImages(backbone, images, {
    flip: true,
    batchSize: 2,
    onProgress: (count, total) => done.push(`${count}/${total}`),
  });
  expect(liveTensors()).toBe(before);
  expectClose(
    plain,
    colours.flatMap(([left, right]) => [...scaled(left), ...scaled(right)]),
  );
  expectClose(
    summed,
    colours.flatMap(([left, right]) => {
      const sum = scaled(left).map((value, i) => value + scaled(right)[i]!);
      return [...sum, ...sum];
    }),
  );
  expect(done).toEqual(["2/5", "4/5", "5/5"]);
});

test("no images give no rows", async () => {
  expect(await embedImages(new HalvesBackbone(), [], { flip: true, batchSize: 4 })).toEqual(
    new Float32Array(0),
  );
});

test("bf16 gives the network bfloat16 images, and nearly the same numbers", async () => {
  const backbone = new HalvesBackbone();
  const plain = await embedImages(backbone, images, { flip: false, batchSize: 5, precision: "bf16" });
  expect(backbone.modes).toEqual(["eval bfloat16"]);
  expectClose(
    plain,
    colours.flatMap(([left, right]) => [...scaled(left), ...scaled(right)]),
    0.02,
  );
});

test.each([true, false])(
  "the network is in evaluation mode, then as it was (training: %s)",
  async (training) => {
    const backbone = new HalvesBackbone().train(training);
    await embedImages(backbone, images, { flip: false, batchSize: 5 });
    expect(backbone.modes).toEqual(["eval float32"]);
    expect(backbone.training).toBe(training);
  },
);

test("an unreadable file, and one of another size, is named; the network's mode is given back", async () => {
  const broken = join(folder, "broken.png");
  writeFileSync(broken, "no picture");
  const small = join(folder, "small.png");
  await writeHalves(small, colours[1]!, 64);
  const backbone = new HalvesBackbone();
  for (const [path, message] of [
    [broken, /broken\.png: the image cannot be read/],
    [small, /small\.png: the image has 64x64 pixels, expected 112x112/],
  ] as const) {
    await expect(
      embedImages(backbone, [...images, imageFile(path)], { flip: false, batchSize: 2 }),
    ).rejects.toMatchObject({
      code: "E_DATA",
      message: expect.stringMatching(message) as string,
    });
    expect(backbone.training).toBe(true);
  }
  const plain = await embedImages(backbone, [imageFile(small)], { flip: false, batchSize: 2, resize: "fit" });
  expect(plain).toHaveLength(6);
});

test("an abort ends it between two batches, with the abort's reason", async () => {
  const stop = new AbortController();
  const backbone = new HalvesBackbone();
  const embedding = embedImages(backbone, images, {
    flip: false,
    batchSize: 1,
    signal: stop.signal,
    onProgress: (count) => count === 2 && stop.abort(new Error("enough")),
  });
  await expect(embedding).rejects.toThrow("enough");
  expect(backbone.modes).toHaveLength(2);
  expect(backbone.training).toBe(true);
});
