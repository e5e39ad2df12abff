// A file under construction: written piece by piece under a temporary name, and moved into place at the end, whole. Not a
// lock: two processes that write the same path both succeed, and the last rename wins.
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { TopofrError } from "./error.js";
import { fileError, isSystemError } from "./fileError.js";

const BATCH_BYTES = 1024 * 1024; // small pieces are gathered into writes of this size
const MAX_WRITE_BYTES = 256 * 1024 * 1024;

let writes = 0; // makes the temporary names of one process distinct

/**
 * The bytes go to `<path>.tmp-<pid>-<n>` in the same folder, are flushed to the disk (fsync), renamed over `path`, and the
 * folder is flushed. After a failure or `abort` the temporary file is gone and `path` is as before. A process killed half-way
 * leaves its temporary file, which nobody reads and which may be deleted.
 *
 * Every method throws E_FILE with path, cause and remedy, after the clean-up; E_USAGE when the file is finished or aborted.
 */
export class AtomicFile {
  readonly path: string;
  readonly #temporary: string;
  readonly #batch = new Uint8Array(BATCH_BYTES);
  #handle: FileHandle | undefined;
  #batched = 0;
  #length = 0;
  #state: "open" | "prepared" | "ended" = "open";

  private constructor(path: string, temporary: string, handle: FileHandle) {
    this.path = path;
    this.#temporary = temporary;
    this.#handle = handle;
  }

  /** @param mode permissions of the new file, before the process's umask; default: read and write for all */
  static async open(path: string, { mode = 0o666 }: { mode?: number } = {}): Promise<AtomicFile> {
    const temporary = `${path}.tmp-${process.pid}-${writes++}`;
    try {
      return new AtomicFile(path, temporary, await open(temporary, "w", mode));
    } catch (error) {
      throw writeError(path, error);
    }
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  /** Appends bytes, which may be changed afterwards. */
  async write(bytes: Uint8Array): Promise<void> {
    const handle = this.#openHandle();
    this.#length += bytes.length;
    if (this.#batched + bytes.length > BATCH_BYTES) await this.#guard(() => this.#writeBatch(handle));
    if (bytes.length > BATCH_BYTES) {
      await this.#guard(() => writeAll(handle, bytes));
    } else {
      this.#batch.set(bytes, this.#batched);
      this.#batched += bytes.length;
    }
  }

  /** Flushes everything to the disk and closes the file, still under its temporary name. `finish` does it by itself. */
  async prepare(): Promise<void> {
    const handle = this.#openHandle();
    await this.#guard(async () => {
      await this.#writeBatch(handle);
      await handle.sync();
      this.#handle = undefined;
      await handle.close();
    });
    this.#state = "prepared";
  }

  /** Moves the file to its path, where a reader sees the old content or the new, never a part. */
  async finish(): Promise<void> {
    if (this.#state !== "prepared") await this.prepare();
    await this.#guard(() => rename(this.#temporary, this.path));
    this.#state = "ended";
    await syncFolder(this.path);
  }

  /** Drops what was written. Harmless when the file is finished or aborted already. */
  async abort(): Promise<void> {
    if (this.#state === "ended") return;
    this.#state = "ended";
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close().catch(() => undefined); // the error that led here is the one to report
    await rm(this.#temporary, { force: true }).catch(() => undefined);
  }

  #openHandle(): FileHandle {
    if (this.#handle) return this.#handle;
    throw new TopofrError("E_USAGE", `${this.path}: written to after its end; open a new writer`);
  }

  async #writeBatch(handle: FileHandle): Promise<void> {
    await writeAll(handle, this.#batch.subarray(0, this.#batched));
    this.#batched = 0;
  }

  async #guard(run: () => Promise<void>): Promise<void> {
    try {
      await run();
    } catch (error) {
      await this.abort();
      throw writeError(this.path, error);
    }
  }
}

/** A system error as E_FILE; any other error as it is. */
export function writeError(path: string, error: unknown): unknown {
  if (!isSystemError(error)) return error;
  return fileError(path, "write the file (any earlier version is unchanged)", error);
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, done, Math.min(bytes.length - done, MAX_WRITE_BYTES));
    done += bytesWritten;
  }
}

/** Makes the rename itself durable. Some file systems have no fsync for folders; there the rename must do. */
async function syncFolder(path: string): Promise<void> {
  const unsupported = new Set(["EINVAL", "ENOTSUP", "EISDIR", "EPERM", "EACCES", "EBADF"]);
  let folder: FileHandle | undefined;
  try {
    folder = await open(dirname(path), "r");
    await folder.sync();
  } catch (error) {
    if (isSystemError(error) && unsupported.has(error.code ?? "")) return;
    throw fileError(path, "flush its folder to the disk (the new content is in place)", error);
  } finally {
    await folder?.close();
  }
}
