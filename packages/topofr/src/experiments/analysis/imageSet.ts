// Images to look at, from anything that holds some: a training set in any form, a .bin benchmark, an IJB folder. No labels here.
import { existsSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { basename, dirname, extname, join, resolve } from "node:path";
import { TopofrError } from "@topofr/formats";
import type { FaceDataset } from "../../data/dataset.js";
import type { ImageSource } from "../../data/imageSource.js";
import { openDataset } from "../../data/openDataset.js";
import { openBenchmark } from "../../evaluate/benchmarks/open.js";

export interface ImageSet {
  /** What captions call it. */
  readonly name: string;
  readonly path: string;
  readonly count: number;
  readonly warnings: readonly string[];
  source(index: number): ImageSource;
}

/**
 * @throws E_DATA when there are no images, or it is neither a data set nor a benchmark; E_FILE, E_FORMAT as the readers
 */
export async function openImageSet(path: string): Promise<ImageSet> {
  const name = basename(path);
  if (isBenchmark(path)) {
    const { images, warnings } = await openBenchmark(path);
    return checked({ name, path, count: images.length, warnings, source: (index) => images[index]! });
  }
  return datasetImages(await openDataset(path), path);
}

/** @param path for messages. @throws E_DATA when it has no images */
export function datasetImages(dataset: FaceDataset, path: string): ImageSet {
  return checked({
    name: basename(path),
    path,
    count: dataset.labels.length,
    warnings: dataset.warnings,
    source: (index) => dataset.source(index),
  });
}

/**
 * The images of a benchmark (of its pairs, where it has a list) without those in the folder of a person that a network was trained
 * on. Null: none are left.
 *
 * @param training what it was trained on; null: not known, and all images are taken
 * @throws as `openBenchmark`
 */
export async function unseenImages(
  { path, pairs }: { path: string; pairs: string | null },
  training: FaceDataset | null,
): Promise<ImageSet | null> {
  const benchmark = await openBenchmark(path, { pairs });
  const known = new Set(training === null ? [] : await realFolders(firstImages(training)));
  const folders = await realFolders(benchmark.images);
  const images = benchmark.images.filter((_, k) => folders[k] === null || !known.has(folders[k]!));
  if (images.length === 0) return null;
  const left = benchmark.images.length - images.length;
  const note = `${path}: ${left} of ${benchmark.images.length} images are of people in the training set, and left out`;
  const warnings = left === 0 ? benchmark.warnings : [...benchmark.warnings, note];
  const name = `unseen (${benchmark.name})`;
  return { name, path, count: images.length, warnings, source: (index) => images[index]! };
}

/** The first image of each person. */
function firstImages({ labels, identities, source }: FaceDataset): ImageSource[] {
  const met = new Uint8Array(identities.length);
  const images: ImageSource[] = [];
  labels.forEach((label, index) => {
    if (met[label] === 0) images.push(source(index));
    met[label] = 1;
  });
  return images;
}

/** The folder that each image is in, links resolved; null for one that is no file of its own. */
async function realFolders(images: readonly ImageSource[]): Promise<(string | null)[]> {
  const real = new Map<string, Promise<string>>();
  return Promise.all(
    images.map((image) => {
      if (image.kind !== "file") return null;
      const folder = dirname(resolve(image.path));
      const found = real.get(folder) ?? realpath(folder).catch(() => folder);
      real.set(folder, found);
      return found;
    }),
  );
}

function isBenchmark(path: string): boolean {
  const isIjb = existsSync(join(path, "meta")) && existsSync(join(path, "loose_crop"));
  return isIjb || extname(path).toLowerCase() === ".bin";
}

function checked(set: ImageSet): ImageSet {
  if (set.count === 0) throw new TopofrError("E_DATA", `${set.path}: no images to look at`);
  return set;
}
