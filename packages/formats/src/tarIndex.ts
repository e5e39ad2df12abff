// Where the members of a tar archive are, so that they can be read in place. Uncompressed archives of regular files and folders only;
// nothing is unpacked. Reads ustar, pax (path, size), GNU long names and base-256 sizes. Headers: tarHeader.ts.
import { TopofrError } from "./error.js";
import { FileWindow } from "./fileWindow.js";
import { type InputFile, withInputFile } from "./inputFile.js";
import { printable } from "./printable.js";
import { cString, parsePaxRecords, parseTarHeader, TAR_BLOCK_BYTES, type TarHeader } from "./tarHeader.js";
import { safeMemberName } from "./tarMemberName.js";

/** A regular file in an archive; `offset` and `length` are those of its data, in bytes. */
export interface TarMember {
  readonly name: string;
  readonly offset: number;
  readonly length: number;
}

export interface IndexTarOptions {
  /** Called every few megabytes and at the end. */
  readonly onProgress?: (bytesDone: number, bytesTotal: number) => void;
}

const PROGRESS_BYTES = 8 * 1024 * 1024;
const MAX_EXTENSION_BYTES = 1024 * 1024; // of a pax header or a long name

const WHAT_TYPE: Readonly<Record<string, string>> = {
  "1": "a hard link",
  "2": "a symbolic link",
  "3": "a device",
  "4": "a device",
  "6": "a pipe",
  S: "a sparse file",
};

/**
 * Lists the regular members in the order of the archive; a name that occurs twice is listed twice. Folders are left out.
 *
 * Errors: E_FILE; E_FORMAT naming member and byte for a wrong checksum, a member beyond the end of the file, an unsafe name
 * (`safeMemberName`), a link, a device or a sparse file, an archive without its end mark (truncated) or with data behind it.
 */
export async function indexTar(path: string, options: IndexTarOptions = {}): Promise<TarMember[]> {
  return withInputFile(path, async (file) => {
    const window = new FileWindow(file);
    const members: TarMember[] = [];
    let nextReport = PROGRESS_BYTES;
    const global = new Map<string, string>();
    let extension: Extension = {};
    for (let position = 0; ; ) {
      const block = await readBlock(file, window, position, members.length);
      if (isZero(block)) {
        await checkNothingFollows(file, window, position);
        break;
      }
      const header = parseHeader(block, file, position);
      const dataStart = position + TAR_BLOCK_BYTES;
      const fail = failAt(file, position, extension.name ?? header.name);
      if (isExtension(header.type)) {
        const data = await readExtension(file, window, header, dataStart, fail);
        extension = extend(extension, header.type, data, global, fail);
        position = dataStart + padded(header.size);
        continue;
      }
      const size = memberSize(extension, global, fail) ?? header.size;
      if (dataStart + size > file.size) {
        throw fail(
          `its ${size} bytes begin at byte ${dataStart}, the file ends at byte ${file.size}; it is truncated`,
        );
      }
      const name = extension.name ?? global.get("path") ?? header.name;
      const isFolder = header.type === "5" || (header.type === "0" && name.endsWith("/"));
      if (!isFolder) {
        if (header.type !== "0") {
          const what = WHAT_TYPE[header.type] ?? `of type "${printable(header.type)}"`;
          throw fail(
            `is ${what}, and only regular files can be read; pack it again (GNU tar: --dereference --hard-dereference)`,
          );
        }
        members.push({ name: safeMemberName(name, path), offset: dataStart, length: size });
      }
      extension = {};
      position = dataStart + padded(size);
      if (position >= nextReport && position < file.size) {
        options.onProgress?.(position, file.size);
        nextReport = position + PROGRESS_BYTES;
      }
    }
    options.onProgress?.(file.size, file.size);
    return members;
  });
}

type Fail = (message: string) => TopofrError;

/** What the headers before a member's own say about it. */
interface Extension {
  readonly name?: string;
  readonly pax?: ReadonlyMap<string, string>;
}

function failAt(file: InputFile, position: number, name: string): Fail {
  return (message) =>
    new TopofrError("E_FORMAT", `${file.path}: member "${printable(name)}" at byte ${position}: ${message}`);
}

async function readBlock(
  file: InputFile,
  window: FileWindow,
  position: number,
  count: number,
): Promise<Uint8Array> {
  if (position + TAR_BLOCK_BYTES > file.size) {
    throw new TopofrError(
      "E_FORMAT",
      `${file.path}: the file ends at byte ${file.size}, behind ${count} members and without the archive's end mark ` +
        `(zeros at byte ${position}); it is truncated or not a tar archive: copy or pack it again`,
    );
  }
  return window.peek(position, TAR_BLOCK_BYTES) ?? window.read(position, TAR_BLOCK_BYTES);
}

function parseHeader(block: Uint8Array, file: InputFile, position: number): TarHeader {
  try {
    return parseTarHeader(block);
  } catch (error) {
    throw new TopofrError(
      "E_FORMAT",
      `${file.path}: header at byte ${position}: ${(error as Error).message}; the file is damaged, compressed (unpack it by gzip -d), or ` +
        "not a tar archive",
    );
  }
}

function isExtension(type: string): boolean {
  return type === "x" || type === "g" || type === "L" || type === "K";
}

async function readExtension(
  file: InputFile,
  window: FileWindow,
  header: TarHeader,
  dataStart: number,
  fail: Fail,
): Promise<Uint8Array> {
  if (header.size > MAX_EXTENSION_BYTES) {
    throw fail(`extended header of ${header.size} bytes, at most ${MAX_EXTENSION_BYTES} are read; refused`);
  }
  if (dataStart + header.size > file.size) {
    throw fail(
      `extended header of ${header.size} bytes, the file ends at byte ${file.size}; it is truncated`,
    );
  }
  return window.read(dataStart, header.size);
}

/** Takes in a pax header ("x" of the next member, "g" of all that follow) or a GNU long name ("L"; "K" is that of a link). */
function extend(
  extension: Extension,
  type: string,
  data: Uint8Array,
  global: Map<string, string>,
  fail: Fail,
): Extension {
  if (type === "K") return extension;
  if (type === "L") return { ...extension, name: cString(data, 0, data.length) };
  const pax = parsePax(data, fail);
  for (const key of pax.keys()) {
    if (key.startsWith("GNU.sparse.")) throw fail("is a sparse file, and only regular files can be read");
  }
  if (type === "g") {
    for (const [key, value] of pax) global.set(key, value);
    return extension;
  }
  const name = pax.get("path");
  return { ...extension, pax, ...(name !== undefined && { name }) };
}

function parsePax(data: Uint8Array, fail: Fail): Map<string, string> {
  try {
    return parsePaxRecords(data);
  } catch (error) {
    throw fail((error as Error).message);
  }
}

function memberSize({ pax }: Extension, global: ReadonlyMap<string, string>, fail: Fail): number | undefined {
  const stated = pax?.get("size") ?? global.get("size");
  if (stated === undefined) return undefined;
  if (/^\d{1,15}$/.test(stated)) return Number(stated);
  throw fail(`pax header with size "${printable(stated)}", expected a number of bytes`);
}

async function checkNothingFollows(file: InputFile, window: FileWindow, end: number): Promise<void> {
  for (let position = end; position < file.size; ) {
    const block = await window.read(position, Math.min(TAR_BLOCK_BYTES, file.size - position));
    if (!isZero(block)) {
      throw new TopofrError(
        "E_FORMAT",
        `${file.path}: data at byte ${position}, behind the archive's end mark (byte ${end}); join archives by tar --concatenate, ` +
          "not by cat, or copy the file again",
      );
    }
    position += block.length;
  }
}

function isZero(block: Uint8Array): boolean {
  return block.every((byte) => byte === 0);
}

function padded(size: number): number {
  return Math.ceil(size / TAR_BLOCK_BYTES) * TAR_BLOCK_BYTES;
}
