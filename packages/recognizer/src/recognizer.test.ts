// The whole way on networks made in the test: a detector of red squares, and an embedding that is the mean colour of the left and of
// the right half of the aligned face. Real ones: realModels.test.ts. Files that cannot be opened: openRecognizer.test.ts.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type GallerySearch, openRecognizer, type Picture, type Recognizer, similarity } from "./index.js";
import { detectorOnnx } from "./onnx/detector.test.support.js";
import { halvesOnnx } from "./onnx/onnx.test.support.js";
import { imageOf, type Patch, patches, pattern, RED } from "./read/pictures.test.support.js";

const folder = mkdtempSync(join(tmpdir(), "topofr-recognizer-"));
afterAll(() => rmSync(folder, { recursive: true }));

const SIZE = 16;
const SQUARE = { width: 128, height: 64 };
const model = halvesOnnx({ size: SIZE });
const detector = detectorOnnx({ family: "YuNet", size: SQUARE });
let recognizer: Recognizer;
beforeAll(async () => {
  recognizer = await openRecognizer({ model, detector, threads: 1 });
});
afterAll(() => recognizer.close());

const square = (x: number, y: number, red = 255): Patch => ({ x, y, size: 8, color: [red, 0, 0] });
const NONE = patches(128, 64, []);
const LEFT = patches(128, 64, [square(24, 24)]);
const BOTH = patches(128, 64, [square(24, 24, 200), square(88, 24)]);

test("it says what it is", () => {
  expect(recognizer).toMatchObject({ dimension: 6, imageSize: SIZE, hasDetector: true, threshold: null });
  expect(recognizer.model).toEqual({
    name: "model",
    sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
  });
  expect(recognizer.card.input).toMatchObject({ color: "rgb", scale: 1, mean: [127.5, 127.5, 127.5] });
});

test("a file is read, its face found, aligned, embedded", async () => {
  const path = join(folder, "left.png");
  writeFileSync(path, await imageOf(LEFT).png().toBuffer());
  const [face, ...others] = await recognizer.recognize(path);
  expect(others).toEqual([]);
  expect(face).toMatchObject({ of: 1, aligned: { size: SIZE } });
  const { x, y, width, height } = face!.box;
  expect([x, y, width, height].map(Math.round)).toEqual([12, 12, 32, 32]);
  // The parts give the same, one by one.
  const picture = await recognizer.read(path);
  const [found] = await recognizer.detect(picture);
  const aligned = recognizer.align(picture, found!);
  expect(aligned).toEqual(face!.aligned);
  const [embedding] = await recognizer.embed([aligned]);
  const { embedding: _, ...located } = face!;
  expect(await recognizer.locate(path)).toEqual([located]);
  expect(embedding).toEqual(face!.embedding);
  expect(Math.hypot(...embedding!)).toBeCloseTo(1, 6);
});

test("the aligned face has the box of the square at the template's place", async () => {
  const [face] = await recognizer.recognize(LEFT);
  // The box's 32 pixels become the template's 16: the red cell covers the middle 4.
  const at = (x: number, y: number) => [
    ...face!.aligned.pixels.subarray((y * SIZE + x) * 3, (y * SIZE + x) * 3 + 3),
  ];
  expect(at(8, 8)).toEqual([255, 0, 0]);
  expect(at(3, 8)).toEqual([100, 100, 100]);
});

test("no face: E_DATA with the picture's name and what to do; with all: an empty list", async () => {
  const path = join(folder, "none.png");
  writeFileSync(path, await imageOf(NONE).png().toBuffer());
  await expect(recognizer.recognize(path)).rejects.toMatchObject({
    code: "E_DATA",
    message: `${path}: no face found (128x64 pixels, scores from 0.6); take a picture in which the face is upright and larger, or lower minScore`,
  });
  expect(await recognizer.recognize(path, { all: true })).toEqual([]);
  expect(await recognizer.detect(path)).toEqual([]);
});

test("several faces: which one is chosen, said, and with only an error", async () => {
  const x = async (picture: Picture, choice: "largest" | "best" | "center" | "only") => {
    const [face] = await recognizer.recognize(picture, { choice });
    return [Math.round(face!.box.x), face!.of];
  };
  expect(await x(BOTH, "best")).toEqual([76, 2]);
  const central = patches(128, 64, [square(8, 24), square(56, 24, 180)]);
  expect(await x(central, "center")).toEqual([44, 2]);
  expect(await x(LEFT, "only")).toEqual([12, 1]);
  await expect(x(BOTH, "only")).rejects.toMatchObject({
    code: "E_DATA",
    message:
      'picture of 128x64: 2 faces found where one is expected; crop the picture, or choose "largest", "best" or "center"',
  });
  const all = await recognizer.recognize(BOTH, { all: true });
  expect(all.map(({ box, of }) => [Math.round(box.x), of])).toEqual([
    [76, 2],
    [12, 2],
  ]);
  await expect(recognizer.recognize(BOTH, { choice: "first" as "only" })).rejects.toMatchObject({
    code: "E_USAGE",
  });
});

test("verify compares, and decides when there is a threshold", async () => {
  const other = patches(128, 64, [square(48, 24), { x: 44, y: 24, size: 4, color: [0, 255, 0] }]);
  const unsure = await recognizer.verify(LEFT, other);
  expect(unsure).toMatchObject({ threshold: null, same: null, a: { of: 1 }, b: { of: 1 } });
  expect(unsure.similarity).toBe(similarity(unsure.a.embedding, unsure.b.embedding));
  expect((await recognizer.verify(LEFT, LEFT)).similarity).toBeCloseTo(1, 6);
  const { similarity: alike } = unsure;
  expect(await recognizer.verify(LEFT, other, { threshold: alike })).toMatchObject({
    same: true,
    threshold: alike,
  });
  recognizer.threshold = 0.9999;
  expect(await recognizer.verify(LEFT, other)).toMatchObject({ same: false, threshold: 0.9999 });
  expect(await recognizer.verify(LEFT, other, { threshold: null })).toMatchObject({ same: null });
  recognizer.threshold = null;
  expect(() => {
    recognizer.threshold = 2;
  }).toThrow("threshold 2: expected a cosine");
  await expect(recognizer.verify(LEFT, NONE)).rejects.toMatchObject({ code: "E_DATA" });
});

test("identify asks the gallery for each face, or the chosen one", async () => {
  const asked: number[] = [];
  const gallery: GallerySearch = {
    dimension: 6,
    async search(embedding, { top }) {
      asked.push(embedding.length);
      const all = [0.9, 0.5, 0.2].map((value, k) => ({
        identity: "abc"[k]!,
        id: String(k),
        similarity: value,
      }));
      return all.slice(0, top);
    },
  };
  const [first, second, ...others] = await recognizer.identify(BOTH, gallery);
  expect(others).toEqual([]);
  expect([first!, second!].map(({ box }) => Math.round(box.x))).toEqual([76, 12]);
  expect(asked).toEqual([6, 6]);
  expect(first!.matches.map(({ identity }) => identity)).toEqual(["a", "b", "c"]);
  const [chosen, ...more] = await recognizer.identify(BOTH, gallery, {
    top: 2,
    threshold: 0.6,
    choice: "best",
  });
  expect([chosen!.matches.length, more.length]).toEqual([1, 0]);
  expect(await recognizer.identify(NONE, gallery)).toEqual([]);
  await expect(recognizer.identify(NONE, gallery, { choice: "best" })).rejects.toMatchObject({
    code: "E_DATA",
  });
  await expect(recognizer.identify(LEFT, { ...gallery, dimension: 512 })).rejects.toMatchObject({
    code: "E_MODEL",
    message: expect.stringContaining("the gallery has embeddings of 512 numbers, model gives 6") as string,
  });
  await expect(recognizer.identify(LEFT, gallery, { top: 0 })).rejects.toMatchObject({ code: "E_USAGE" });
});

test.each([1, 3, "N"])("a batch of %s: rows in order, whatever the batch size", async (batch) => {
  const one = await openRecognizer({ model: halvesOnnx({ size: SIZE, batch }), threads: 1 });
  const faces = [0, 60, 120, 180, 240].map((shade) => {
    const pixels = pattern(SIZE, SIZE).map((value, i) => (i % 3 === 0 ? shade : value));
    return { pixels, size: SIZE };
  });
  const rows = await one.embed(faces, { batchSize: 2 });
  for (const [k, face] of faces.entries()) {
    const [alone] = await one.embed([face]);
    for (const [i, value] of alone!.entries()) expect(rows[k]![i]).toBeCloseTo(value, 5);
  }
  expect(await one.embed([])).toEqual([]);
  // The pattern rises from left to right; with the mirror image added both halves are the same.
  const [plain] = await one.embed([faces[0]!]);
  const [both] = await one.embed([faces[0]!], { flip: true });
  expect(plain![2]).toBeLessThan(plain![3]! - 0.1);
  expect(both![2]).toBeCloseTo(both![3]!, 5);
  await one.close();
});

test("without a detector a picture must be an aligned face", async () => {
  const one = await openRecognizer({ model, threads: 1 });
  const pixels = pattern(SIZE, SIZE);
  const [face] = await one.recognize({ width: SIZE, height: SIZE, pixels });
  expect(face).toMatchObject({
    score: 1,
    of: 1,
    box: { x: 0, y: 0, width: SIZE, height: SIZE },
    aligned: { pixels },
  });
  expect(face!.landmarks[0]).toBeCloseTo((38.2946 * SIZE) / 112, 4);
  await expect(one.recognize(LEFT)).rejects.toMatchObject({
    code: "E_DATA",
    message: expect.stringContaining(
      "128x64 pixels; without a detector pictures must be aligned faces of 16x16",
    ) as string,
  });
  await expect(one.detect(LEFT)).rejects.toMatchObject({ code: "E_USAGE" });
  await one.close();
});

test("pixels that do not fit their size are E_USAGE", async () => {
  const pixels = new Uint8Array(10);
  for (const picture of [
    { width: 2, height: 2, pixels },
    { width: 0, height: 0, pixels },
    { width: 1.5, height: 2, pixels },
  ])
    await expect(recognizer.recognize(picture)).rejects.toMatchObject({ code: "E_USAGE" });
  await expect(recognizer.embed([{ pixels, size: 8 }])).rejects.toMatchObject({ code: "E_USAGE" });
  await expect(recognizer.embed([{ pixels, size: SIZE }])).rejects.toMatchObject({ code: "E_USAGE" });
  await expect(recognizer.embed([], { batchSize: 0 })).rejects.toMatchObject({ code: "E_USAGE" });
});

test("an embedding that is zero is E_MODEL, not NaN", async () => {
  const one = await openRecognizer({ model, card: { input: { mean: 0 } }, threads: 1 });
  const black = { pixels: new Uint8Array(SIZE * SIZE * 3), size: SIZE };
  await expect(one.embed([black])).rejects.toMatchObject({
    code: "E_MODEL",
    message: expect.stringContaining("zero or not finite") as string,
  });
  await one.close();
});

test("closing waits for what runs; afterwards everything is E_USAGE, and closing again is nothing", async () => {
  const one = await openRecognizer({ model, detector, threads: 1 });
  const running = Promise.all([one.recognize(LEFT), one.verify(LEFT, BOTH)]);
  const closed = one.close();
  await expect(one.detect(LEFT)).rejects.toMatchObject({
    code: "E_USAGE",
    message: "the recognizer is closed",
  });
  await closed;
  expect((await running)[0]).toHaveLength(1);
  await one.close();
});

test("many at once give what they give one after the other", async () => {
  const pictures = Array.from({ length: 12 }, (_, k) =>
    patches(128, 64, [square(24 + 8 * (k % 4), 24, 180 + 5 * k), { x: 60, y: 8, size: 4, color: RED }]),
  );
  const together = await Promise.all(pictures.map((picture) => recognizer.recognize(picture)));
  for (const [k, picture] of pictures.entries())
    expect(await recognizer.recognize(picture)).toEqual(together[k]);
});
