// A folder of drawn "faces" and tiny networks for the tests of commands that recognise. The name keeps it out of the published package.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, afterEach, beforeAll, vi } from "vitest";
import { detectorOnnx } from "../../../recognizer/dist/onnx/detector.test.support.js";
import { halvesOnnx } from "../../../recognizer/dist/onnx/onnx.test.support.js";
import { imageOf, type Patch, patches, RED } from "../../../recognizer/dist/read/pictures.test.support.js";

/** The flags of the networks. */
export const MODEL = ["--model", "net.onnx", "--detector", "detector.onnx"];

type Sides = readonly [left: Patch["color"], right: Patch["color"]];
const ANN: Sides = [
  [10, 200, 250],
  [240, 220, 10],
];
const ANN_AGAIN: Sides = [
  [20, 190, 240],
  [230, 210, 20],
];
const BEN: Sides = [
  [250, 240, 10],
  [10, 30, 220],
];

/** A red cell of the detector's grid; the colours beside it say who: the network sees the mean of the left and right half. */
function person(x: number, y: number, [left, right]: Sides): Patch[] {
  return [
    { x: x - 16, y: y - 12, size: 24, color: left },
    { x: x + 4, y: y - 12, size: 24, color: right },
    { x, y, size: 8, color: RED },
  ];
}

export async function draw(path: string, list: readonly Patch[], { width = 160, height = 120 } = {}) {
  await imageOf(patches(width, height, list))
    .png()
    .toFile(path);
}

export async function widthOf(picture: string): Promise<number> {
  return (await sharp(picture).metadata()).width;
}

/**
 * Works in a new folder for the tests of a file: people/Ann/{1,2}.png, people/Ben/1.png, both.png, empty.png (no face), broken.jpg,
 * zero.jpg; net.onnx, detector.onnx, six.onnx (another network).
 */
export function inPictureFolder(): void {
  const folder = mkdtempSync(join(tmpdir(), "topofr-recognize-"));
  const here = process.cwd();
  beforeAll(async () => {
    process.chdir(folder);
    writeFileSync("net.onnx", halvesOnnx({ size: 16 }));
    writeFileSync("net.card.yaml", "name: halves\n");
    writeFileSync("six.onnx", halvesOnnx({ size: 32 }));
    writeFileSync("detector.onnx", detectorOnnx({ family: "YuNet" }));
    mkdirSync("people/Ann", { recursive: true });
    mkdirSync("people/Ben", { recursive: true });
    await draw("people/Ann/1.png", person(64, 48, ANN));
    await draw("people/Ann/2.png", person(80, 56, ANN_AGAIN));
    await draw("people/Ben/1.png", person(64, 48, BEN));
    await draw("both.png", [...person(40, 48, BEN), ...person(104, 64, ANN_AGAIN)]);
    await draw("empty.png", []);
    writeFileSync("broken.jpg", "no picture");
    writeFileSync("zero.jpg", "");
  });
  afterEach(() => void vi.unstubAllEnvs());
  afterAll(() => {
    process.chdir(here);
    rmSync(folder, { recursive: true });
  });
}
