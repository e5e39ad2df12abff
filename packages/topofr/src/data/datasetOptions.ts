// What can be said when a data set is opened, whatever its form.
import { TopofrError } from "@topofr/formats";

export interface DatasetOptions {
  /** Leave out identities with fewer images than this. Default 1: keep all that have any. */
  minImagesPerIdentity?: number;
  /** Use only the first so many identities. Default: all. */
  limitIdentities?: number;
  /** Keep what was found by listing or scanning for the next time (listingCache.ts), and use it. Default true. */
  cache?: boolean;
  /** Told what takes long while opening, e.g. "scanning train.rec", and how much of it is done. */
  onProgress?(doing: string, done: number, total: number): void;
}

/** @throws E_USAGE for numbers that select nothing */
export function checkDatasetOptions(name: string, options: DatasetOptions): void {
  const { minImagesPerIdentity = 1, limitIdentities = Number.POSITIVE_INFINITY } = options;
  if (limitIdentities >= 1 && minImagesPerIdentity >= 1) return;
  throw new TopofrError(
    "E_USAGE",
    `${name}: limitIdentities and minImagesPerIdentity must be at least 1, found ${limitIdentities} and ${minImagesPerIdentity}`,
  );
}
