// Places that a command is about to write a data set to: what may be there already, and the mark that it is not complete yet.
// A set of one file needs no mark, its file appears whole or not at all; a folder, or several shards, grow for a while.
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileError, TopofrError } from "@topofr/formats";
import { UNFINISHED } from "../openDataset.js";

const MARK = `${JSON.stringify({ complete: false })}\n`;

/**
 * Makes a folder ready to be filled, and marks it as not complete. A folder that a stopped command has left is emptied by
 * `overwrite`, one with anything else in it never.
 *
 * @returns takes the mark away: everything is written
 * @throws E_DATA when something is in the folder; E_FILE when it cannot be made
 */
export async function openFolderTarget(folder: string, overwrite: boolean): Promise<() => Promise<void>> {
  const mark = join(folder, UNFINISHED);
  const names = await listOrMake(folder);
  if (names.includes(UNFINISHED)) {
    if (!overwrite) throw unfinished(folder, `${UNFINISHED} is in it`);
    // The mark goes last, so that a kill in between leaves a folder that still says what it is.
    for (const name of names) if (name !== UNFINISHED) await remove(join(folder, name));
  } else if (names.length > 0) {
    throw new TopofrError(
      "E_DATA",
      `${folder}: is not empty (${names[0]}${names.length > 1 ? " …" : ""}); choose another folder, or empty it yourself`,
    );
  }
  await writeMark(mark);
  return () => remove(mark);
}

/**
 * Makes sure that the files of a set may be written, and marks them as not complete when they are several that appear one by one.
 *
 * @param files names in `folder` that the set will have
 * @param mark name of the mark; null: the files appear together
 * @returns takes the mark away: everything is written
 * @throws E_DATA when one of them is there, or a part of one. `overwrite` removes parts, and marked sets; files that appear together
 *   stay until they are replaced
 */
export async function openFileTarget(
  folder: string,
  { files, mark, overwrite }: { files: RegExp; mark: string | null; overwrite: boolean },
): Promise<() => Promise<void>> {
  const names = await listOrMake(folder);
  const parts = names.filter((name) => {
    const whole = /^(.*)\.tmp-\d+-\d+$/.exec(name)?.[1];
    return name === mark || (whole !== undefined && files.test(whole));
  });
  const present = names.filter((name) => files.test(name));
  if (!overwrite) {
    if (parts.length > 0) throw unfinished(join(folder, parts[0]!), "part of a set");
    if (present.length > 0)
      throw new TopofrError(
        "E_DATA",
        `${join(folder, present[0]!)}: is there already; choose another name, or add --overwrite`,
      );
  }
  if (mark !== null) await writeMark(join(folder, mark));
  for (const name of mark === null ? parts : [...parts, ...present])
    if (name !== mark) await remove(join(folder, name));
  return async () => {
    if (mark !== null) await remove(join(folder, mark));
  };
}

/** A pattern for exactly this file name. */
export function exactly(...names: string[]): RegExp {
  return new RegExp(`^(?:${names.map(literally).join("|")})$`);
}

/** Text as a part of a regular expression. */
export function literally(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

async function listOrMake(folder: string): Promise<string[]> {
  try {
    await mkdir(folder, { recursive: true });
    return await readdir(folder);
  } catch (error) {
    throw fileError(folder, "make the folder", error);
  }
}

async function writeMark(path: string): Promise<void> {
  await writeFile(path, MARK).catch((error: unknown) => {
    throw fileError(path, "write the file", error);
  });
}

async function remove(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true }).catch((error: unknown) => {
    throw fileError(path, "remove what a stopped command has left", error);
  });
}

function unfinished(path: string, why: string): TopofrError {
  return new TopofrError(
    "E_DATA",
    `${path}: is not complete (${why}): the command that was writing it is still running, or was stopped; add --overwrite to begin again`,
  );
}

/** "train" and its folder, of the path of train.rec. */
export function splitTarget(path: string, ending: string): { folder: string; stem: string } {
  return { folder: dirname(path), stem: basename(path, ending) };
}
