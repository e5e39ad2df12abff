// What a data set holds: people, images of each, sizes, and, if asked, which images cannot be decoded. Text for people: cli/dataInfo.ts.
import { TopofrError } from "@topofr/formats";
import type { FaceDataset } from "./dataset.js";
import { decodeAll } from "./decodeAll.js";
import { readImageHeader } from "./imageHeader.js";
import { sourceName } from "./imageSource.js";
import { readImage } from "./readImage.js";
import { countLabels } from "./selectIdentities.js";

/** Images looked at when not all are. */
const SAMPLE = 1000;
const READS_PER_TURN = 256;
const DECODE_SIZE = 112; // pixels; what is decoded in a check is thrown away

/** Lower ends of the histogram's bins, in images per identity. */
const BINS = [0, 1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000];

export interface DatasetInfo {
  identities: number;
  images: number;
  /** Of identities that have images. */
  imagesPerIdentity: { least: number; median: number; mean: number; most: number };
  /** Identities with `from` up to `to` images; the last bin has no end. Empty bins at both ends are left out. */
  histogram: { from: number; to: number | null; identities: number }[];
  looks: {
    /** Images whose bytes were read. */
    images: number;
    /** Mean of an encoded image, and of all: an estimate unless all were looked at. */
    meanBytes: number;
    totalBytes: number;
    /** How many have each size, e.g. "112x112", and each format, e.g. "jpg". */
    sizes: Record<string, number>;
    formats: Record<string, number>;
  };
  /** Images that cannot be read, or, in a check, decoded, and why. */
  broken: { image: string; reason: string }[];
  /** Every image was decoded. */
  checked: boolean;
}

export interface DatasetInfoOptions {
  /** Read all images, not some of them. */
  all: boolean;
  /** Decode all images. */
  check: boolean;
  signal?: AbortSignal;
  onProgress?(done: number, total: number): void;
}

/** Reads a sample of the images, or all. Broken images are part of the answer and end nothing. */
export async function datasetInfo(dataset: FaceDataset, options: DatasetInfoOptions): Promise<DatasetInfo> {
  const { labels, identities } = dataset;
  const counts = countLabels(labels, identities.length);
  const { looks, broken } = await look(dataset, options);
  if (options.check) {
    const known = new Set(broken.map(({ image }) => image));
    broken.push(...(await check(dataset, options)).filter(({ image }) => !known.has(image)));
  }
  return {
    identities: identities.length,
    images: labels.length,
    imagesPerIdentity: distribution(counts),
    histogram: histogram(counts),
    looks,
    broken,
    checked: options.check,
  };
}

function distribution(counts: Uint32Array): DatasetInfo["imagesPerIdentity"] {
  const sorted = counts.filter((n) => n > 0).sort();
  const images = sorted.reduce((sum, n) => sum + n, 0);
  const middle = Math.floor(sorted.length / 2);
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { least: sorted[0]!, median, mean: images / sorted.length, most: sorted.at(-1)! };
}

function histogram(counts: Uint32Array): DatasetInfo["histogram"] {
  const bins = BINS.map((from, i) => ({ from, to: (BINS[i + 1] ?? Number.NaN) - 1, identities: 0 }));
  for (const n of counts) bins[BINS.findLastIndex((from) => from <= n)]!.identities++;
  const used = bins.map(({ identities }) => identities > 0);
  return bins
    .slice(used.indexOf(true), used.lastIndexOf(true) + 1)
    .map(({ to, ...bin }) => ({ ...bin, to: Number.isNaN(to) ? null : to }));
}

async function look(
  dataset: FaceDataset,
  { all, check, signal, onProgress }: DatasetInfoOptions,
): Promise<Pick<DatasetInfo, "looks" | "broken">> {
  const total = dataset.labels.length;
  const images = all || check ? total : Math.min(total, SAMPLE);
  const sizes: Record<string, number> = {};
  const formats: Record<string, number> = {};
  const broken: DatasetInfo["broken"] = [];
  let bytes = 0;
  for (let i = 0; i < images; i++) {
    const source = dataset.source(Math.floor((i * total) / images));
    try {
      const encoded = readImage(source);
      bytes += encoded.length;
      const header = readImageHeader(encoded);
      const size = header === null ? "unknown" : `${header.width}x${header.height}`;
      const format = header?.format ?? "unknown";
      sizes[size] = (sizes[size] ?? 0) + 1;
      formats[format] = (formats[format] ?? 0) + 1;
    } catch (error) {
      broken.push({ image: sourceName(source), reason: reasonOf(error) });
    }
    if ((i + 1) % READS_PER_TURN !== 0) continue;
    signal?.throwIfAborted();
    if (!check) onProgress?.(i + 1, images);
    await new Promise(setImmediate); // signals get their turn
  }
  if (broken.length === images) {
    throw new TopofrError(
      "E_DATA",
      `${dataset.name}: none of ${images} images can be read; the first: ${broken[0]!.reason}`,
    );
  }
  const meanBytes = bytes / (images - broken.length);
  const totalBytes = Math.round(meanBytes * (total - (images === total ? broken.length : 0)));
  return { looks: { images, meanBytes, totalBytes, sizes, formats }, broken };
}

async function check(
  dataset: FaceDataset,
  { signal, onProgress }: DatasetInfoOptions,
): Promise<DatasetInfo["broken"]> {
  const broken: DatasetInfo["broken"] = [];
  const total = dataset.labels.length;
  const sourceAt = (index: number) => dataset.source(index);
  for await (const batch of decodeAll(total, sourceAt, { size: DECODE_SIZE, resize: "fit", signal })) {
    for (const { item, reason } of batch.failures)
      broken.push({ image: sourceName(dataset.source(batch.start + item)), reason });
    batch.release();
    onProgress?.(batch.start + batch.count, total);
  }
  return broken;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
