// Finds missing images before hours of embedding, by listing each folder once; no file is opened.
import { readdir } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { fileError, isSystemError, TopofrError } from "@topofr/formats";
import type { ImageSource } from "../../data/imageSource.js";

/** How many missing images an error lists by name. */
const MISSING_SHOWN = 5;

/**
 * @param name of the benchmark, for the message
 * @throws E_DATA naming the first missing files; E_FILE when a folder cannot be listed
 */
export async function checkImagesExist(images: readonly ImageSource[], name: string): Promise<void> {
  const folders = new Map<string, Set<string>>();
  const missing: string[] = [];
  for (const image of images) {
    if (image.kind !== "file") continue;
    const folder = dirname(image.path);
    const names = folders.get(folder) ?? (await list(folder));
    folders.set(folder, names);
    if (!names.has(basename(image.path))) missing.push(image.path);
  }
  if (missing.length === 0) return;
  const more = missing.length > MISSING_SHOWN ? ", …" : "";
  throw new TopofrError(
    "E_DATA",
    `${name}: ${missing.length} of ${images.length} images are missing (${missing.slice(0, MISSING_SHOWN).join(", ")}${more})`,
  );
}

async function list(folder: string): Promise<Set<string>> {
  try {
    return new Set(await readdir(folder));
  } catch (error) {
    if (isSystemError(error) && (error.code === "ENOENT" || error.code === "ENOTDIR")) return new Set();
    throw fileError(folder, "list the folder", error);
  }
}
