// Detectors made in the test, one of each family: places and sizes of faces, whatever the picture's size; and files that are none.
import { expect, test } from "vitest";
import { BOX_CELLS, detectorOnnx, POINT_CELLS, STRIDE } from "../onnx/detector.test.support.js";
import { openNodeNetwork } from "../onnx/nodeRuntime.js";
import { halvesOnnx } from "../onnx/onnx.test.support.js";
import { BLUE, patches, RED } from "../read/pictures.test.support.js";
import type { Face } from "../types.js";
import { createDetector, type Detector } from "./detector.js";

const open = async (bytes: Uint8Array): Promise<Detector> =>
  createDetector(await openNodeNetwork("detector.onnx", bytes, { threads: 1, executionProviders: null }));

const FAMILIES = ["YuNet", "SCRFD"] as const;
const SIZES = [{ width: 64, height: 64 }, { width: 96, height: 64 }, null];

/** Where the face of a red square of a cell's size must be, in pixels of the picture. */
function faceAt(x: number, y: number, cell: number) {
  const side = BOX_CELLS * cell;
  const box = { x: x + cell / 2 - side / 2, y: y + cell / 2 - side / 2, width: side, height: side };
  return { box, landmarks: POINT_CELLS.map((value, i) => (i % 2 === 0 ? x : y) + value * cell) };
}

function expectFace(face: Face | undefined, expected: ReturnType<typeof faceAt>, digits = 3): void {
  expect(face).toBeDefined();
  for (const key of ["x", "y", "width", "height"] as const)
    expect(face!.box[key]).toBeCloseTo(expected.box[key], digits);
  for (const [i, value] of face!.landmarks.entries())
    expect(value).toBeCloseTo(expected.landmarks[i]!, digits);
}

test.each(FAMILIES.flatMap((family) => SIZES.map((size) => ({ family, size }))))(
  "$family, input $size: a face where the red cell is, none where a blue one is",
  async ({ family, size }) => {
    const detector = await open(detectorOnnx({ family, size }));
    expect(detector.family).toBe(family);
    const { width, height } = size ?? { width: 96, height: 64 };
    const picture = patches(width, height, [
      { x: 24, y: 16, size: STRIDE, color: RED },
      { x: 48, y: 48, size: STRIDE, color: BLUE },
    ]);
    const faces = await detector.detect(picture, 0.6);
    expect(faces).toHaveLength(1); // SCRFD's second anchor is suppressed
    expectFace(faces[0], faceAt(24, 16, STRIDE));
    expect(faces[0]!.score).toBeCloseTo(1, 5);
    await detector.close();
  },
);

test("a larger picture is shrunk to the input, a smaller one enlarged, and the faces are in its own pixels", async () => {
  const detector = await open(detectorOnnx({ family: "YuNet", size: { width: 64, height: 64 } }));
  // 192x96 becomes 64x32: a third.
  const wide = patches(192, 96, [{ x: 72, y: 24, size: 24, color: RED }]);
  expectFace((await detector.detect(wide, 0.6))[0], faceAt(72, 24, 24));
  const tall = patches(48, 256, [{ x: 0, y: 160, size: 32, color: RED }]);
  expectFace((await detector.detect(tall, 0.6))[0], faceAt(0, 160, 32));
  const small = patches(32, 32, [{ x: 12, y: 8, size: 4, color: RED }]);
  const [face] = await detector.detect(small, 0.5);
  expectFace(face, faceAt(12, 8, 4));
  expect(face!.score).toBeLessThan(1); // its edges are blurred
  for (const [width, height] of [
    [1, 1],
    [500, 1],
    [1, 300],
  ] as const)
    expect(await detector.detect(patches(width, height, []), 0.6)).toEqual([]);
  await detector.close();
});

test("an open input takes the picture as it is, padded; a large one is shrunk to 640 pixels", async () => {
  const detector = await open(detectorOnnx({ family: "SCRFD" }));
  const odd = patches(101, 70, [{ x: 72, y: 40, size: STRIDE, color: RED }]);
  expectFace((await detector.detect(odd, 0.6))[0], faceAt(72, 40, STRIDE));
  const large = patches(1280, 480, [{ x: 320, y: 64, size: 16, color: RED }]);
  expectFace((await detector.detect(large, 0.6))[0], faceAt(320, 64, 16));
  await detector.close();
});

test("several faces come best score first, and those below the score do not come", async () => {
  const detector = await open(detectorOnnx({ family: "YuNet", size: { width: 128, height: 64 } }));
  const picture = patches(128, 64, [
    { x: 24, y: 24, size: STRIDE, color: [160, 0, 0] },
    { x: 88, y: 24, size: STRIDE, color: RED },
    { x: 56, y: 56, size: STRIDE, color: [60, 0, 0] },
  ]);
  const faces = await detector.detect(picture, 0.6);
  expect(faces.map(({ score }) => score.toFixed(3))).toEqual(["1.000", Math.sqrt(160 / 255).toFixed(3)]);
  expectFace(faces[0], faceAt(88, 24, STRIDE));
  expect(await detector.detect(picture, 0.4)).toHaveLength(3);
  await detector.close();
});

test.each<[string, Uint8Array, string]>([
  [
    "an embedding network",
    halvesOnnx(),
    "detector.onnx: it is not a face detector (if it is the embedding network, give it as `model`); expected a YuNet or SCRFD face " +
      "detector with five landmarks. Its outputs: embedding [1, 6]",
  ],
  ["boxes alone", detectorOnnx({ family: "SCRFD", points: false }), "it finds boxes without landmarks"],
  ["several pictures a call", detectorOnnx({ family: "YuNet", batch: 4 }), "expected one picture"],
  ["grey pictures", halvesOnnx({ channels: 1 }), "expected one input of float32 images"],
])("%s: E_MODEL", async (_, bytes, message) => {
  await expect(open(bytes)).rejects.toMatchObject({
    code: "E_MODEL",
    message: expect.stringContaining(message) as string,
  });
});
