// Which samples of a labelled set are used, when identities with few images are left out. For sets whose labels are numbers in
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
 * @param labels [samples] each below `classes`
 * @throws E_DATA when nothing is left; E_USAGE for options that make no sense
 */
export function selectIdentities(
  name: string,
  labels: Uint32Array,
  classes: number,
  options: DatasetOptions,
): Selection {
  checkDatasetOptions(name, options);
  const { minImagesPerIdentity = 1, limitIdentities = Number.POSITIVE_INFINITY } = options;
  const counts = countLabels(labels, classes);
  const countOf = (test: (images: number) => boolean) =>
    counts.reduce((sum, n) => sum + (test(n) ? 1 : 0), 0);
  const warnings: string[] = [];
  const warn = (identities: number, text: string) => {
    if (identities > 0) warnings.push(`${name}: ${identities} of ${classes} identities ${text}`);
  };
  if (minImagesPerIdentity <= 1 && limitIdentities >= classes) {
    warn(
      countOf((n) => n === 0),
      "have no image; they keep their labels, and the head a class for each",
    );
    warnSingle(warn, countOf);
    return { kept: null, labels, fileLabels: null, warnings };
  }
  const newLabels = new Int32Array(classes).fill(-1);
  const fileLabels: number[] = [];
  for (let label = 0; label < classes && fileLabels.length < limitIdentities; label++) {
    if (counts[label]! < Math.max(1, minImagesPerIdentity)) continue;
    newLabels[label] = fileLabels.push(label) - 1;
  }
  if (fileLabels.length === 0) {
    throw new TopofrError(
      "E_DATA",
      `${name}: none of ${classes} identities has ${minImagesPerIdentity} images or more; lower minImagesPerIdentity`,
    );
  }
  warn(
    countOf((n) => n < minImagesPerIdentity),
    `with fewer than ${minImagesPerIdentity} images left out`,
  );
  if (minImagesPerIdentity <= 1) warnSingle(warn, countOf);
  const kept = new Uint32Array(fileLabels.reduce((sum, label) => sum + counts[label]!, 0));
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

function warnSingle(
  warn: (identities: number, text: string) => void,
  countOf: (test: (images: number) => boolean) => number,
): void {
  warn(
    countOf((n) => n === 1),
    "have a single image (kept, but nothing can be learnt about what varies within a person)",
  );
}
