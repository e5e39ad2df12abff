// What a face data set is to everything above it: labelled image files. How one is found on disk: imageFolder.ts.
import { TopofrError } from "@topofr/formats";

/** One image of one person. */
export interface FaceSample {
  /** Path of the image file. */
  path: string;
  /** Class index, 0 .. identities.length - 1. */
  label: number;
  /** Name of the person, `identities[label]`. */
  identity: string;
}

/** Labelled images in a fixed order: a sample's place in `samples` is its index in every batch, log and report. */
export interface FaceDataset {
  name: string;
  identities: string[];
  samples: FaceSample[];
}

/**
 * Makes sure that every label names a class, so that a wrong one fails here and not deep in a margin's gather.
 *
 * @param classCount number of classes of the head; the data set's identities unless given
 * @throws E_DATA naming the first wrong sample, or an empty data set
 */
export function checkLabels(dataset: FaceDataset, classCount = dataset.identities.length): void {
  if (dataset.samples.length === 0)
    throw new TopofrError("E_DATA", `${dataset.name}: the data set has no samples`);
  dataset.samples.forEach((sample, index) => {
    if (Number.isInteger(sample.label) && sample.label >= 0 && sample.label < classCount) return;
    throw new TopofrError(
      "E_DATA",
      `${dataset.name}: sample ${index} (${sample.path}) has label ${sample.label}, expected a whole number of ` +
        `0 .. ${classCount - 1} (${classCount} classes); the labels must match the identities that the head was made for`,
    );
  });
}
