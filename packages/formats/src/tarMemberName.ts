// Which names of archive members may become paths below a folder.
import { TopofrError } from "./error.js";
import { printable } from "./printable.js";

/**
 * The member's name as a relative path with "/", without "./" and doubled slashes.
 *
 * @param source name of the archive, for the message
 * @throws E_FORMAT for a name that could leave the folder it is unpacked to (absolute, with "..", with a drive letter), that has a NUL,
 * or that is empty
 */
export function safeMemberName(name: string, source = "archive"): string {
  const problem = unsafeBecause(name);
  if (problem === undefined) return components(name).join("/");
  throw new TopofrError("E_FORMAT", `${source}: member "${printable(name)}" ${problem}; refused`);
}

/** What is wrong with a name; undefined for a good one. Backslashes count as slashes, as on Windows. */
export function unsafeBecause(name: string): string | undefined {
  if (name.includes("\0")) return "has a NUL in its name";
  if (/^[/\\]/.test(name)) return "has an absolute path";
  if (/^[a-zA-Z]:/.test(name)) return "has a drive letter";
  if (name.split(/[/\\]/).includes("..")) return 'leaves its folder by ".."';
  if (components(name).length === 0) return "has no name";
  return undefined;
}

function components(name: string): string[] {
  return name.split("/").filter((component) => component !== "" && component !== ".");
}
