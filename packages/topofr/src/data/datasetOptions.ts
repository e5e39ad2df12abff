// What can be said when a data set is opened, whatever its form.
import { TopofrError } from "@topofr/formats";

export interface DatasetOptions {
  /** Leave out identities with fewer images than this. Default 1: keep all that have any. */
  minImagesPerIdentity?: number;
  /** Whether the images of an identity are used, by its name in the set. Default: all are. What it refuses, warnings leave out. */
  isWanted?(identity: string): boolean;
  /** Keep what was found by listing or scanning for the next time (listingCache.ts), and use it. Default true. */
  cache?: boolean;
  /** Told what takes long while opening, e.g. "scanning train.rec", and how much of it is done. */
  onProgress?(doing: string, done: number, total: number): void;
}

/** @throws E_USAGE for numbers that select nothing */
export function checkDatasetOptions(name: string, { minImagesPerIdentity = 1 }: DatasetOptions): void {
  if (minImagesPerIdentity >= 1) return;
  throw new TopofrError(
    "E_USAGE",
    `${name}: minImagesPerIdentity must be at least 1, found ${minImagesPerIdentity}`,
  );
}
