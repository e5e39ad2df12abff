// The encoded bytes of an image, from wherever they are. Synchronous: decode workers wait for nothing else. Decodes nothing.
import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import { decodeImageRecord, fileError, readRecordAt, TopofrError } from "@topofr/formats";
import { type ImageSource, sourceName } from "./imageSource.js";

/** Archives that a thread keeps open; a set of more shards than this opens them again. */
const OPEN_FILES = 64;

const openFiles = new Map<string, number>();

/**
 * @returns the bytes of a JPEG, PNG or WebP file; of a record, without its header
 * @throws E_FILE when the file is missing or ends early; E_FORMAT for a broken record; E_DATA when a record states another label
 */
export function readImage(source: ImageSource): Uint8Array {
  switch (source.kind) {
    case "bytes":
      return source.bytes;
    case "file":
      return readFileSync(source.path);
    case "part":
      return readPart(source.path, source.offset, source.length);
    case "record":
      return imageOfRecord(source);
  }
}

function imageOfRecord(source: ImageSource & { kind: "record" }): Uint8Array {
  const { path, offset, length, key, label } = source;
  const where = { source: path, record: key, fileOffset: offset };
  const { payload } = readRecordAt(readPart(path, offset, length), 0, where);
  const record = decodeImageRecord(payload, where);
  if (record.labels[0] !== label) {
    throw new TopofrError(
      "E_DATA",
      `${sourceName(source)}: its label is ${record.labels[0]}, the set's index says ${label}; the index belongs to another file`,
    );
  }
  return record.image;
}

function readPart(path: string, offset: number, length: number): Uint8Array {
  const file = fileDescriptor(path);
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const read = readSync(file, bytes, done, length - done, offset + done);
    if (read === 0) {
      throw new TopofrError(
        "E_FILE",
        `${path}: ends at byte ${offset + done}, ${length} bytes from byte ${offset} are needed; it is truncated`,
      );
    }
    done += read;
  }
  return bytes;
}

function fileDescriptor(path: string): number {
  const known = openFiles.get(path);
  if (known !== undefined) return known;
  if (openFiles.size >= OPEN_FILES) {
    const [oldest, descriptor] = openFiles.entries().next().value!;
    closeSync(descriptor);
    openFiles.delete(oldest);
  }
  try {
    const descriptor = openSync(path, "r");
    openFiles.set(path, descriptor);
    return descriptor;
  } catch (error) {
    throw fileError(path, "open the file", error);
  }
}
