// What a face data set is to everything above it: labelled images in a fixed order, none of them read yet. Where they come from:
// imageFolder.ts, recordDataset.ts, tarDataset.ts; openDataset.ts chooses.
import { TopofrError } from "@topofr/formats";
import { type ImageSource, sourceName } from "./imageSource.js";

/**
 * Labelled images in a fixed order: a sample's place is its index in every batch, log and report. Compact enough for tens of
 * millions: only what `source` builds on demand is an object.
 */
export interface FaceDataset {
  readonly name: string;
  /** Names of the people; a label is a place in this list. */
  readonly identities: readonly string[];
  /** [samples] class index of each sample, 0 .. identities.length - 1. */
  readonly labels: Uint32Array;
  /** What was left out, ignored, or is of little use for training; whole sentences, one per kind. */
  readonly warnings: readonly string[];
  /** Where the image of a sample is. */
  source(index: number): ImageSource;
}

/**
 * Makes sure that every label names a class, so that a wrong one fails here and not deep in a margin's gather.
 *
 * @param classCount number of classes of the head; the data set's identities unless given
 * @throws E_DATA naming the first wrong sample, or an empty data set
 */
export function checkLabels(dataset: FaceDataset, classCount = dataset.identities.length): void {
  if (dataset.labels.length === 0)
    throw new TopofrError("E_DATA", `${dataset.name}: the data set has no samples`);
  const index = dataset.labels.findIndex((label) => label >= classCount);
  if (index < 0) return;
  throw new TopofrError(
    "E_DATA",
    `${dataset.name}: sample ${index} (${sourceName(dataset.source(index))}) has label ${dataset.labels[index]}, ` +
      `expected 0 .. ${classCount - 1} (${classCount} classes); the labels must match the identities that the head was made for`,
  );
}
