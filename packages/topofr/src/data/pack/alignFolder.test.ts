import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { ARCFACE_TEMPLATE, alignFace } from "@topofr/recognizer/align";
import sharp from "sharp";
import { afterAll, expect, test } from "vitest";
import { pattern, temporaryFolder, truncate, write } from "../images.test.support.js";
import { readLandmarkFile } from "../landmarkFile.js";
import { alignFolder } from "./alignFolder.js";

const root = temporaryFolder();
afterAll(() => root.remove());
const at = (...names: string[]) => join(root.path, ...names);

const WIDTH = 150;
const pixels = pattern(3, WIDTH);
/** The template, moved and twice as large: what alignment must undo. */
const points = ARCFACE_TEMPLATE.flatMap(([x, y]) => [1.1 * x + 8, 1.1 * y + 5]);

async function writePhotos(): Promise<string> {
  const png = await sharp(pixels, { raw: { width: WIDTH, height: WIDTH, channels: 3 } })
    .png()
    .toBuffer();
  for (const name of ["ann/1.png", "ann/deep/2.png", "bob/1.png", "bob/none.png"])
    write(at("photos", name), png);
  write(at("photos", "bob", "broken.png"), png);
  truncate(at("photos", "bob", "broken.png"));
  const lines = ["ann/1.png", "ann/deep/2.png", "bob/1.png", "bob/broken.png", "gone/1.png"];
  return write(at("landmarks.txt"), lines.map((name) => `${name} ${points.join(" ")}\n`).join(""));
}

test("faces are moved onto the template, folders kept, and what is skipped is named", async () => {
  const landmarks = await readLandmarkFile(await writePhotos());
  const aligned = await alignFolder(at("photos"), at("out"), { landmarks, format: "png", overwrite: false });
  expect(aligned).toMatchObject({
    images: 3,
    withoutLandmarks: ["bob/none.png"],
    failed: [expect.stringMatching(/photos\/bob\/broken.png: /)],
    missing: ["gone/1.png"],
  });
  const expected = alignFace(pixels, WIDTH, WIDTH, points, 112);
  for (const name of ["ann/1.png", "ann/deep/2.png", "bob/1.png"])
    expect(new Uint8Array(await sharp(at("out", name)).raw().toBuffer())).toEqual(expected);
  expect(existsSync(at("out", "bob", "broken.png"))).toBe(false);
  expect(readdirSync(at("out"))).toEqual(["ann", "bob"]);

  await alignFolder(at("photos"), at("jpegs"), { landmarks, format: "jpg", overwrite: false });
  expect(await sharp(at("jpegs", "ann", "1.jpg")).metadata()).toMatchObject({
    format: "jpeg",
    width: 112,
    height: 112,
  });
  await expect(
    alignFolder(at("photos"), at("out"), { landmarks, format: "png", overwrite: true }),
  ).rejects.toMatchObject({
    code: "E_DATA",
    message: expect.stringMatching(/is not empty/),
  });
  await expect(
    alignFolder(at("photos", "ann"), at("none"), { landmarks, format: "png", overwrite: false }),
  ).rejects.toMatchObject({
    code: "E_DATA",
    message: expect.stringMatching(
      /none of 2 images has landmarks; images are called like 1.png, landmarks are for ann\/1.png/,
    ),
  });
});
