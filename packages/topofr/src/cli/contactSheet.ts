// Rows of face images on one picture.

import sharp from "sharp";

const TILE = 112; // pixels
const GAP = 4;
const BACKGROUND = "#ffffff";

/** A PNG with one row of images (files of any size, shown at 112x112) for each list of paths. */
export async function contactSheet(rows: readonly (readonly string[])[]): Promise<Uint8Array> {
  const columns = Math.max(1, ...rows.map((row) => row.length));
  const place = (index: number) => GAP + index * (TILE + GAP);
  const tiles = rows.flatMap((row, y) =>
    row.map(async (path, x) => ({
      input: await sharp(path).resize(TILE, TILE).png().toBuffer(),
      left: place(x),
      top: place(y),
    })),
  );
  return sharp({
    create: {
      width: place(columns),
      height: place(Math.max(1, rows.length)),
      channels: 3,
      background: BACKGROUND,
    },
  })
    .composite(await Promise.all(tiles))
    .png()
    .toBuffer();
}
