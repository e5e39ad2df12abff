// Which pictures a command line means: files, folders however deep, and globs; and who is on them, as far as folders say.
import { stat } from "node:fs/promises";
import { basename, dirname, extname, join, resolve, sep } from "node:path";
import { TopofrError } from "@topofr/formats";
import { glob, isDynamicPattern } from "tinyglobby";
import { byCodeUnit } from "../data/folderListing.js";

/** What the recogniser reads. */
const ENDINGS = [".jpg", ".jpeg", ".png", ".webp", ".gif", ".tif", ".tiff", ".avif"];

export interface ListedPicture {
  path: string;
  /** In a single folder, the path inside; else the path as given. */
  name: string;
  /** The folder that names the person: root/identity/image.jpg; of a glob, the folder around. Null: nothing says. */
  identity: string | null;
}

/**
 * In the order of the arguments; folders and globs sorted. A picture that is meant twice is listed once. A file need not be there:
 * whoever reads it says so.
 *
 * @throws E_DATA for a folder without pictures; E_FILE for a glob that matches nothing
 */
export async function listPictures(args: readonly string[]): Promise<ListedPicture[]> {
  const pictures = new Map<string, ListedPicture>();
  for (const arg of args)
    for (const picture of await listOne(arg, args.length === 1)) {
      const place = resolve(picture.path);
      if (!pictures.has(place)) pictures.set(place, picture);
    }
  return [...pictures.values()];
}

async function listOne(arg: string, isOnly: boolean): Promise<ListedPicture[]> {
  const found = await stat(arg).catch(() => null);
  if (found?.isDirectory()) return listFolder(arg, isOnly);
  if (found !== null || !isDynamicPattern(arg)) return [{ path: arg, name: arg, identity: null }];
  const pattern = sep === "\\" ? arg.replaceAll("\\", "/") : arg;
  const paths = (await glob(pattern, { expandDirectories: false })).filter(isPicture);
  if (paths.length === 0) throw new TopofrError("E_FILE", `${arg}: matches no picture`);
  return paths
    .sort(byCodeUnit)
    .map((path) => ({ path, name: path, identity: basename(dirname(resolve(path))) }));
}

async function listFolder(folder: string, isOnly: boolean): Promise<ListedPicture[]> {
  const paths = (await glob("**/*", { cwd: folder })).filter(isPicture);
  if (paths.length === 0)
    throw new TopofrError("E_DATA", `${folder}: no pictures in it (${ENDINGS.join(", ")})`);
  return paths.sort(byCodeUnit).map((inside) => {
    const path = join(folder, inside);
    const [first, ...deeper] = inside.split("/");
    return { path, name: isOnly ? inside : path, identity: deeper.length > 0 ? first! : null };
  });
}

const isPicture = (path: string): boolean => ENDINGS.includes(extname(path).toLowerCase());
