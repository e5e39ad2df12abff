// Writes a file so that a reader, a crash or a full disk only ever sees the old content or the new, whole.
// Not a lock: two processes that write the same path both succeed, and the last rename wins.
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { fileError, isSystemError } from "./fileError.js";

const BATCH_BYTES = 1024 * 1024; // small chunks are gathered into writes of this size
const MAX_WRITE_BYTES = 256 * 1024 * 1024;

let writes = 0; // makes the temporary names of one process distinct

/**
 * Writes `chunks` one after another to `path`, replacing what was there.
 *
 * The bytes go to `<path>.tmp-<pid>-<n>` in the same folder, are flushed to the disk (fsync), renamed over
 * `path`, and the folder is flushed. On any failure the temporary file is removed and `path` is as before. A
 * process killed half-way leaves its temporary file, which nobody reads and which may be deleted.
 *
 * Errors: E_FILE with path, cause and remedy. What `chunks` itself throws is passed on, unless it is a system error.
 */
export async function writeFileAtomic(
  path: string,
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<void> {
  const temporary = `${path}.tmp-${process.pid}-${writes++}`;
  let handle: FileHandle | undefined;
  try {
    handle = await open(temporary, "w");
    await writeChunks(handle, chunks);
    await handle.sync();
    await handle.close();
    handle = undefined;
    await rename(temporary, path);
  } catch (error) {
    await handle?.close().catch(() => undefined); // the first error is the one to report
    await rm(temporary, { force: true }).catch(() => undefined);
    if (!isSystemError(error)) throw error;
    throw fileError(path, "write the file (any earlier version is unchanged)", error);
  }
  await syncFolder(path);
}

async function writeChunks(
  handle: FileHandle,
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<void> {
  const batch = new Uint8Array(BATCH_BYTES);
  let batched = 0;
  for await (const chunk of chunks) {
    if (batched + chunk.length > BATCH_BYTES) {
      await writeAll(handle, batch.subarray(0, batched));
      batched = 0;
    }
    if (chunk.length > BATCH_BYTES) {
      await writeAll(handle, chunk);
    } else {
      batch.set(chunk, batched);
      batched += chunk.length;
    }
  }
  await writeAll(handle, batch.subarray(0, batched));
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
