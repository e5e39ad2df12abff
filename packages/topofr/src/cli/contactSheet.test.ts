import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { expect, test } from "vitest";
import { contactSheet } from "./contactSheet.js";

test("rows of images become one picture, each in its place", async () => {
  const folder = await mkdtemp(join(tmpdir(), "sheet-"));
  const file = async (name: string, background: string) => {
    const path = join(folder, name);
    await sharp({ create: { width: 50, height: 50, channels: 3, background } })
      .png()
      .toFile(path);
    return path;
  };
  const [red, blue] = [await file("red.png", "#ff0000"), await file("blue.png", "#0000ff")];
  const sheet = sharp(await contactSheet([[red, red, blue], [blue]]));
  const { data, info } = await sheet.raw().toBuffer({ resolveWithObject: true });
  expect([info.width, info.height]).toEqual([4 + 3 * 116, 4 + 2 * 116]);
  const pixel = (x: number, y: number) => [
    ...data.subarray((y * info.width + x) * info.channels).subarray(0, 3),
  ];
  expect(pixel(60, 60)).toEqual([255, 0, 0]);
  expect(pixel(60 + 2 * 116, 60)).toEqual([0, 0, 255]);
  expect(pixel(60, 60 + 116)).toEqual([0, 0, 255]);
  expect(pixel(60 + 116, 60 + 116)).toEqual([255, 255, 255]);
  await rm(folder, { recursive: true });
});
