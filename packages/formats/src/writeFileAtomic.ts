// Writes a file so that a reader, a crash or a full disk only ever sees the old content or the new, whole. For a file whose
// pieces come from several places: AtomicFile.
import { AtomicFile, writeError } from "./atomicFile.js";

/**
 * Writes `chunks` one after another to `path`, replacing what was there, by a temporary file in the same folder (see
 * `AtomicFile`, also for `mode`). On any failure the temporary file is removed and `path` is as before.
 *
 * Errors: E_FILE with path, cause and remedy. What `chunks` itself throws is passed on, unless it is a system error.
 */
export async function writeFileAtomic(
  path: string,
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  options: { mode?: number } = {},
): Promise<void> {
  const file = await AtomicFile.open(path, options);
  try {
    for await (const chunk of chunks) await file.write(chunk);
    await file.finish();
  } catch (error) {
    await file.abort();
    throw writeError(path, error);
  }
}
