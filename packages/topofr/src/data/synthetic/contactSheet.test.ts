import sharp from "sharp";
import { expect, test } from "vitest";
import { contactSheet } from "./contactSheet.js";

const flat = (size: number, red: number): Uint8Array =>
  Uint8Array.from({ length: size * size * 3 }, (_, i) => (i % 3 === 0 ? red : 10));

async function decode(png: Uint8Array) {
  const { data, info } = await sharp(png).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  const at = (x: number, y: number): number[] => {
    const start = (y * info.width + x) * info.channels;
    return [...data.subarray(start, start + 3)];
  };
  return { info, at };
}

test("images lie in rows of the given number of columns, on white", async () => {
  const { info, at } = await decode(
    await contactSheet(
      [200, 100, 50].map((red) => ({ pixels: flat(20, red) })),
      { columns: 2, size: 20 },
    ),
  );
  expect([info.width, info.height]).toEqual([4 + 2 * 24, 4 + 2 * 24]);
  expect(at(1, 1)).toEqual([255, 255, 255]);
  expect(at(10, 10)).toEqual([200, 10, 10]);
  expect(at(34, 10)).toEqual([100, 10, 10]);
  expect(at(10, 34)).toEqual([50, 10, 10]);
  expect(at(34, 34)).toEqual([255, 255, 255]);
});

test("captions leave marks below the image, accents colour its frame", async () => {
  const images = [{ pixels: flat(40, 90), caption: "1.41 <&>", accent: "hard" as const }];
  const { info, at } = await decode(await contactSheet(images, { columns: 5, size: 40 }));
  expect(info.height).toBe(4 + 40 + 15 + 4);
  let ink = 0;
  for (let x = 4; x < 44; x++) for (let y = 46; y < 60; y++) if (at(x, y)[0]! < 160) ink++;
  expect(ink).toBeGreaterThan(20);
  expect(at(20, 3)).toEqual([0xd1, 0x49, 0x5b]);
});

test("an image of the wrong size is refused with both sizes", async () => {
  await expect(contactSheet([{ pixels: flat(19, 1) }], { columns: 1, size: 20 })).rejects.toThrow(
    "image 0 has 1083 bytes, expected 20x20x3 = 1200",
  );
  await expect(contactSheet([], { columns: 1, size: 20 })).rejects.toMatchObject({ code: "E_USAGE" });
});
