import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readFaceBin } from "@topofr/formats";
import { afterAll, beforeAll, expect, test } from "vitest";
import { imageFile } from "../imageSource.js";
import { pattern, picture, temporaryFolder, write } from "../images.test.support.js";
import { packPairs, unpackPairs } from "./facePairs.js";

const root = temporaryFolder();
const at = (...names: string[]) => join(root.path, ...names);
const names = ["a.jpg", "b.jpg", "c.png"];
beforeAll(async () => {
  for (const [i, name] of names.entries()) {
    const image = picture(pattern(50 * i));
    write(at(name), await (name.endsWith("png") ? image.png() : image.jpeg()).toBuffer());
  }
});
afterAll(() => root.remove());

const pairs = {
  images: names.map((name) => imageFile(at(name))),
  first: Uint32Array.of(0, 2, 1),
  second: Uint32Array.of(1, 0, 2),
  same: Uint8Array.of(1, 0, 0),
};
const options = { size: null, overwrite: false };

test("pairs go into a .bin byte for byte and come out of it as files with a list", async () => {
  const packed = await packPairs(pairs, at("x.bin"), options);
  expect(packed).toMatchObject({ pairs: 3, same: 1, encodedAgain: 0, sizes: { "16x16": 6 } });
  const { images, same } = await readFaceBin(at("x.bin"));
  expect(same).toEqual([true, false, false]);
  const expected = [0, 1, 2, 0, 1, 2].map((i) => readFileSync(at(names[i]!)));
  expect(images.map((image) => Buffer.from(image))).toEqual(expected);

  expect(await unpackPairs(at("x.bin"), at("out"), options)).toEqual({ pairs: 3, same: 1 });
  expect(readFileSync(at("out", "pairs.txt"), "utf8")).toBe(
    "images/000001.jpg\timages/000002.jpg\t1\nimages/000003.png\timages/000004.jpg\t0\nimages/000005.jpg\timages/000006.png\t0\n",
  );
  expect(readFileSync(at("out", "images", "000003.png"))).toEqual(expected[2]);
  await expect(unpackPairs(at("x.bin"), at("out"), options)).rejects.toThrow(/is not empty/);
  await expect(packPairs(pairs, at("x.bin"), options)).rejects.toThrow(/is there already/);
});

test("a missing image is named and leaves no file; images are brought to a size if asked", async () => {
  const broken = { ...pairs, images: [...pairs.images.slice(0, 2), imageFile(at("gone.png"))] };
  await expect(packPairs(broken, at("y.bin"), options)).rejects.toMatchObject({
    code: "E_FILE",
    message: expect.stringMatching(/gone.png/),
  });
  expect(existsSync(at("y.bin"))).toBe(false);
  const packed = await packPairs(pairs, at("z.bin"), { ...options, size: 20 });
  expect(packed).toMatchObject({ encodedAgain: 6, sizes: { "20x20": 6 } });
});
