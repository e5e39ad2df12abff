// Writes a RecordIO file and its index. What the payloads hold is the caller's business (recordIoImage.ts).
import { rm } from "node:fs/promises";
import { AtomicFile, writeError } from "./atomicFile.js";
import { TopofrError } from "./error.js";
import { NumberList } from "./numberList.js";
import { encodeRecord } from "./recordIo.js";
import { orderByKey } from "./recordIoIndex.js";
import { isCount } from "./tensorEntry.js";

/**
 * Both files are written under temporary names and moved into place by `close`; before that, and after a failure or `abort`,
 * earlier files of these names are unchanged. Errors of all methods: E_FILE.
 */
export class RecordWriter {
  readonly #rec: AtomicFile;
  readonly #idx: AtomicFile;
  readonly #keys = new NumberList();

  private constructor(rec: AtomicFile, idx: AtomicFile) {
    this.#rec = rec;
    this.#idx = idx;
  }

  static async open(recPath: string, idxPath: string): Promise<RecordWriter> {
    const rec = await AtomicFile.open(recPath);
    try {
      return new RecordWriter(rec, await AtomicFile.open(idxPath));
    } catch (error) {
      await rec.abort();
      throw error;
    }
  }

  /** Appends a record. Keys come in any order. Errors: E_USAGE for a key that is no count, or a payload that is too large. */
  async write(key: number, payload: Uint8Array): Promise<void> {
    if (!isCount(key)) {
      throw new TopofrError(
        "E_USAGE",
        `${this.#rec.path}: key ${key} of a record is not an integer of 0 or more`,
      );
    }
    const pieces = encodeRecord(payload);
    const line = Buffer.from(`${key}\t${this.#rec.length}\n`);
    try {
      for (const piece of pieces) await this.#rec.write(piece);
      await this.#idx.write(line);
    } catch (error) {
      await this.abort();
      throw error;
    }
    this.#keys.push(key);
  }

  /**
   * Flushes both files to the disk and moves them into place. An older index goes first, so that whatever happens no index stands
   * beside a file that it does not belong to. Errors: E_USAGE when a key was written twice.
   */
  async close(): Promise<void> {
    try {
      const keys = this.#keys.toArray();
      const index = orderByKey(keys, keys);
      if (typeof index === "number") {
        throw new TopofrError(
          "E_USAGE",
          `${this.#rec.path}: key ${index} was written twice; nothing is kept`,
        );
      }
      await this.#rec.prepare();
      await this.#idx.prepare();
      await rm(this.#idx.path, { force: true });
      await this.#rec.finish();
      await this.#idx.finish();
    } catch (error) {
      await this.abort();
      throw writeError(this.#rec.path, error);
    }
  }

  /** Drops what was written. */
  async abort(): Promise<void> {
    await this.#rec.abort();
    await this.#idx.abort();
  }
}
