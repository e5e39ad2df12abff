// The payload of an image record: MXNet's IRHeader, the labels, the encoded image. It neither frames (recordIo.ts) nor decodes
// pictures. Source: mxnet/recordio.py, pack and unpack ("IfQQ", little-endian).
import { TopofrError } from "./error.js";
import { type RecordPlace, recordError } from "./recordIo.js";

/** Bytes of an IRHeader: u32 flag, f32 label, u64 id, u64 id2. */
export const IMAGE_HEADER_BYTES = 24;

export interface ImageRecord {
  /** Number of labels behind the header; 0: the only label is in the header. */
  readonly flag: number;
  /** [max(flag, 1)] */
  readonly labels: Float32Array;
  readonly id: bigint;
  readonly id2: bigint;
  /** The encoded image, a view of the payload; empty in the records that describe a set or an identity. */
  readonly image: Uint8Array;
}

/** Parses a payload that `readRecordAt` returned. Errors: E_FORMAT when it is too short for its header and labels. */
export function decodeImageRecord(payload: Uint8Array, where: RecordPlace): ImageRecord {
  const fail = (message: string) => recordError(where, where.fileOffset, message);
  if (payload.length < IMAGE_HEADER_BYTES) {
    throw fail(
      `${payload.length} bytes of data, an image record begins with ${IMAGE_HEADER_BYTES} (IRHeader)`,
    );
  }
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const flag = view.getUint32(0, true);
  const imageStart = IMAGE_HEADER_BYTES + 4 * flag;
  if (imageStart > payload.length) {
    throw fail(
      `flag ${flag} announces labels up to byte ${imageStart} of the data, which have ${payload.length}`,
    );
  }
  const labels = new Float32Array(Math.max(flag, 1));
  if (flag === 0) labels[0] = view.getFloat32(4, true);
  else for (let i = 0; i < flag; i++) labels[i] = view.getFloat32(IMAGE_HEADER_BYTES + 4 * i, true);
  return {
    flag,
    labels,
    id: view.getBigUint64(8, true),
    id2: view.getBigUint64(16, true),
    image: payload.subarray(imageStart),
  };
}

export interface ImageRecordInput {
  /** One label goes into the header (flag 0), several behind it. */
  readonly labels: ArrayLike<number>;
  readonly id: bigint | number;
  /** Default 0; 1 in the records without image that describe a set or an identity. */
  readonly id2?: bigint | number;
  readonly image: Uint8Array;
}

/**
 * The payload of an image record. Errors: E_USAGE without a label, for an id that is no u64, and for an integer label that float32
 * cannot hold (above 2^24 = 16,777,216 every second one).
 */
export function encodeImageRecord({ labels, id, id2 = 0, image }: ImageRecordInput): Uint8Array {
  const fail = (message: string) => new TopofrError("E_USAGE", `image record ${id}: ${message}`);
  if (labels.length === 0) throw fail("no label, at least one is needed");
  for (const label of Array.from(labels)) {
    if (Number.isInteger(label) && Math.fround(label) !== label) {
      throw fail(`label ${label} is not a float32, as RecordIO stores it; integers are exact up to 16777216`);
    }
  }
  const flag = labels.length === 1 ? 0 : labels.length;
  const imageStart = IMAGE_HEADER_BYTES + 4 * flag;
  const payload = new Uint8Array(imageStart + image.length);
  const view = new DataView(payload.buffer);
  view.setUint32(0, flag, true);
  if (flag === 0) view.setFloat32(4, labels[0]!, true);
  else for (let i = 0; i < flag; i++) view.setFloat32(IMAGE_HEADER_BYTES + 4 * i, labels[i]!, true);
  view.setBigUint64(8, unsigned64(id, fail), true);
  view.setBigUint64(16, unsigned64(id2, fail), true);
  payload.set(image, imageStart);
  return payload;
}

function unsigned64(value: bigint | number, fail: (message: string) => TopofrError): bigint {
  if (
    typeof value === "bigint"
      ? BigInt.asUintN(64, value) === value
      : Number.isSafeInteger(value) && value >= 0
  )
    return BigInt(value);
  throw fail(`${value} is not an unsigned 64-bit integer`);
}
