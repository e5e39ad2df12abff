// Copies a data set into another form: RecordIO in insightface's layout, tar shards, an image folder. Encoded images are copied
// byte for byte unless they have to change size. What each form's files look like: writeRecords.ts, writeTar.ts, writeFolder.ts.
import { basename } from "node:path";
import { TopofrError } from "@topofr/formats";
import { RandomStream } from "../../random/stream.js";
import { mapParallel } from "../mapParallel.js";
import type { OpenedDataset } from "../openDataset.js";
import { type FittedImage, fitImage } from "./fitImage.js";
import { imageNames } from "./imageNames.js";
import type { PackFormat } from "./packFormat.js";
import type { PackedImage, PackInput } from "./packInput.js";
import { writeFolder } from "./writeFolder.js";
import { writeRecords } from "./writeRecords.js";
import { writeTar } from "./writeTar.js";

const READ_AHEAD = 64; // images in memory

export interface PackOptions {
  format: PackFormat;
  /** Height and width in pixels that images are brought to; null: they are copied as they are. Default null. */
  size?: number | null;
  /** Images a tar file; the files are then numbered. Default: one file with all. */
  shardImages?: number | null;
  /** In random order by this seed; RecordIO then has no identity records. Default null: identity after identity. */
  shuffleSeed?: number | null;
  /** Leave out images that cannot be read, instead of stopping at the first. Default false. */
  skipBroken?: boolean;
  /** Replace what is there. Default false. */
  overwrite?: boolean;
  /** When aborted, the packing stops and throws its reason. */
  signal?: AbortSignal;
  onProgress?(done: number, total: number): void;
}

export interface Packed {
  format: PackFormat;
  /** The files or the folder written. */
  paths: string[];
  images: number;
  identities: number;
  /** Identities of which no image was written; a folder has no place for them. */
  withoutImages: number;
  /** Of the encoded images. */
  bytes: number;
  /** Images that were scaled, and encoded anew. */
  encodedAgain: number;
  /** Images left out, and why. */
  broken: string[];
  seconds: number;
}

/**
 * @param target `.rec` or a folder to hold train.rec; `.tar`; a new or empty folder
 * @throws E_DATA when something is at the target already, or an image cannot be read; E_FILE; each names the file. A target is
 *   complete or not there; a folder or a set of shards that was interrupted is marked, and refused by `openDataset`
 */
export async function packDataset(
  dataset: OpenedDataset,
  target: string,
  options: PackOptions,
): Promise<Packed> {
  const started = performance.now();
  const { format, shardImages = null, shuffleSeed = null, overwrite = false } = options;
  if (shardImages !== null && format !== "tar")
    throw new TopofrError("E_USAGE", `${target}: shards are for tar, the format is ${format}`);
  const packed: Packed = {
    format,
    paths: [],
    images: 0,
    identities: dataset.identities.length,
    withoutImages: dataset.identities.length,
    bytes: 0,
    encodedAgain: 0,
    broken: [],
    seconds: 0,
  };
  const order = shuffleSeed === null ? orderByLabel(dataset) : shuffled(dataset.labels.length, shuffleSeed);
  const input: PackInput = {
    images: packImages(dataset, order, options, packed),
    identities: dataset.identities,
    isOrdered: shuffleSeed === null,
    overwrite,
    readFrom: dataset.kind === "tar" ? dataset.shards : [],
  };
  if (format === "recordio") packed.paths = await writeRecords(recordPath(target), input);
  else if (format === "tar") packed.paths = await writeTar(target, input, shardImages);
  else packed.paths = await writeFolder(target, input);
  packed.seconds = (performance.now() - started) / 1000;
  return packed;
}

function recordPath(target: string): string {
  return /\.rec$/i.test(target) ? target : `${target.replace(/[/\\]+$/, "")}/train.rec`;
}

/** Samples by label, those of one label in their order. */
function orderByLabel({ labels, identities }: OpenedDataset): Uint32Array {
  const next = new Uint32Array(identities.length + 1);
  for (const label of labels) next[label + 1]!++;
  for (let label = 1; label <= identities.length; label++) next[label]! += next[label - 1]!;
  const order = new Uint32Array(labels.length);
  labels.forEach((label, sample) => {
    order[next[label]!++] = sample;
  });
  return order;
}

function shuffled(count: number, seed: number): Uint32Array {
  return new RandomStream(seed, "pack").permutation(count);
}

async function* packImages(
  dataset: OpenedDataset,
  order: Uint32Array,
  { size = null, skipBroken = false, signal, onProgress }: PackOptions,
  packed: Packed,
): AsyncGenerator<PackedImage, void, undefined> {
  const nameOf = await imageNames(dataset);
  const hasImages = new Uint8Array(dataset.identities.length);
  for (let first = 0; first < order.length; first += READ_AHEAD) {
    const samples = [...order.subarray(first, first + READ_AHEAD)];
    const images = await mapParallel(samples, async (sample) => {
      try {
        return await fitImage(dataset.source(sample), size);
      } catch (error) {
        if (!skipBroken || !(error instanceof TopofrError)) throw error;
        packed.broken.push(error.message);
        return null;
      }
    });
    for (const [i, image] of images.entries()) {
      if (image === null) continue;
      const label = dataset.labels[samples[i]!]!;
      const name = withEnding(nameOf(samples[i]!, image.format), image);
      yield { ...image, name, label };
      packed.images++;
      packed.withoutImages -= 1 - hasImages[label]!;
      hasImages[label] = 1;
      packed.bytes += image.bytes.length;
      if (image.encodedAgain) packed.encodedAgain++;
    }
    signal?.throwIfAborted();
    onProgress?.(first + samples.length, order.length);
    await new Promise(setImmediate); // signals get their turn
  }
  if (packed.images === 0)
    throw new TopofrError("E_DATA", `${basename(dataset.name)}: none of ${order.length} images can be read`);
}

/** An image that became another format gets its ending; one that is copied keeps the name it has. */
function withEnding(name: string, { format, encodedAgain }: FittedImage): string {
  const fits = format === "jpg" ? /\.jpe?g$/i : new RegExp(`\\.${format}$`, "i");
  return encodedAgain && !fits.test(name) ? `${name.replace(/\.[^./]*$/, "")}.${format}` : name;
}
