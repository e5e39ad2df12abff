// Which records hold images, and of whom: by the identity records where a set has them (insightface's layout), else by each
// record's own header. Format: identity record = array label [first image key, end key), no image; record 0 = [first identity key,
// end key), no image.

import { type RecordHead, RecordHeads } from "./recordHeads.js";
import { findRecord, placeOf, type RecordFile } from "./recordIndex.js";

/** No image is this small, and no record without one much larger: 8 + 24 + a few labels. */
const EMPTY_RECORD_BYTES = 64;
const READS_PER_TURN = 4096;
const PROBES = 64; // identities whose first and last image are asked for their own label
const EXACT_KEYS = 2 ** 24; // float32 keys beyond are rounded

export interface LabelledRecords {
  /** [images] places in the index, in ascending order of key. */
  places: Uint32Array;
  /** [images] */
  labels: Uint32Array;
  /** Number of identity records; null when the set has none. */
  identityRecords: number | null;
  /** Records without an image that are neither header nor identity records. */
  ignored: number;
  warnings: string[];
}

type Progress = (doing: string, done: number, total: number) => void;

/**
 * @throws E_FORMAT for a record that is broken; E_DATA for a label that is negative, fractional or beyond float32's whole numbers
 */
export async function labelRecords(file: RecordFile, onProgress: Progress): Promise<LabelledRecords> {
  const heads = new RecordHeads(file);
  try {
    const { places, empty } = splitRecords(file, heads);
    const table = identityTable(file, empty);
    if (table !== null) {
      const problem = table.problem ?? labelByRanges(file, heads, places, table);
      if (typeof problem !== "string")
        return { places, ...problem, identityRecords: table.starts.length, ignored: 0, warnings: [] };
      const labels = await ownLabels(heads, places, onProgress);
      const warning = `${file.path}: its identity records cannot be used (${problem}); the labels were read from each image's record`;
      return { places, labels, identityRecords: null, ignored: 0, warnings: [warning] };
    }
    const labels = await ownLabels(heads, places, onProgress);
    return { places, labels, identityRecords: null, ignored: empty.size, warnings: [] };
  } finally {
    heads.close();
  }
}

/** Records with an image, and the heads of those without, by place. */
function splitRecords(
  file: RecordFile,
  heads: RecordHeads,
): { places: Uint32Array; empty: Map<number, RecordHead> } {
  const count = file.keys.length;
  const empty = new Map<number, RecordHead>();
  const places = new Uint32Array(count);
  let images = 0;
  for (let record = 0; record < count; record++) {
    const small = file.lengths[record]! <= EMPTY_RECORD_BYTES;
    const head = small ? heads.read(record, { ahead: true }) : null;
    if (head?.imageBytes === 0) empty.set(record, head);
    else places[images++] = record;
  }
  return { places: places.slice(0, images), empty };
}

interface IdentityTable {
  /** [identities] keys of the first image and of the one after the last, as float32 says them. */
  starts: Float64Array;
  ends: Float64Array;
  /** Why it cannot be used. */
  problem: string | null;
}

/** The identity records, when record 0 announces them. */
function identityTable(file: RecordFile, empty: Map<number, RecordHead>): IdentityTable | null {
  const header = empty.get(findRecord(file, 0));
  if (header?.flag !== 2) return null;
  const records = [...empty].filter(([record]) => file.keys[record] !== 0);
  const starts = Float64Array.from(records, ([, { label }]) => label);
  const ends = Float64Array.from(records, ([, { second }]) => second);
  const wrong = records.find(([, { flag, label, second }]) => flag !== 2 || !(label >= 1 && label <= second));
  const announced = header.second - header.label;
  const rounding = header.second > EXACT_KEYS ? 2 * spacing(header.second) : 0;
  let problem: string | null = null;
  if (wrong) problem = `record ${file.keys[wrong[0]]} has no range of image keys`;
  else if (Math.abs(announced - records.length) > rounding)
    problem = `record 0 announces ${announced}, found ${records.length}`;
  return { starts, ends, problem };
}

/**
 * Labels by range; identity records are in the order of labels, which some of the images are asked to confirm. Where a range's limit
 * is beyond float32's whole numbers, the images around it are asked.
 *
 * @returns the labels, or why the ranges cannot be used
 */
function labelByRanges(
  file: RecordFile,
  heads: RecordHeads,
  places: Uint32Array,
  { starts, ends }: IdentityTable,
): { labels: Uint32Array } | string {
  const keys = new Float64Array(places.length);
  for (let image = 0; image < keys.length; image++) keys[image] = file.keys[places[image]!]!;
  const NONE = 0xffffffff;
  const labels = new Uint32Array(places.length).fill(NONE);
  const own = (image: number) => heads.label(places[image]!);
  const doubtful = new Set<number>();
  for (let label = 0; label < starts.length; label++) {
    const [start, end] = [starts[label]!, ends[label]!];
    const first = placeOf(keys, start - 1) + 1;
    const last = placeOf(keys, end - 1);
    labels.fill(label, first, last + 1);
    for (const limit of [start, end]) {
      if (limit <= EXACT_KEYS) continue;
      const half = spacing(limit) / 2;
      for (let at = placeOf(keys, limit - half - 1) + 1; at < keys.length && keys[at]! <= limit + half; at++)
        doubtful.add(at);
    }
  }
  for (const image of doubtful) labels[image] = own(image);
  const uncovered = labels.indexOf(NONE);
  if (uncovered >= 0) return `none of them has image ${keys[uncovered]}`;
  for (const image of probes(places.length)) {
    if (own(image) === labels[image]) continue;
    return `image ${keys[image]} has label ${own(image)}, and is in the range of identity ${labels[image]}`;
  }
  return { labels };
}

/** Up to so many places spread over all, the first and the last among them. */
function probes(count: number): number[] {
  const step = Math.max(1, (count - 1) / (PROBES - 1));
  return Array.from({ length: Math.min(count, PROBES) }, (_, i) => Math.round(i * step));
}

/** Distance of float32 numbers around one beyond 2^24. */
function spacing(value: number): number {
  return 2 ** (Math.floor(Math.log2(value)) - 23);
}

async function ownLabels(
  heads: RecordHeads,
  places: Uint32Array,
  onProgress: Progress,
): Promise<Uint32Array> {
  const labels = new Uint32Array(places.length);
  for (let first = 0; first < places.length; first += READS_PER_TURN) {
    const end = Math.min(places.length, first + READS_PER_TURN);
    for (let image = first; image < end; image++) labels[image] = heads.label(places[image]!);
    onProgress("reading labels", end, places.length);
    await new Promise(setImmediate); // signals and timers get their turn
  }
  return labels;
}
