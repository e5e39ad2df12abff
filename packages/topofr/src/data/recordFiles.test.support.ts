// RecordIO files made byte by byte for tests, independent of the writer in formats. The name keeps it out of the published package.
import { join } from "node:path";
import { write } from "./images.test.support.js";

export interface TestRecord {
  key: number;
  /** One number: in the header, flag 0. An array: behind it. */
  label: number | number[];
  image: Uint8Array;
}

/** Without splitting at magic numbers: payloads of tests have none, unless a test wants them. */
export function recordBytes({ key, label, image }: TestRecord): Buffer {
  const labels = Array.isArray(label) ? label : [];
  const payload = Buffer.alloc(24 + 4 * labels.length + image.length);
  payload.writeUInt32LE(labels.length, 0);
  payload.writeFloatLE(Array.isArray(label) ? 0 : label, 4);
  payload.writeBigUInt64LE(BigInt(key), 8);
  labels.forEach((value, i) => void payload.writeFloatLE(value, 24 + 4 * i));
  payload.set(image, 24 + 4 * labels.length);
  const start = Buffer.from("0a23d7ce00000000", "hex");
  start.writeUInt32LE(payload.length, 4);
  return Buffer.concat([start, payload, Buffer.alloc((4 - (payload.length % 4)) % 4)]);
}

export interface TestSet {
  rec: Buffer;
  idx: string;
}

export function recordSet(records: TestRecord[]): TestSet {
  const parts: Buffer[] = [];
  const lines: string[] = [];
  let offset = 0;
  for (const record of records) {
    const bytes = recordBytes(record);
    parts.push(bytes);
    lines.push(`${record.key}\t${offset}\n`);
    offset += bytes.length;
  }
  return { rec: Buffer.concat(parts), idx: lines.join("") };
}

/** Bytes that tell images apart; long enough not to be taken for a record without one. */
export function imageOf(key: number): Uint8Array {
  return Buffer.from(`image of record ${key} `.padEnd(80, "."));
}

const EMPTY = new Uint8Array(0);

/** Images with keys from `firstKey` on, identity records behind them, record 0 last, as insightface has them. */
export function insightfaceRecords(counts: number[], firstKey = 1): TestRecord[] {
  const images: TestRecord[] = [];
  const ranges: [number, number][] = [];
  let key = firstKey;
  for (const [label, n] of counts.entries()) {
    ranges.push([key, key + n]);
    for (let i = 0; i < n; i++, key++) images.push({ key, label, image: imageOf(key) });
  }
  const identities = ranges.map((range, i) => ({ key: key + i, label: range, image: EMPTY }));
  return [...images, ...identities, { key: 0, label: [key, key + counts.length], image: EMPTY }];
}

/** Writes folder/train.rec and its index; returns the path of the .rec. */
export function writeSet(folder: string, { rec, idx }: Partial<TestSet>, property?: string): string {
  const path = join(folder, "train.rec");
  if (rec !== undefined) write(path, rec);
  if (idx !== undefined) write(join(folder, "train.idx"), idx);
  if (property !== undefined) write(join(folder, "property"), property);
  return path;
}
