// Pictures of every kind that people have, made in the test, and files that are none.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { crc32 } from "node:zlib";
import sharp from "sharp";
import { afterAll, expect, test } from "vitest";
import { BLUE, imageOf, patches, pattern, RED } from "./pictures.test.support.js";
import { readImage, sourceName } from "./readImage.js";

const folder = mkdtempSync(join(tmpdir(), "topofr-read-"));
afterAll(() => rmSync(folder, { recursive: true }));

const MOST = 1e6;
const WIDTH = 48;
const HEIGHT = 32;
/** Red in the upper left corner, blue in the lower right. */
const picture = patches(WIDTH, HEIGHT, [
  { x: 0, y: 0, size: 16, color: RED },
  { x: WIDTH - 16, y: HEIGHT - 16, size: 16, color: BLUE },
]);

async function read(bytes: Uint8Array) {
  const { width, height, pixels } = await readImage(bytes, MOST);
  expect(pixels).toHaveLength(width * height * 3);
  const at = (x: number, y: number) => [...pixels.subarray((y * width + x) * 3, (y * width + x) * 3 + 3)];
  return { width, height, at };
}

function expectColor(found: number[], wanted: readonly number[], tolerance: number): void {
  for (const [i, value] of found.entries())
    expect(Math.abs(value - wanted[i]!)).toBeLessThanOrEqual(tolerance);
}

test("a path, a file: URL and bytes give the same pixels", async () => {
  const path = join(folder, "ü b.png");
  const bytes = await imageOf(picture).png().toBuffer();
  writeFileSync(path, bytes);
  for (const source of [path, pathToFileURL(path), bytes, Uint8Array.from(bytes)])
    expect(await readImage(source, MOST)).toEqual({ ...picture, pixels: Buffer.from(picture.pixels) });
  expect(sourceName(pathToFileURL(path))).toBe(path);
});

test.each(["jpeg", "webp", "tiff", "gif", "avif"] as const)("%s", async (format) => {
  const { width, height, at } = await read(await imageOf(picture).toFormat(format).toBuffer());
  expect([width, height]).toEqual([WIDTH, HEIGHT]);
  expectColor(at(4, 4), RED, 16);
  expectColor(at(WIDTH - 4, HEIGHT - 4), BLUE, 16);
});

test.each([
  [3, [WIDTH - 1, HEIGHT - 1]],
  [6, [HEIGHT - 1, 0]],
  [8, [0, WIDTH - 1]],
] as const)("an EXIF rotation (%i) is honoured", async (orientation, corner) => {
  const bytes = await imageOf(picture).withMetadata({ orientation }).png().toBuffer();
  const { width, height, at } = await read(bytes);
  expect([width, height]).toEqual(orientation === 3 ? [WIDTH, HEIGHT] : [HEIGHT, WIDTH]);
  expect(at(corner[0], corner[1])).toEqual([...RED]); // the stored upper left corner
});

test("CMYK is converted", async () => {
  const bytes = await imageOf(picture).toColourspace("cmyk").jpeg({ quality: 95 }).toBuffer();
  expect((await sharp(bytes).metadata()).channels).toBe(4);
  const { at } = await read(bytes);
  const [red, green, blue] = at(4, 4);
  expect(red).toBeGreaterThan(180);
  expect(Math.max(green!, blue!)).toBeLessThan(80);
});

test("grey becomes three equal channels, 16 bits become 8", async () => {
  for (const colours of ["b-w", "grey16"] as const) {
    const grey = await imageOf(picture).toColourspace(colours).png().toBuffer();
    const [red, green, blue] = (await read(grey)).at(20, 4);
    expect([red, green, blue]).toEqual([100, 100, 100]);
  }
  const deep = await imageOf(picture).toColourspace("rgb16").png().toBuffer();
  expect((await sharp(deep).metadata()).depth).toBe("ushort");
  expect((await read(deep)).at(4, 4)).toEqual([...RED]);
});

test("what is transparent shows white", async () => {
  const raw = { raw: { width: 2, height: 1, channels: 4 } } as const;
  const pixels = Uint8Array.of(200, 0, 0, 0, 200, 0, 0, 51); // wholly, and to four fifths
  const { at } = await read(await sharp(pixels, raw).png().toBuffer());
  expect(at(0, 0)).toEqual([255, 255, 255]);
  expect(at(1, 0)).toEqual([244, 204, 204]);
  const grey = await sharp(Uint8Array.of(10, 255, 10, 0), { raw: { width: 2, height: 1, channels: 2 } })
    .png()
    .toBuffer();
  expect((await read(grey)).at(0, 0)).toEqual([10, 10, 10]);
});

test("of an animation the first frame", async () => {
  const frames = new Uint8Array(2 * 16 * 16 * 3);
  for (let i = 0; i < frames.length; i += 3) frames.set(i < frames.length / 2 ? RED : BLUE, i);
  for (const format of ["gif", "webp"] as const) {
    const raw = { width: 16, height: 32, channels: 3, pageHeight: 16 } as const;
    const bytes = await sharp(frames, { raw })
      .toFormat(format, { loop: 0, delay: [100, 100] })
      .toBuffer();
    expect((await sharp(bytes).metadata()).pages).toBe(2);
    const { width, height, at } = await read(bytes);
    expect([width, height]).toEqual([16, 16]);
    expectColor(at(8, 8), RED, 8);
  }
});

/** A PNG whose header promises `width` x `height` pixels, without any. */
function pngHeader(width: number, height: number): Uint8Array {
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    sum.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, sum]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2], 8); // 8 bits, RGB
  return Buffer.concat([
    Buffer.from("89504e470d0a1a0a", "hex"),
    chunk("IHDR", header),
    chunk("IDAT", Buffer.from("789c030000000001", "hex")),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

test("100 million pixels are refused by the header alone, and a limit can be raised", async () => {
  const bytes = pngHeader(10_000, 10_000);
  await expect(readImage(bytes, 64e6)).rejects.toMatchObject({
    code: "E_DATA",
    message: `picture of ${bytes.length} bytes: 10000x10000 are 100 million pixels; the limit is 64 million. Scale it down, or raise maxPixels`,
  });
  const small = await imageOf(picture).png().toBuffer();
  await expect(readImage(small, WIDTH * HEIGHT - 1)).rejects.toMatchObject({ code: "E_DATA" });
  expect(await readImage(small, WIDTH * HEIGHT)).toMatchObject({ width: WIDTH });
});

test("what is no image, or a damaged one, is E_FORMAT and names the source", async () => {
  const png = await imageOf(picture).png().toBuffer();
  const jpeg = await imageOf({ width: 200, height: 200, pixels: pattern(200, 200) })
    .jpeg()
    .toBuffer();
  const svg =
    '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>';
  for (const [name, bytes, reason] of [
    ["empty.jpg", Buffer.alloc(0), "0 bytes; not an image"],
    ["text.jpg", Buffer.from("hello, this is no image"), "not an image, damaged, or of another format"],
    ["drawing.svg", Buffer.from(svg), "is svg; pictures are read from"],
    ["cut.png", png.subarray(0, png.length - 40), "damaged image"],
    ["cut.jpg", jpeg.subarray(0, jpeg.length / 2), "damaged image"],
    ["huge.png", pngHeader(100, 100), "damaged image"],
  ] as const) {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    await expect(readImage(path, MOST), name).rejects.toMatchObject({
      code: "E_FORMAT",
      message: expect.stringContaining(`${path}: ${reason}`) as string,
    });
  }
  await expect(readImage(Buffer.alloc(0), MOST)).rejects.toThrow("picture of 0 bytes: 0 bytes");
});

test("a file that is not there or is a folder is E_FILE; anything else is E_USAGE", async () => {
  mkdirSync(join(folder, "album"));
  for (const path of [join(folder, "none.jpg"), join(folder, "album")])
    await expect(readImage(path, MOST)).rejects.toMatchObject({
      code: "E_FILE",
      message: expect.stringContaining(`${path}: cannot read the picture`) as string,
    });
  for (const source of [new URL("https://example.org/a.jpg"), 5, {}, null, undefined])
    await expect(readImage(source as string, MOST)).rejects.toMatchObject({ code: "E_USAGE" });
});
