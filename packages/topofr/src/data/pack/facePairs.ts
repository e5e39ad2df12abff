// Pairs of images into a .bin benchmark (LFW, CFP-FP … as insightface has them), and back into a folder with pairs.txt. Which
// pairs: evaluate/pairs.ts reads their lists; the format: formats' faceBin.
import { basename, dirname, join } from "node:path";
import { readFaceBin, writeFaceBin, writeFileAtomic } from "@topofr/formats";
import { readImageHeader } from "../imageHeader.js";
import type { ImageSource } from "../imageSource.js";
import { fitImage } from "./fitImage.js";
import { exactly, openFileTarget, openFolderTarget } from "./target.js";
import { writeNewFile } from "./writeFolder.js";

const IMAGE_DIGITS = 6;

/** Pair i is images `first[i]` and `second[i]`, of one person when `same[i]` is 1. */
export interface ListedPairs {
  images: readonly ImageSource[];
  first: Uint32Array;
  second: Uint32Array;
  same: Uint8Array;
}

export interface PairsOptions {
  /** Height and width that images are brought to; null: as they are. */
  size: number | null;
  overwrite: boolean;
  signal?: AbortSignal;
  /** In pairs. */
  onProgress?(done: number, total: number): void;
}

export interface PackedPairs {
  pairs: number;
  same: number;
  /** Of the encoded images, two a pair. */
  bytes: number;
  encodedAgain: number;
  /** How many of the images have each size: "112x112". */
  sizes: Record<string, number>;
}

/** Writes the .bin, whole or not at all. @throws E_DATA an image that cannot be read, or a file that is there already; E_FILE */
export async function packPairs(
  { images, first, second, same }: ListedPairs,
  target: string,
  { size, overwrite, signal, onProgress }: PairsOptions,
): Promise<PackedPairs> {
  await openFileTarget(dirname(target), { files: exactly(basename(target)), mark: null, overwrite });
  const packed: PackedPairs = {
    pairs: same.length,
    same: same.reduce((sum, flag) => sum + flag, 0),
    bytes: 0,
    encodedAgain: 0,
    sizes: {},
  };
  async function* encoded(): AsyncGenerator<Uint8Array, void, undefined> {
    for (let pair = 0; pair < same.length; pair++) {
      for (const place of [first[pair]!, second[pair]!]) {
        const image = await fitImage(images[place]!, size);
        const pixels = `${image.width}x${image.height}`;
        packed.sizes[pixels] = (packed.sizes[pixels] ?? 0) + 1;
        packed.bytes += image.bytes.length;
        if (image.encodedAgain) packed.encodedAgain++;
        yield image.bytes;
      }
      signal?.throwIfAborted();
      onProgress?.(pair + 1, same.length);
    }
  }
  await writeFaceBin(target, { images: encoded(), same: Array.from(same, (flag) => flag === 1) });
  return packed;
}

/**
 * Writes the images of a .bin as numbered files in `images/`, two after each other a pair, and pairs.txt with a line
 * `images/000001.jpg<TAB>images/000002.jpg<TAB>1` a pair.
 *
 * @throws E_FORMAT, E_FILE; E_DATA when the folder is not empty
 */
export async function unpackPairs(
  bin: string,
  folder: string,
  { overwrite, signal, onProgress }: Omit<PairsOptions, "size">,
): Promise<{ pairs: number; same: number }> {
  const { images, same } = await readFaceBin(bin);
  const finish = await openFolderTarget(folder, overwrite);
  const made = new Set<string>();
  const lines: string[] = [];
  for (const [pair, isSame] of same.entries()) {
    const names: string[] = [];
    for (const place of [2 * pair, 2 * pair + 1]) {
      const image = images[place]!;
      const number = String(place + 1).padStart(IMAGE_DIGITS, "0");
      const name = `images/${number}.${readImageHeader(image)?.format ?? "jpg"}`;
      await writeNewFile(folder, name, image, made);
      names.push(name);
    }
    lines.push(`${names.join("\t")}\t${isSame ? 1 : 0}\n`);
    signal?.throwIfAborted();
    onProgress?.(pair + 1, same.length);
  }
  await writeFileAtomic(join(folder, "pairs.txt"), [Buffer.from(lines.join(""))]);
  await finish();
  return { pairs: same.length, same: same.filter(Boolean).length };
}
