// Random access to the records of a zip archive: stored, as torch.save and numpy.savez write them, or deflated, where the caller
// allows it and says how much may come out. Not a general unzipper: no encryption, no other compression.
import { crc32, createInflateRaw } from "node:zlib";
import yauzl from "yauzl";
import { TopofrError } from "./error.js";
import type { InputFile } from "./inputFile.js";
import { printable } from "./printable.js";

const MAX_RECORDS = 200_000;

const STORED = 0;
const DEFLATED = 8;

export interface ZipOptions {
  /** What deflated records may expand to altogether. Absent: they are refused, and nothing can grow beyond the file. */
  readonly maxInflatedBytes?: number;
}

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
 * twice, or announces more bytes than the file has or than may come out.
 */
export async function openZip(file: InputFile, { maxInflatedBytes }: ZipOptions = {}): Promise<ZipArchive> {
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
    let inflated = 0;
    for await (const entry of zip.eachEntry()) {
      const name = printable(entry.fileName);
      if (entries.has(entry.fileName)) throw fail(`record ${name} is in the zip archive twice`);
      if (entries.size === MAX_RECORDS) throw fail(`more than ${MAX_RECORDS} records in the zip archive`);
      announced += entry.compressedSize;
      if (announced > file.size) {
        throw fail(`records up to ${name} announce ${announced} bytes, the file has ${file.size}; refused`);
      }
      if (entry.compressionMethod === DEFLATED) inflated += entry.uncompressedSize;
      if (maxInflatedBytes !== undefined && inflated > maxInflatedBytes) {
        throw fail(
          `records up to ${name} expand to ${inflated} bytes, at most ${maxInflatedBytes} are read from a file of ${file.size}; ` +
            "refused as a zip bomb (save it without compression if it is not)",
        );
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
        const isDeflated = entry.compressionMethod === DEFLATED && maxInflatedBytes !== undefined;
        if ((entry.compressionMethod !== STORED && !isDeflated) || entry.isEncrypted()) {
          const allowed = maxInflatedBytes === undefined ? "stored" : "stored or deflated";
          throw fail(
            `record ${printable(name)} is compressed or encrypted, expected it ${allowed}; save it again`,
          );
        }
        const { fileDataStart } = await zip
          .readLocalFileHeaderPromise(entry, { minimal: true })
          .catch((error) => {
            throw broken(error);
          });
        const stored = await file.read(fileDataStart, entry.compressedSize);
        const bytes = isDeflated
          ? await inflate(stored, entry.uncompressedSize, (message, cause) =>
              fail(`record ${printable(name)} ${message}; the file is damaged, copy or save it again`, cause),
            )
          : stored;
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

/** Inflates into memory of the announced size, which is never exceeded. */
async function inflate(
  deflated: Uint8Array,
  size: number,
  fail: (message: string, cause?: unknown) => TopofrError,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(size);
  let filled = 0;
  const stream = createInflateRaw();
  stream.end(deflated);
  try {
    for await (const chunk of stream as AsyncIterable<Uint8Array>) {
      if (filled + chunk.length > size) throw fail(`expands to more than the announced ${size} bytes`);
      bytes.set(chunk, filled);
      filled += chunk.length;
    }
  } catch (error) {
    if (error instanceof TopofrError) throw error;
    throw fail(`cannot be inflated (${(error as Error).message})`, error);
  }
  if (filled < size) throw fail(`expands to ${filled} bytes, ${size} were announced`);
  return bytes;
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
