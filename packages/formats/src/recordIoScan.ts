// Rebuilds the index of a RecordIO file from the file itself, for a missing or wrong .idx. It reads heads and skips the images.
import { TopofrError } from "./error.js";
import { FileWindow } from "./fileWindow.js";
import { type InputFile, withInputFile } from "./inputFile.js";
import { NumberList } from "./numberList.js";
import { endsEarly, PART_HEAD_BYTES, parsePartHead, RECORD_MAGIC, recordError } from "./recordIo.js";
import { IMAGE_HEADER_BYTES } from "./recordIoImage.js";
import { orderByKey, type RecordIndex } from "./recordIoIndex.js";

export interface ScanOptions {
  /** Called every few megabytes and at the end. */
  readonly onProgress?: (bytesDone: number, bytesTotal: number) => void;
}

const PROGRESS_BYTES = 8 * 1024 * 1024;

/**
 * Goes through a .rec file of any size, in memory of one megabyte and two numbers a record. Keys are the ids of the image headers
 * when every record has one and no two are the same; else 0, 1, 2, … in the order of the file.
 *
 * Errors: E_FILE; E_FORMAT naming the record (its number, from 0) and its byte when it is damaged or the file ends inside it, and
 * for an empty file.
 */
export async function scanRecordIndex(recPath: string, options: ScanOptions = {}): Promise<RecordIndex> {
  return withInputFile(recPath, async (file) => {
    if (file.size === 0)
      throw new TopofrError("E_FORMAT", `${recPath}: the file is empty, it has no records`);
    const window = new FileWindow(file);
    const offsets = new NumberList();
    const ids = new NumberList();
    let nextReport = PROGRESS_BYTES;
    for (let position = 0; position < file.size; ) {
      const { id, end } = await scanRecord(file, window, position, offsets.length);
      offsets.push(position);
      if (id !== undefined) ids.push(id);
      position = end;
      if (position >= nextReport && position < file.size) {
        options.onProgress?.(position, file.size);
        nextReport = position + PROGRESS_BYTES;
      }
    }
    options.onProgress?.(file.size, file.size);
    const byId = ids.length === offsets.length ? orderByKey(ids.toArray(), offsets.toArray()) : 0;
    if (typeof byId !== "number") return byId;
    return { keys: Float64Array.from({ length: offsets.length }, (_, i) => i), offsets: offsets.toArray() };
  });
}

/** Checks one record; `id` is its image header's, when it has one that a number can hold. */
async function scanRecord(
  file: InputFile,
  window: FileWindow,
  start: number,
  number: number,
): Promise<{ id: number | undefined; end: number }> {
  const fail = (message: string) => recordError({ source: file.path, record: number }, start, message);
  const header = new DataView(new ArrayBuffer(IMAGE_HEADER_BYTES));
  let filled = 0;
  for (let position = start, isFirst = true; ; isFirst = false) {
    if (position + PART_HEAD_BYTES > file.size) throw fail(endsEarly(file.size));
    const head = window.peek(position, PART_HEAD_BYTES) ?? (await window.read(position, PART_HEAD_BYTES));
    const part = parsePartHead(head, 0, { isFirst, at: position, fail });
    const dataStart = position + PART_HEAD_BYTES;
    position = dataStart + part.paddedLength;
    if (dataStart + part.length > file.size) throw fail(endsEarly(file.size));
    if (filled < IMAGE_HEADER_BYTES) {
      if (!isFirst) {
        header.setUint32(filled, RECORD_MAGIC, true); // between parts; like every part but the last it has 4 n bytes
        filled += 4;
      }
      const wanted = Math.min(part.length, IMAGE_HEADER_BYTES - filled);
      const data = window.peek(dataStart, wanted) ?? (await window.read(dataStart, wanted));
      for (const byte of data) header.setUint8(filled++, byte);
    }
    if (part.isLast) {
      const id = filled === IMAGE_HEADER_BYTES ? Number(header.getBigUint64(8, true)) : Number.NaN;
      return { id: Number.isSafeInteger(id) ? id : undefined, end: Math.min(position, file.size) };
    }
  }
}
