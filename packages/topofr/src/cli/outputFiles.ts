// Where evaluate and compare may write: checked when the command starts, not after hours of embedding.

import { access, constants, mkdir } from "node:fs/promises";
import { dirname, extname, join } from "node:path";
import { fileError, TopofrError } from "@topofr/formats";
import { isSavedPath, SAVED_FILES } from "../evaluate/savedEmbeddings.js";

/** Parser of an option that names a picture. */
export function pictureFile(flag: string) {
  return (path: string): string => checkExtension(flag, path, [".svg", ".png"]);
}

/**
 * Turns `--embeddings-out` or `--scores-out` into a file for each evaluation: the path itself when it ends in .npz or .npy, else
 * `<path>/<model>-<benchmark>.npz`, a folder that is made.
 *
 * @param several whether more than one evaluation is made
 * @throws E_USAGE for one file and several evaluations; E_FILE when it could not be written
 */
export async function arrayFiles(
  flag: string,
  path: string | undefined,
  several: boolean,
): Promise<((model: string, benchmark: string) => string) | null> {
  if (path === undefined) return null;
  if (isSavedPath(path)) {
    if (several)
      throw new TopofrError(
        "E_USAGE",
        `${flag} ${path}: one file cannot hold several evaluations; give a folder`,
      );
    await checkWritable(path);
    return () => path;
  }
  if (extname(path) !== "") checkExtension(flag, path, SAVED_FILES);
  try {
    await mkdir(path, { recursive: true });
  } catch (error) {
    throw fileError(path, `make the folder of ${flag}`, error);
  }
  return (model, benchmark) => join(path, `${fileName(model)}-${fileName(benchmark)}.npz`);
}

/** @throws E_FILE when the file's folder is missing or may not be written to */
export async function checkWritable(path: string): Promise<void> {
  await access(dirname(path), constants.W_OK).catch((error) => {
    throw fileError(path, "write a file into this folder", error);
  });
}

export const fileName = (text: string): string => text.replace(/[^\w.-]+/g, "_");

function checkExtension(flag: string, path: string, known: readonly string[]): string {
  if (known.includes(extname(path).toLowerCase())) return path;
  throw new TopofrError("E_USAGE", `${flag}: expected a ${known.join(" or ")} file, found "${path}"`);
}
