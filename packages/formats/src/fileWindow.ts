// Reads of a file that mostly go forward in small steps, served from one window of it in memory. Not a cache of several.
import type { InputFile } from "./inputFile.js";

const WINDOW_BYTES = 1024 * 1024;

export class FileWindow {
  readonly #file: InputFile;
  #start = 0;
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);

  constructor(file: InputFile) {
    this.#file = file;
  }

  /** The bytes, when they are in the window: a view, valid for good. */
  peek(position: number, length: number): Uint8Array<ArrayBuffer> | undefined {
    const from = position - this.#start;
    return from >= 0 && from + length <= this.#bytes.length
      ? this.#bytes.subarray(from, from + length)
      : undefined;
  }

  /**
   * Exactly `length` bytes from byte `position` on; when they are not in the window it is moved there. Errors: as
   * `InputFile.read`.
   */
  async read(position: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const found = this.peek(position, length);
    if (found) return found;
    const wanted = Math.max(length, Math.min(WINDOW_BYTES, this.#file.size - position));
    this.#bytes = await this.#file.read(position, wanted);
    this.#start = position;
    return this.#bytes.subarray(0, length);
  }
}
