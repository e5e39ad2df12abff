// Positional reads from one open file, checked against its size. Not a stream, and it never maps or caches.
import { type FileHandle, open } from "node:fs/promises";
import { TopofrError } from "./error.js";
import { fileError } from "./fileError.js";

const MAX_READ_BYTES = 256 * 1024 * 1024; // one system call reads at most 2 GiB; stay well below

export interface InputFile {
  readonly path: string;
  /** Size in bytes when it was opened. */
  readonly size: number;
  /**
   * Reads exactly `length` bytes from byte `position` into fresh memory (so that any typed array fits on it).
   * Errors: E_FORMAT when the file ends earlier, E_FILE when the disk fails or memory does not suffice.
   */
  read(position: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
  close(): Promise<void>;
}

/** Opens a regular file. Errors: E_FILE. */
export async function openInputFile(path: string): Promise<InputFile> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, "r");
    const status = await handle.stat();
    if (status.isDirectory()) throw Object.assign(new Error("is a folder"), { code: "EISDIR" });
    if (!status.isFile()) throw new Error("not a regular file (a pipe, a socket or a device)");
    return inputFile(path, status.size, handle);
  } catch (error) {
    await handle?.close();
    throw fileError(path, "open the file", error);
  }
}

/** Opens `path`, lets `use` read from it, and closes it whatever happens. */
export async function withInputFile<T>(path: string, use: (file: InputFile) => Promise<T>): Promise<T> {
  const file = await openInputFile(path);
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

function inputFile(path: string, size: number, handle: FileHandle): InputFile {
  return {
    path,
    size,
    async read(position, length) {
      if (!(position >= 0 && length >= 0 && position + length <= size)) {
        throw new TopofrError(
          "E_FORMAT",
          `${path}: bytes ${position} to ${position + length} are needed, but the file ends at byte ${size}; ` +
            "it is truncated",
        );
      }
      const bytes = allocate(path, length);
      for (let done = 0; done < length; ) {
        const wanted = Math.min(length - done, MAX_READ_BYTES);
        const { bytesRead } = await handle.read(bytes, done, wanted, position + done).catch((error) => {
          throw fileError(path, "read the file", error);
        });
        if (bytesRead === 0) {
          throw new TopofrError(
            "E_FORMAT",
            `${path}: ended at byte ${position + done} while it was being read`,
          );
        }
        done += bytesRead;
      }
      return bytes;
    },
    close: () => handle.close(),
  };
}

function allocate(path: string, length: number): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(length);
  } catch (cause) {
    throw new TopofrError("E_FILE", `${path}: cannot read ${length} bytes in one piece: out of memory`, {
      cause,
    });
  }
}
