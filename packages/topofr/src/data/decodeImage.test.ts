import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, expect, test } from "vitest";
import { RandomStream } from "../random/stream.js";
import { type DecodeProblem, decodeImage, type ResizePolicy } from "./decodeImage.js";
import { imageFile } from "./imageSource.js";
import { pattern, picture, TEST_SIZE, temporaryFolder, truncate, write } from "./images.test.support.js";

const folder = temporaryFolder();
afterAll(() => folder.remove());
const SIZE = 48;
const place = (name: string) => join(folder.path, name);
const save = (name: string, bytes: Uint8Array | string) => write(place(name), bytes);

async function pixelsOf(path: string, size = TEST_SIZE, resize?: ResizePolicy): Promise<Uint8Array> {
  const result = await decodeImage(imageFile(path), size, resize);
  if (result instanceof Uint8Array) return result.slice();
  throw new Error(`${result.kind}: ${result.reason}`);
}

async function problemOf(path: string, size = TEST_SIZE): Promise<DecodeProblem> {
  const result = await decodeImage(imageFile(path), size);
  if (result instanceof Uint8Array) throw new Error(`${path} was decoded`);
  return result;
}

test("PNG and lossless WebP come back exactly, row by row as RGB", async () => {
  const pixels = pattern(200);
  for (const [name, image] of [
    ["a.png", picture(pixels).png()],
    ["a.webp", picture(pixels).webp({ lossless: true })],
  ] as const) {
    expect([...(await pixelsOf(save(name, await image.toBuffer())))]).toEqual([...pixels]);
  }
});

test("a JPEG comes back within its compression loss", async () => {
  const pixels = pattern(200);
  const decoded = await pixelsOf(
    save("a.jpg", await picture(pixels).jpeg({ quality: 98, chromaSubsampling: "4:4:4" }).toBuffer()),
  );
  const error = decoded.reduce((sum, value, i) => sum + Math.abs(value - pixels[i]!), 0) / pixels.length;
  expect(error).toBeLessThan(3);
});

test("the fast way and libvips give equal pixels, whatever the subsampling, progressive or grey", async () => {
  const stream = new RandomStream(2, "noise");
  const noise = Uint8Array.from({ length: SIZE * SIZE * 3 }, () => stream.integer(256));
  for (const [name, jpeg] of Object.entries({
    "420": picture(noise, SIZE).blur(1).jpeg({ quality: 90 }),
    "444": picture(noise, SIZE).jpeg({ quality: 75, chromaSubsampling: "4:4:4" }),
    progressive: picture(noise, SIZE).blur(2).jpeg({ progressive: true }),
    grey: picture(noise, SIZE).toColourspace("b-w").jpeg(),
  })) {
    const bytes = await jpeg.toBuffer();
    const { data } = await sharp(bytes).toColourspace("srgb").raw().toBuffer({ resolveWithObject: true });
    expect([name, ...(await pixelsOf(save(`${name}.jpg`, bytes), SIZE))]).toEqual([name, ...data]);
  }
});

test("grey images, of 8 and 16 bits, have three equal channels", async () => {
  const grey = Uint8Array.from({ length: TEST_SIZE ** 2 }, (_, i) => i);
  const options = { raw: { width: TEST_SIZE, height: TEST_SIZE, channels: 1 as const } };
  const expected = [...grey].flatMap((value) => [value, value, value]);
  const eight = await sharp(grey, options).toColourspace("b-w").png().toBuffer();
  const sixteen = await sharp(
    Uint16Array.from(grey, (value) => value * 257),
    options,
  )
    .toColourspace("grey16")
    .png()
    .toBuffer();
  expect((await sharp(eight).metadata()).channels).toBe(1);
  expect((await sharp(sixteen).metadata()).depth).toBe("ushort");
  expect([...(await pixelsOf(save("grey8.png", eight)))]).toEqual(expected);
  expect([...(await pixelsOf(save("grey16.png", sixteen)))]).toEqual(expected);
});

test("alpha is dropped, 16-bit colour reduced, CMYK converted", async () => {
  const pixels = pattern(100);
  const alpha = await picture(pixels).ensureAlpha(0.25).png().toBuffer();
  expect((await sharp(alpha).metadata()).hasAlpha).toBe(true);
  expect([...(await pixelsOf(save("alpha.png", alpha)))]).toEqual([...pixels]);

  const deep = await picture(pixels).toColourspace("rgb16").png().toBuffer();
  expect((await sharp(deep).metadata()).depth).toBe("ushort");
  expect([...(await pixelsOf(save("deep.png", deep)))]).toEqual([...pixels]);

  const flat = sharp({
    create: { width: TEST_SIZE, height: TEST_SIZE, channels: 3, background: "rgb(180, 90, 60)" },
  });
  const cmyk = await flat.toColourspace("cmyk").jpeg({ quality: 100 }).toBuffer();
  expect((await sharp(cmyk).metadata()).space).toBe("cmyk");
  const [red, green, blue] = await pixelsOf(save("cmyk.jpg", cmyk));
  for (const [found, wanted] of [
    [red, 180],
    [green, 90],
    [blue, 60],
  ] as const) {
    expect(Math.abs(found! - wanted)).toBeLessThan(30); // the round trip goes through a printing profile
  }
});

test("EXIF rotation is applied: orientation 6 is a quarter turn clockwise", async () => {
  const upright = pattern(100);
  const stored = await picture(upright).rotate(-90).png().withMetadata({ orientation: 6 }).toBuffer();
  expect((await sharp(stored).metadata()).orientation).toBe(6);
  expect([...(await pixelsOf(save("turned.png", stored)))]).toEqual([...upright]);
});

test("another size is a problem that names what was found; with fit it is scaled and cropped at the centre", async () => {
  const wide = await sharp({ create: { width: 60, height: 30, channels: 3, background: "red" } })
    .composite([
      { input: await picture(pattern(0), TEST_SIZE).resize(30, 30).png().toBuffer(), left: 15, top: 0 },
    ])
    .png()
    .toBuffer();
  const path = save("wide.png", wide);
  expect(await problemOf(path)).toEqual({ kind: "size", reason: "60x30" });
  const fitted = await pixelsOf(path, TEST_SIZE, "fit");
  expect(fitted).toHaveLength(TEST_SIZE ** 2 * 3);
  const middle = (TEST_SIZE * TEST_SIZE + TEST_SIZE) / 2;
  expect(fitted[middle * 3]).toBeLessThan(60); // the red borders are cropped away
  const exact = save("exact.png", await picture(pattern(7)).png().toBuffer());
  expect([...(await pixelsOf(exact, TEST_SIZE, "fit"))]).toEqual([...pattern(7)]);
});

test("a file that is not a whole image is unreadable, with the decoder's reason", async () => {
  const stream = new RandomStream(1, "noise");
  const noise = Uint8Array.from({ length: SIZE * SIZE * 3 }, () => stream.integer(256));
  const jpeg = await picture(noise, SIZE).jpeg().toBuffer();
  const cut = save("cut.jpg", jpeg);
  truncate(cut);
  const holed = save("holed.jpg", jpeg);
  const bytes = readFileSync(holed);
  bytes.fill(0xff, Math.floor(bytes.length * 0.6), Math.floor(bytes.length * 0.6) + 400);
  writeFileSync(holed, bytes);
  const png = save("cut.png", await picture(noise, SIZE).png().toBuffer());
  truncate(png);
  const broken = [
    cut,
    holed,
    png,
    save("empty.jpg", ""),
    save("text.jpg", "not an image\n"),
    place("missing.jpg"),
    folder.path,
  ];
  for (const path of broken) {
    const problem = await problemOf(path, SIZE);
    expect([path, problem.kind]).toEqual([path, "unreadable"]);
    expect(problem.reason).toMatch(/\S/);
    expect(problem.reason).not.toContain("\n");
  }
});

test("an aligned face is made smaller for a smaller network, whatever its format: means of areas", async () => {
  const stream = new RandomStream(4, "noise");
  const noise = Uint8Array.from({ length: 112 * 112 * 3 }, () => stream.integer(256));
  const halved = Uint8Array.from({ length: 56 * 56 * 3 }, (_, i) => {
    const [y, x, channel] = [Math.floor(i / 168), Math.floor(i / 3) % 56, i % 3];
    const at = (dy: number, dx: number) => noise[((2 * y + dy) * 112 + 2 * x + dx) * 3 + channel]!;
    return Math.floor((at(0, 0) + at(0, 1) + at(1, 0) + at(1, 1)) / 4 + 0.5);
  });
  const png = save("aligned.png", await picture(noise, 112).png().toBuffer());
  expect([...(await pixelsOf(png, 56))]).toEqual([...halved]);
  expect([...(await pixelsOf(png, 56, "fit"))]).toEqual([...halved]);

  // The mean of everything survives, here where no area has whole pixels.
  const mean = (pixels: Uint8Array) => pixels.reduce((sum, value) => sum + value, 0) / pixels.length;
  const smaller = await pixelsOf(png, 48);
  expect(smaller).toHaveLength(48 * 48 * 3);
  expect(mean(smaller)).toBeCloseTo(mean(noise), 1);

  const jpeg = save("aligned.jpg", await picture(noise, 112).blur(2).jpeg().toBuffer());
  const decoded = save(
    "decoded.png",
    await picture(await pixelsOf(jpeg, 112), 112)
      .png()
      .toBuffer(),
  );
  expect([...(await pixelsOf(jpeg, 64))]).toEqual([...(await pixelsOf(decoded, 64))]);

  const other = save(
    "other.png",
    await picture(noise.subarray(0, 100 * 100 * 3), 100)
      .png()
      .toBuffer(),
  );
  expect(await problemOf(other, 64)).toEqual({ kind: "size", reason: "100x100" });
  expect(await problemOf(png, 128)).toEqual({ kind: "size", reason: "112x112" });
});
