// Which samples of a labelled set are used, when some identities are left out. For sets whose labels are numbers in
// the file (RecordIO, tar); imageFolder.ts selects before it lists.
import { TopofrError } from "@topofr/formats";
import { checkDatasetOptions, type DatasetOptions } from "./datasetOptions.js";

export interface Selection {
  /** Places of the samples that are used; null: all, in order. */
  kept: Uint32Array | null;
  /** [kept samples] */
  labels: Uint32Array;
  /** Labels in the file by label used; null: the same. */
  fileLabels: Uint32Array | null;
  warnings: string[];
}

/**
 * With default options everything is kept as the file has it, classes without images included, so that labels mean what they
 * mean to other tools. Otherwise the classes left are numbered anew, in their order.
 *
 * @param labels [samples] each below the number of `identities`
 * @param identities names by label
 * @throws E_DATA when nothing is left; E_USAGE for options that make no sense
 */
export function selectIdentities(
  name: string,
  labels: Uint32Array,
  identities: readonly string[],
  options: DatasetOptions,
): Selection {
  checkDatasetOptions(name, options);
  const { minImagesPerIdentity = 1, isWanted } = options;
  const counts = countLabels(labels, identities.length);
  const wanted = [...identities.keys()].filter((label) => isWanted?.(identities[label]!) ?? true);
  const warnings: string[] = [];
  const warn = (test: (images: number) => boolean, text: string) => {
    const found = wanted.reduce((sum, label) => sum + (test(counts[label]!) ? 1 : 0), 0);
    if (found > 0) warnings.push(`${name}: ${found} of ${wanted.length} identities ${text}`);
  };
  if (minImagesPerIdentity <= 1) {
    warn((n) => n === 0, "have no image; they keep their labels, and the head a class for each");
    warn(
      (n) => n === 1,
      "have a single image (kept, but nothing can be learnt about what varies within a person)",
    );
  } else warn((n) => n < minImagesPerIdentity, `with fewer than ${minImagesPerIdentity} images left out`);
  if (minImagesPerIdentity <= 1 && isWanted === undefined)
    return { kept: null, labels, fileLabels: null, warnings };

  const newLabels = new Int32Array(identities.length).fill(-1);
  const fileLabels = wanted.filter(
    (label) => minImagesPerIdentity <= 1 || counts[label]! >= minImagesPerIdentity,
  );
  fileLabels.forEach((label, newLabel) => {
    newLabels[label] = newLabel;
  });
  const kept = new Uint32Array(fileLabels.reduce((sum, label) => sum + counts[label]!, 0));
  if (kept.length === 0) {
    throw new TopofrError(
      "E_DATA",
      minImagesPerIdentity > 1
        ? `${name}: none of ${wanted.length} identities has ${minImagesPerIdentity} images or more; lower minImagesPerIdentity`
        : `${name}: none of ${identities.length} identities is wanted, by the lists of people to use and to leave out`,
    );
  }
  let used = 0;
  labels.forEach((label, place) => {
    if (newLabels[label]! >= 0) kept[used++] = place;
  });
  return {
    kept,
    labels: kept.map((place) => newLabels[labels[place]!]!),
    fileLabels: Uint32Array.from(fileLabels),
    warnings,
  };
}

/** [classes] how many samples have each label. */
export function countLabels(labels: Uint32Array, classes: number): Uint32Array {
  const counts = new Uint32Array(classes);
  for (const label of labels) counts[label]!++;
  return counts;
}
