import fc from "fast-check";
import sharp from "sharp";
import { expect, test } from "vitest";
import { readImageHeader } from "./imageHeader.js";

const picture = sharp({
  create: { width: 37, height: 21, channels: 4, background: { r: 9, g: 90, b: 200, alpha: 0.5 } },
});
const encodings = {
  jpeg: picture.clone().jpeg().toBuffer(),
  progressive: picture.clone().jpeg({ progressive: true }).toBuffer(),
  annotated: picture
    .clone()
    .withExif({ IFD0: { Copyright: "nobody" } })
    .jpeg()
    .toBuffer(),
  png: picture.clone().png().toBuffer(),
  webp: picture.clone().removeAlpha().webp().toBuffer(),
  "webp without loss": picture.clone().removeAlpha().webp({ lossless: true }).toBuffer(),
  "webp with alpha": picture.clone().webp().toBuffer(),
};

test.each(Object.keys(encodings) as (keyof typeof encodings)[])("%s", async (name) => {
  const header = readImageHeader(await encodings[name]);
  expect(header).toMatchObject({ width: 37, height: 21 });
  expect(name.startsWith(header!.format === "jpg" ? "" : header!.format)).toBe(true);
});

test("any bytes give a header or null", async () => {
  const valid = await Promise.all(Object.values(encodings));
  fc.assert(
    fc.property(
      fc.constantFrom(...valid),
      fc.nat(200),
      fc.array(fc.tuple(fc.nat(60), fc.nat(255)), { maxLength: 6 }),
      (bytes, length, changes) => {
        const mutated = new Uint8Array(bytes.subarray(0, length));
        for (const [at, byte] of changes) if (at < mutated.length) mutated[at] = byte;
        const header = readImageHeader(mutated);
        expect(header === null || Number.isInteger(header.width)).toBe(true);
      },
    ),
    { seed: 2, numRuns: 500 },
  );
  expect(readImageHeader(new Uint8Array(0))).toBeNull();
});
