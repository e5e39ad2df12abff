// Images to look at, from anything that holds some: a training set in any form, a .bin benchmark, an IJB folder. No labels here.
import { existsSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { TopofrError } from "@topofr/formats";
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
export async function openImageSet(path: string, { minImagesPerIdentity = 1 } = {}): Promise<ImageSet> {
  const name = basename(path);
  if (isBenchmark(path)) {
    const { images, warnings } = await openBenchmark(path);
    return checked({ name, path, count: images.length, warnings, source: (index) => images[index]! });
  }
  const dataset = await openDataset(path, { minImagesPerIdentity });
  return checked({
    name,
    path,
    count: dataset.labels.length,
    warnings: dataset.warnings,
    source: (index) => dataset.source(index),
  });
}

function isBenchmark(path: string): boolean {
  const isIjb = existsSync(join(path, "meta")) && existsSync(join(path, "loose_crop"));
  return isIjb || extname(path).toLowerCase() === ".bin";
}

function checked(set: ImageSet): ImageSet {
  if (set.count === 0) throw new TopofrError("E_DATA", `${set.path}: no images to look at`);
  return set;
}
