// Writes the file under a gallery: as a whole, or a record more. The format: logFormat.ts.
import { type FileHandle, open } from "node:fs/promises";
import { fileError, TopofrError, writeFileAtomic } from "@topofr/formats";
import {
  ACKNOWLEDGED_AT,
  encodeAcknowledged,
  encodeHead,
  HEAD_BYTES,
  RECORD_HEAD_BYTES,
  recordHead,
} from "./logFormat.js";

/** Writes a file of these records in place of what is there, atomically. @throws E_FILE */
export async function writeLog(
  path: string,
  header: Uint8Array,
  payloads: () => Iterable<Uint8Array>,
  options: { mode: number },
): Promise<{ length: number; records: number }> {
  let [length, records] = [HEAD_BYTES + header.length, 0];
  function* chunks(acknowledged: number): Generator<Uint8Array> {
    yield encodeHead(header, acknowledged);
    yield header;
    for (const payload of payloads()) {
      yield recordHead(payload);
      yield payload;
      length += RECORD_HEAD_BYTES + payload.length;
      records++;
    }
  }
  // The head is written first, and the file's length is known last; the acknowledgement follows, as after an append.
  await writeFileAtomic(path, chunks(length), options);
  const writer = await LogWriter.open(path, { length });
  await writer.close();
  return { length, records };
}

/** Appends to a file that `readLog` has read. One at a time: see fileLock.ts. */
export class LogWriter {
  readonly #path: string;
  readonly #handle: FileHandle;
  #length: number;
  #broken = false;

  private constructor(path: string, handle: FileHandle, length: number) {
    this.#path = path;
    this.#handle = handle;
    this.#length = length;
  }

  /** @param at.length what lies behind is cut off. @throws E_FILE */
  static async open(path: string, { length }: { length: number }): Promise<LogWriter> {
    const handle = await open(path, "r+").catch((error) => {
      throw fileError(path, "open the gallery for writing", error);
    });
    try {
      const { size } = await handle.stat();
      if (size > length) await handle.truncate(length);
      const writer = new LogWriter(path, handle, length);
      await writer.#acknowledge(length);
      return writer;
    } catch (error) {
      await handle.close();
      throw fileError(path, "open the gallery for writing", error);
    }
  }

  /** Bytes of the file. */
  get length(): number {
    return this.#length;
  }

  /**
   * Appends records and returns when they are on the disk. When it fails, the file is as before.
   *
   * @throws E_FILE; after a failure that could not be undone, always
   */
  async append(payloads: readonly Uint8Array[]): Promise<void> {
    if (this.#broken)
      throw new TopofrError(
        "E_FILE",
        `${this.#path}: an earlier write failed half-way; open the gallery again`,
      );
    const parts = payloads.flatMap((payload) => [recordHead(payload), payload]);
    let end = this.#length;
    try {
      for (const part of parts) end = await this.#write(part, end);
      await this.#handle.datasync();
      await this.#acknowledge(end);
    } catch (error) {
      await this.#undo();
      throw fileError(this.#path, "add to the gallery (nothing was added)", error);
    }
    this.#length = end;
  }

  async close(): Promise<void> {
    await this.#handle.datasync().catch(() => undefined); // the records are on the disk; this is the acknowledgement
    await this.#handle.close();
  }

  /** Not flushed: the next append does, and until then the records prove themselves by their checksums. */
  async #acknowledge(length: number): Promise<void> {
    await this.#write(encodeAcknowledged(length), ACKNOWLEDGED_AT);
  }

  async #undo(): Promise<void> {
    try {
      await this.#handle.truncate(this.#length);
      await this.#acknowledge(this.#length);
    } catch {
      this.#broken = true;
    }
  }

  async #write(bytes: Uint8Array, position: number): Promise<number> {
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await this.#handle.write(bytes, done, bytes.length - done, position + done);
      done += bytesWritten;
    }
    return position + bytes.length;
  }
}
