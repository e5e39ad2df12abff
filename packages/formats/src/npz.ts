// NumPy's .npz: a zip archive of .npy files, one an array. Reads numpy.savez and numpy.savez_compressed, writes like numpy.savez.
// Limits of the arrays themselves: npy.ts.
import { Readable } from "node:stream";
import yazl from "yazl";
import { TopofrError } from "./error.js";
import { type InputFile, withInputFile } from "./inputFile.js";
import { decodeNpy, encodeNpy, type NpyArray } from "./npy.js";
import { printable } from "./printable.js";
import { writeFileAtomic } from "./writeFileAtomic.js";
import { openZip } from "./zipArchive.js";

const SUFFIX = ".npy";

// Deflate can make 1000 bytes out of 1. Embeddings shrink by a tenth, masks by up to a hundred.
const MAX_EXPANSION = 100;
const ALWAYS_ALLOWED_BYTES = 256 * 1024 * 1024;

/**
 * Reads all arrays, in the order of the archive, by their names (without ".npy").
 *
 * Errors: E_FILE; E_FORMAT for a damaged archive, a member that is no plain array (`readNpy`), and a zip bomb: members that expand, or
 * announce that they would, to over 100 times the file and over 256 MiB.
 */
export async function readNpz(path: string): Promise<Map<string, NpyArray>> {
  return withInputFile(path, async (file) => {
    const zip = await openZip(file, { maxInflatedBytes: maxInflatedBytes(file) });
    const arrays = new Map<string, NpyArray>();
    for (const member of zip.names) {
      if (!member.endsWith(SUFFIX)) {
        throw new TopofrError(
          "E_FORMAT",
          `${path}: member ${printable(member)} is not named *.npy; it is no .npz file`,
        );
      }
      const bytes = await zip.read(member);
      arrays.set(member.slice(0, -SUFFIX.length), decodeNpy(bytes, `${path}: member ${printable(member)}`));
    }
    return arrays;
  });
}

function maxInflatedBytes(file: InputFile): number {
  return Math.max(ALWAYS_ALLOWED_BYTES, MAX_EXPANSION * file.size);
}

/**
 * Writes arrays atomically and uncompressed, the same bytes for the same arrays. Errors: E_USAGE as `writeNpy`, and for a name that a
 * zip archive cannot have; E_FILE.
 */
export async function writeNpz(
  path: string,
  arrays: Readonly<Record<string, NpyArray>>,
  options: { mode?: number } = {},
): Promise<void> {
  const zip = new yazl.ZipFile();
  const output = zip.outputStream as Readable;
  zip.on("error", (error: Error) => output.destroy(error));
  for (const [name, array] of Object.entries(arrays)) {
    const { header, data } = encodeNpy(array, `${path}: array ${printable(name)}`);
    addMember(zip, path, name, [header, data]);
  }
  zip.end();
  await writeFileAtomic(path, output, options);
}

/** The time that NumPy gives to members too, the first that the format has. */
const NO_TIME = { mtime: new Date(1980, 0, 1), forceDosTimestamp: true };

function addMember(zip: yazl.ZipFile, path: string, name: string, parts: Uint8Array[]): void {
  const size = parts.reduce((sum, part) => sum + part.length, 0);
  try {
    zip.addReadStreamLazy(`${name}${SUFFIX}`, { ...NO_TIME, compress: false, size }, (use) => {
      use(null, Readable.from(parts, { objectMode: false }));
    });
  } catch (cause) {
    throw new TopofrError(
      "E_USAGE",
      `${path}: array name "${printable(name)}": ${(cause as Error).message}; choose another name`,
      { cause },
    );
  }
}
