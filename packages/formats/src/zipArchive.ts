// Random access to the records of a zip archive whose records are stored uncompressed, as torch.save writes them.
// Not a general unzipper: compressed and encrypted records are refused, so nothing can grow beyond the file.
import { crc32 } from "node:zlib";
import yauzl from "yauzl";
import { TopofrError } from "./error.js";
import type { InputFile } from "./inputFile.js";
import { printable } from "./printable.js";

const MAX_RECORDS = 200_000;

export interface ZipArchive {
  /** Names of all records, in the order of the directory. */
  readonly names: string[];
  /** Size of a record in bytes; undefined when there is none of this name. */
  size(name: string): number | undefined;
  /** A record's bytes in fresh memory, checked against its checksum. Errors: E_FORMAT. */
  read(name: string): Promise<Uint8Array<ArrayBuffer>>;
}

/**
 * Opens an archive on a file that the caller keeps open. Errors: E_FORMAT when the directory is damaged, has a name
 * twice, or announces more stored bytes than the file has.
 */
export async function openZip(file: InputFile): Promise<ZipArchive> {
  const fail = (message: string, cause?: unknown) =>
    new TopofrError("E_FORMAT", `${file.path}: ${message}`, { cause });
  const broken = (error: unknown) => {
    if (error instanceof TopofrError) return error;
    return fail(`damaged or truncated zip archive: ${printable((error as Error).message)}`, error);
  };
  try {
    const zip = await yauzl.fromRandomAccessReaderPromise(new FileReader(file), file.size, {
      autoClose: false,
    });
    const entries = new Map<string, yauzl.Entry>();
    let announced = 0;
    for await (const entry of zip.eachEntry()) {
      const name = printable(entry.fileName);
      if (entries.has(entry.fileName)) throw fail(`record ${name} is in the zip archive twice`);
      if (entries.size === MAX_RECORDS) throw fail(`more than ${MAX_RECORDS} records in the zip archive`);
      announced += entry.compressedSize;
      if (announced > file.size) {
        throw fail(`records up to ${name} announce ${announced} bytes, the file has ${file.size}; refused`);
      }
      entries.set(entry.fileName, entry);
    }
    return {
      names: [...entries.keys()],
      size: (name) => entries.get(name)?.uncompressedSize,
      async read(name) {
        const entry = entries.get(name);
        if (!entry)
          throw fail(`record ${printable(name)} is missing in the zip archive; the file is incomplete`);
        if (entry.compressionMethod !== 0 || entry.isEncrypted()) {
          throw fail(`record ${printable(name)} is compressed or encrypted, which torch.save does not do`);
        }
        const { fileDataStart } = await zip
          .readLocalFileHeaderPromise(entry, { minimal: true })
          .catch((error) => {
            throw broken(error);
          });
        const bytes = await file.read(fileDataStart, entry.compressedSize);
        if (crc32(bytes) !== entry.crc32) {
          throw fail(
            `record ${printable(name)} (${bytes.length} bytes at byte ${fileDataStart}) does not match its checksum; ` +
              "the file is damaged, copy or save it again",
          );
        }
        return bytes;
      },
    };
  } catch (error) {
    throw broken(error);
  }
}

/** Lets yauzl read through an InputFile, with every position checked (a bad one must not throw in a callback). */
class FileReader extends yauzl.RandomAccessReader {
  readonly #file: InputFile;

  constructor(file: InputFile) {
    super();
    this.#file = file;
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null, bytesRead?: number) => void,
  ): void {
    this.#file.read(position, length).then(
      (bytes) => {
        buffer.set(bytes, offset);
        callback(null, bytes.length);
      },
      (error: Error) => callback(error),
    );
  }
}
