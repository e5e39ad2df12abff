// TFRecord framing: u64 length, masked CRC-32C of the length, data, masked CRC-32C of the data; little-endian.
// Source: "TFRecord and tf.train.Example" of the TensorFlow documentation. What the records hold: tfevents.ts.
import { maskedCrc32c } from "./crc32c.js";
import { TopofrError } from "./error.js";
import { FileWindow } from "./fileWindow.js";
import type { InputFile } from "./inputFile.js";

const HEADER_BYTES = 12;
const FOOTER_BYTES = 4;

/** One record with its frame. */
export function encodeRecord(data: Uint8Array): Uint8Array {
  const record = new Uint8Array(HEADER_BYTES + data.length + FOOTER_BYTES);
  const view = new DataView(record.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedCrc32c(record.subarray(0, 8)), true);
  record.set(data, HEADER_BYTES);
  view.setUint32(HEADER_BYTES + data.length, maskedCrc32c(data), true);
  return record;
}

/**
 * The records of a file, one at a time, each with the byte where it starts. Errors: E_FORMAT with record number and
 * byte when a checksum differs or the file ends inside a record (records before it have been given out by then).
 */
export async function* readRecords(file: InputFile): AsyncGenerator<{ data: Uint8Array; position: number }> {
  const window = new FileWindow(file);
  for (let position = 0, number = 0; position < file.size; number++) {
    const fail = (message: string) =>
      new TopofrError("E_FORMAT", `${file.path}: record ${number} at byte ${position}: ${message}`);
    const rest = file.size - position - HEADER_BYTES - FOOTER_BYTES;
    if (rest < 0) throw fail(`the file ends at byte ${file.size}, inside the record; it is truncated`);
    const header = await window.read(position, HEADER_BYTES);
    const view = new DataView(header.buffer, header.byteOffset, HEADER_BYTES);
    if (view.getUint32(8, true) !== maskedCrc32c(header.subarray(0, 8))) {
      throw fail("its length does not match its checksum; the file is damaged or not a TFRecord file");
    }
    const length = Number(view.getBigUint64(0, true));
    if (length > rest)
      throw fail(`needs ${length} bytes of data, the file ends after ${rest}; it is truncated`);
    const body = await window.read(position + HEADER_BYTES, length + FOOTER_BYTES);
    const data = body.subarray(0, length);
    if (new DataView(body.buffer, body.byteOffset + length).getUint32(0, true) !== maskedCrc32c(data)) {
      throw fail("its data do not match their checksum; the file is damaged");
    }
    yield { data, position };
    position += HEADER_BYTES + length + FOOTER_BYTES;
  }
}
