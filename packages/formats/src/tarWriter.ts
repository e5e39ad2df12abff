// Writes tar archives (POSIX ustar, with a pax header where a name needs it) that tar, Python's tarfile and WebDataset read. Regular
// files only.
import { AtomicFile } from "./atomicFile.js";
import { TopofrError } from "./error.js";
import { printable } from "./printable.js";
import { formatPaxRecord, formatTarHeader, TAR_BLOCK_BYTES } from "./tarHeader.js";
import { safeMemberName, unsafeBecause } from "./tarMemberName.js";

const MAX_NAME_BYTES = 100;
const MAX_MEMBER_BYTES = 8 ** 11 - 1; // of the header's 11 octal digits

/**
 * The archive is written under a temporary name and moved into place by `close`; before that, and after a failure or `abort`, an
 * earlier file of this name is unchanged. Errors of all methods: E_FILE.
 */
export class TarWriter {
  readonly #file: AtomicFile;
  readonly #names = new Set<string>();

  private constructor(file: AtomicFile) {
    this.#file = file;
  }

  static async open(path: string): Promise<TarWriter> {
    return new TarWriter(await AtomicFile.open(path));
  }

  /** Appends a member. Errors: E_USAGE for a name that is unsafe or was added before, and for 8 GiB or more. */
  async add(name: string, bytes: Uint8Array): Promise<void> {
    const fail = (message: string) =>
      new TopofrError("E_USAGE", `${this.#file.path}: member "${printable(name)}" ${message}`);
    const problem = unsafeBecause(name);
    if (problem !== undefined) throw fail(problem);
    const plain = safeMemberName(name);
    if (this.#names.has(plain)) throw fail("was added before; names in an archive must differ");
    if (bytes.length > MAX_MEMBER_BYTES)
      throw fail(`has ${bytes.length} bytes, at most ${MAX_MEMBER_BYTES} fit`);
    this.#names.add(plain);
    const encoded = Buffer.from(plain);
    if (encoded.length > MAX_NAME_BYTES || encoded.length !== plain.length) {
      await this.#addBlocks("pax_header", "x", formatPaxRecord("path", plain));
    }
    await this.#addBlocks(plain, "0", bytes);
  }

  /** Writes the end mark and moves the archive into place. */
  async close(): Promise<void> {
    await this.#file.write(new Uint8Array(2 * TAR_BLOCK_BYTES));
    await this.#file.finish();
  }

  /** Drops what was written. */
  async abort(): Promise<void> {
    await this.#file.abort();
  }

  async #addBlocks(name: string, type: string, data: Uint8Array): Promise<void> {
    const shortened = Buffer.from(name).subarray(0, MAX_NAME_BYTES);
    await this.#file.write(formatTarHeader({ name: shortened, size: data.length, type }));
    await this.#file.write(data);
    const rest = data.length % TAR_BLOCK_BYTES;
    if (rest > 0) await this.#file.write(new Uint8Array(TAR_BLOCK_BYTES - rest));
  }
}
