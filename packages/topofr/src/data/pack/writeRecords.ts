// Writes insightface's RecordIO layout: train.rec, train.idx, property, train.lst. Reading it: recordDataset.ts.
import { join } from "node:path";
import { encodeImageRecord, RecordWriter, writeFileAtomic } from "@topofr/formats";
import { checkSameSize, type PackedImage, type PackInput } from "./packInput.js";
import { exactly, openFileTarget, splitTarget } from "./target.js";

const NO_IMAGE = new Uint8Array(0);

/**
 * Images have the keys 1, 2, …; after them one record an identity with the range of its keys; last in the file, with key 0, the
 * range of those records' keys. Keys in ranges are float32, rounded beyond 2^24 as the format has it. A shuffled set has
 * images only. `property`: `classes,height,width`. `train.lst`: a line an image, `1<TAB>identity/file<TAB>label`.
 *
 * The files appear when all is written. Returns their paths.
 */
export async function writeRecords(recPath: string, input: PackInput): Promise<string[]> {
  const { folder, stem } = splitTarget(recPath, ".rec");
  const [idxName, lstName] = [`${stem}.idx`, `${stem}.lst`];
  const files = exactly(`${stem}.rec`, idxName, lstName, "property");
  await openFileTarget(folder, { files, mark: null, overwrite: input.overwrite });
  const writer = await RecordWriter.open(recPath, join(folder, idxName));
  const lstPath = join(folder, lstName);
  let first: PackedImage | null = null;
  const { identities } = input;
  const counts = new Uint32Array(identities.length);

  async function* writeImages(): AsyncGenerator<Uint8Array> {
    let key = 0;
    for await (const image of input.images) {
      first ??= image;
      checkSameSize(first, image);
      key++;
      await writer.write(key, encodeImageRecord({ labels: [image.label], id: key, image: image.bytes }));
      counts[image.label]!++;
      yield Buffer.from(`1\t${image.name}\t${image.label}\n`);
    }
    if (input.isOrdered) await writeRanges(writer, counts, key + 1);
    await writer.close();
  }

  try {
    await writeFileAtomic(lstPath, writeImages());
  } catch (error) {
    await writer.abort();
    throw error;
  }
  const { height, width } = first as unknown as PackedImage;
  const property = join(folder, "property");
  await writeFileAtomic(property, [Buffer.from(`${identities.length},${height},${width}\n`)]);
  return [recPath, join(folder, idxName), property, lstPath];
}

async function writeRanges(writer: RecordWriter, counts: Uint32Array, firstKey: number): Promise<void> {
  let start = 1;
  let key = firstKey;
  for (const count of counts) {
    await writer.write(key, range(start, start + count, key, 0));
    start += count;
    key++;
  }
  await writer.write(0, range(firstKey, key, 0, 1));
}

function range(start: number, end: number, id: number, id2: number): Uint8Array {
  return encodeImageRecord({ labels: [Math.fround(start), Math.fround(end)], id, id2, image: NO_IMAGE });
}
