// Aligns the faces of a folder to 112x112 by given landmarks, into a folder of the same structure. The transform: `alignFace` of
// @topofr/recognizer/align.
import { readdir } from "node:fs/promises";
import { extname, join } from "node:path";
import { fileError, TopofrError } from "@topofr/formats";
import sharp from "sharp";
import { decodeAll } from "../decodeAll.js";
import { byCodeUnit } from "../folderListing.js";
import { IMAGE_EXTENSIONS } from "../imageFolder.js";
import type { LandmarkFile } from "../landmarkFile.js";
import { mapParallel } from "../mapParallel.js";
import { openFolderTarget } from "./target.js";
import { writeNewFile } from "./writeFolder.js";

const SIZE = 112; // pixels; the size that the template is given for
const JPEG_QUALITY = 95; // as MS1MV2 and Glint360K are stored

export interface AlignOptions {
  landmarks: LandmarkFile;
  format: "jpg" | "png";
  overwrite: boolean;
  signal?: AbortSignal;
  onProgress?(done: number, total: number): void;
}

export interface AlignedFolder {
  images: number;
  /** Images without landmarks, by path in the folder. */
  withoutLandmarks: string[];
  /** Images that cannot be decoded or aligned, and why. */
  failed: string[];
  /** Paths with landmarks where no image is. */
  missing: string[];
  seconds: number;
}

/**
 * Every image below `folder`, however deep, that has landmarks. Names stay, but for the ending.
 *
 * @throws E_FILE; E_DATA when none of the images has landmarks, when two images would get one name, or when `target` is not empty
 */
export async function alignFolder(
  folder: string,
  target: string,
  options: AlignOptions,
): Promise<AlignedFolder> {
  const started = performance.now();
  const { landmarks, format, signal, onProgress } = options;
  const found = (await listImages(folder, "")).sort(byCodeUnit);
  const names = found.filter((name) => landmarks.byPath.has(name));
  const present = new Set(found);
  if (names.length === 0) {
    const [first = "none"] = found;
    const [listed = "none"] = landmarks.byPath.keys();
    throw new TopofrError(
      "E_DATA",
      `${folder}: none of ${found.length} images has landmarks; images are called like ${first}, landmarks are for ${listed}: paths must be ` +
        "relative to the folder",
    );
  }
  const finish = await openFolderTarget(target, options.overwrite);
  const failed: string[] = [];
  const made = new Set<string>();
  const sourceAt = (index: number) => ({
    kind: "file" as const,
    path: join(folder, names[index]!),
    landmarks: landmarks.byPath.get(names[index]!)!,
  });
  for await (const batch of decodeAll(names.length, sourceAt, { size: SIZE, resize: "error", signal })) {
    const reasons = new Map(batch.failures.map(({ item, reason }) => [item, reason]));
    await mapParallel(names.slice(batch.start, batch.start + batch.count), async (name, i) => {
      const reason = reasons.get(i);
      if (reason !== undefined) return failed.push(`${join(folder, name)}: ${reason}`);
      const pixels = batch.images.subarray(i * SIZE * SIZE * 3, (i + 1) * SIZE * SIZE * 3);
      const aligned = `${name.slice(0, -extname(name).length)}.${format}`;
      return writeNewFile(target, aligned, await encode(pixels, format), made);
    });
    batch.release();
    onProgress?.(batch.start + batch.count, names.length);
  }
  await finish();
  return {
    images: names.length - failed.length,
    withoutLandmarks: found.filter((name) => !landmarks.byPath.has(name)),
    failed,
    missing: [...landmarks.byPath.keys()].filter((path) => !present.has(path)),
    seconds: (performance.now() - started) / 1000,
  };
}

function encode(pixels: Uint8Array, format: "jpg" | "png"): Promise<Buffer> {
  const image = sharp(pixels, { raw: { width: SIZE, height: SIZE, channels: 3 } });
  return (format === "jpg" ? image.jpeg({ quality: JPEG_QUALITY }) : image.png()).toBuffer();
}

/** Paths of the images below a folder, with "/". Hidden files and folders are skipped, links to folders not followed. */
async function listImages(root: string, inside: string): Promise<string[]> {
  const entries = await readdir(join(root, inside), { withFileTypes: true }).catch((error: unknown) => {
    throw fileError(join(root, inside), "list the folder", error);
  });
  const visible = entries.filter(({ name }) => !name.startsWith("."));
  const images = visible
    .filter((entry) => !entry.isDirectory() && isImage(entry.name))
    .map(({ name }) => inside + name);
  for (const folder of visible.filter((entry) => entry.isDirectory()))
    images.push(...(await listImages(root, `${inside}${folder.name}/`)));
  return images;
}

function isImage(name: string): boolean {
  return (IMAGE_EXTENSIONS as readonly string[]).includes(extname(name).toLowerCase());
}
