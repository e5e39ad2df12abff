// Turns an operating-system error into a TopofrError that says what to do. Knows nothing of any format.
import { TopofrError } from "./error.js";

const REMEDY: Readonly<Record<string, string>> = {
  ENOENT: "no such file or folder; check the path",
  EACCES: "permission denied; check owner and mode of the file and its folder",
  EPERM: "not permitted; check owner, mode and mount options of its folder",
  EISDIR: "it is a folder, and a file is needed",
  ENOTDIR: "a part of the path is a file, not a folder",
  ENOSPC: "the disk is full; free some space or choose another folder",
  EDQUOT: "the disk quota is used up; free some space or choose another folder",
  EFBIG: "larger than the file system or the process limit allows; see ulimit -f or choose another folder",
  EROFS: "the file system is read-only; choose another folder",
  EMFILE: "too many open files in this process; raise ulimit -n",
  ENFILE: "too many open files on this machine; close some programs",
  ENAMETOOLONG: "the name is too long; choose a shorter one",
  EIO: "the device reported an error; check the disk",
};

/** Whether an error came from the operating system (or from Node on its behalf) rather than from a bug. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  if (!(error instanceof Error) || error instanceof TopofrError) return false;
  return typeof (error as NodeJS.ErrnoException).code === "string";
}

/** An E_FILE error: `<path>: cannot <doing>: <remedy> (<code>)`. */
export function fileError(path: string, doing: string, cause: unknown): TopofrError {
  const code = isSystemError(cause) ? cause.code : undefined;
  const reason =
    (code !== undefined && REMEDY[code]) || (cause instanceof Error ? cause.message : String(cause));
  return new TopofrError("E_FILE", `${path}: cannot ${doing}: ${reason}${code ? ` (${code})` : ""}`, {
    cause,
  });
}
