// A data set from an MXNet RecordIO file (train.rec, train.idx, property), as insightface and im2rec write it. Opens no image.
// Where the records are: recordIndex.ts; whose they are: recordLabels.ts.
import { readFile, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { fileError, isSystemError, printable, TopofrError } from "@topofr/formats";
import type { FaceDataset } from "./dataset.js";
import { checkDatasetOptions, type DatasetOptions } from "./datasetOptions.js";
import { readImageHeader } from "./imageHeader.js";
import { type ImageSource, sourceName } from "./imageSource.js";
import { fingerprintOf, isSettled, readListing, sectionOf, writeListing } from "./listingCache.js";
import { readImage } from "./readImage.js";
import { indexPathOf, openRecordFile, type RecordFile, scanRecordFile } from "./recordIndex.js";
import { type LabelledRecords, labelRecords } from "./recordLabels.js";
import { selectIdentities } from "./selectIdentities.js";

/** First line of the `property` file. */
export interface RecordProperty {
  classes: number;
  height: number;
  width: number;
}

export interface RecordDataset extends FaceDataset {
  readonly kind: "recordio";
  readonly file: RecordFile;
  /** Null: there is none, or none that can be used. */
  readonly property: RecordProperty | null;
  /** Identity records of insightface's layout; null: the labels come from the images' own records. */
  readonly identityRecords: number | null;
}

/**
 * Opens a `.rec`. Samples are in ascending order of key, labels as the file has them: the number of classes is what `property` or
 * the identity records say, else the largest label + 1.
 *
 * With identity records (insightface's layout) only those are read; without, the beginning of every record, once (listingCache.ts
 * keeps the labels).
 *
 * @param path of the .rec; its .idx and `property` are looked for beside it
 * @throws E_FILE missing or unreadable; E_FORMAT a broken file; E_DATA no images, or a label that is negative, fractional or beyond
 *   the stated number of classes; each names record and byte
 */
export async function openRecordDataset(path: string, options: DatasetOptions = {}): Promise<RecordDataset> {
  const recPath = resolve(path);
  checkDatasetOptions(recPath, options);
  const { file, labelled } = await openAndLabel(recPath, options);
  const { places, labels } = labelled;
  if (places.length === 0)
    throw new TopofrError("E_DATA", `${recPath}: none of its ${file.keys.length} records holds an image`);
  const warnings = [...file.warnings, ...labelled.warnings];
  if (labelled.ignored > 0) warnings.push(`${recPath}: ${labelled.ignored} records without an image ignored`);
  const { property, warning } = await readProperty(join(dirname(recPath), "property"));
  if (warning !== null) warnings.push(warning);
  const classes = classCount(file, labelled, property, warnings);
  const imageAt = (image: number): ImageSource => {
    const record = places[image]!;
    return {
      kind: "record",
      path: recPath,
      offset: file.offsets[record]!,
      length: file.lengths[record]!,
      key: file.keys[record]!,
      label: labels[image]!,
    };
  };
  if (property !== null) warnings.push(...sizeWarning(imageAt(0), property));

  const identities = Array.from({ length: classes }, (_, label) => String(label));
  const selection = selectIdentities(recPath, labels, identities, options);
  const { kept, fileLabels } = selection;
  return {
    kind: "recordio",
    name: basename(recPath) === "train.rec" ? basename(dirname(recPath)) : basename(recPath, ".rec"),
    identities: fileLabels === null ? identities : Array.from(fileLabels, String),
    labels: selection.labels,
    warnings: [...warnings, ...selection.warnings],
    file,
    property,
    identityRecords: labelled.identityRecords,
    source: (index) => imageAt(kept === null ? index : kept[index]!),
  };
}

/** What the first image says about the size that `property` states. */
function sizeWarning(source: ImageSource, { width, height }: RecordProperty): string[] {
  const found = readImageHeader(readImage(source));
  if (found === null || (found.width === width && found.height === height)) return [];
  return [
    `${sourceName(source)}: the image has ${found.width}x${found.height} pixels, property says ${width}x${height}`,
  ];
}

/** An index can fit its file at first sight and still be wrong; that shows when the labels are read. */
async function openAndLabel(
  path: string,
  options: DatasetOptions,
): Promise<{ file: RecordFile; labelled: LabelledRecords }> {
  const file = await openRecordFile(path, options);
  try {
    return { file, labelled: await keptLabels(file, options) };
  } catch (error) {
    if (!(error instanceof TopofrError) || error.code !== "E_FORMAT" || file.scanned) throw error;
    const scanned = await scanRecordFile(path, error.message, options);
    return { file: scanned, labelled: await keptLabels(scanned, options) };
  }
}

/** Labels that had to be read from every record are kept for the next time. */
async function keptLabels(file: RecordFile, options: DatasetOptions): Promise<LabelledRecords> {
  const { cache = true, onProgress } = options;
  const index = file.scanned ? null : await stat(indexPathOf(file.path)).catch(() => null);
  const parts = [file.size, file.modifiedMs, index?.size ?? 0, index?.mtimeMs ?? 0];
  const key = { kind: "record-labels", path: file.path, fingerprint: fingerprintOf(parts) };
  const kept = cache ? await readListing(key) : null;
  if (kept?.sections.length === 2) {
    const [places, labels] = kept.sections.map((bytes) => new Uint32Array(bytes.buffer)) as [
      Uint32Array,
      Uint32Array,
    ];
    return {
      places,
      labels,
      identityRecords: null,
      ...(kept.note as { ignored: number; warnings: string[] }),
    };
  }
  const labelled = await labelRecords(file, (...progress) => onProgress?.(...progress));
  if (labelled.identityRecords === null && cache && isSettled(file.modifiedMs)) {
    const { places, labels, ignored, warnings } = labelled;
    const sections = [sectionOf(places), sectionOf(labels)];
    const warning = await writeListing(key, { note: { ignored, warnings }, sections });
    if (warning !== null) return { ...labelled, warnings: [...warnings, warning] };
  }
  return labelled;
}

function classCount(
  file: RecordFile,
  { labels, places, identityRecords }: LabelledRecords,
  property: RecordProperty | null,
  warnings: string[],
): number {
  if (property !== null && identityRecords !== null && property.classes !== identityRecords) {
    warnings.push(
      `${file.path}: property says ${property.classes} classes, and there are ${identityRecords} identity records; ` +
        "the larger number is used",
    );
  }
  const largest = labels.reduce((most, label, image) => (label > labels[most]! ? image : most), 0);
  if (property === null && identityRecords === null) return labels[largest]! + 1;
  const classes = Math.max(property?.classes ?? 0, identityRecords ?? 0);
  if (labels[largest]! < classes) return classes;
  const record = places[largest]!;
  throw new TopofrError(
    "E_DATA",
    `${file.path}: record ${file.keys[record]} at byte ${file.offsets[record]} has label ${labels[largest]}, but ` +
      `${property ? "property" : "the header"} says ${classes} classes (labels 0 .. ${classes - 1}); ` +
      'correct the first number in the file "property", or remove that file',
  );
}

async function readProperty(
  path: string,
): Promise<{ property: RecordProperty | null; warning: string | null }> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (isSystemError(error) && error.code === "ENOENT") return { property: null, warning: null };
    throw fileError(path, "read the file", error);
  }
  const line = text.split(/\r?\n/, 1)[0]!.trim();
  const [classes, height, width] = line.split(",").map((field) => Number(field.trim() || Number.NaN));
  const valid = [classes, height, width].every((value) => Number.isSafeInteger(value) && value! >= 1);
  if (valid && classes! <= 2 ** 24)
    return { property: { classes: classes!, height: height!, width: width! }, warning: null };
  const warning = `${path}: expected "classes,height,width" like "85742,112,112", found "${printable(line)}"; the file is ignored`;
  return { property: null, warning };
}
