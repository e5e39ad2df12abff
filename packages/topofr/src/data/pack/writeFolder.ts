// Writes an image folder, `identity/file`. Reading it: imageFolder.ts.
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileError, isSystemError, safeMemberName, TopofrError } from "@topofr/formats";
import type { PackInput } from "./packInput.js";
import { openFolderTarget } from "./target.js";

/**
 * @returns the folder
 * @throws E_DATA when two images have the same name, or a name leads out of the folder
 */
export async function writeFolder(folder: string, input: PackInput): Promise<string[]> {
  const finish = await openFolderTarget(folder, input.overwrite);
  const made = new Set<string>();
  for await (const { name, bytes } of input.images) await writeNewFile(folder, name, bytes, made);
  await finish();
  return [folder];
}

/** Writes a file that must not be there yet, with the folder that it is in. `made` remembers the folders. */
export async function writeNewFile(
  folder: string,
  name: string,
  bytes: Uint8Array,
  made: Set<string>,
): Promise<void> {
  const path = join(folder, safeMemberName(name, folder));
  const parent = dirname(path);
  try {
    if (!made.has(parent)) await mkdir(parent, { recursive: true });
    made.add(parent);
    await writeFile(path, bytes, { flag: "wx" });
  } catch (error) {
    if (isSystemError(error) && error.code === "EEXIST")
      throw new TopofrError("E_DATA", `${path}: two images have this name; rename one of them`, {
        cause: error,
      });
    throw fileError(path, "write the image", error);
  }
}
