// Names, `identity/file`, for the images of a data set in a folder, an archive or a list. RecordIO has none: they come from the .lst
// beside it, if that is of the same set, else from label and key.
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { posix } from "node:path";
import { createInterface } from "node:readline";
import { safeMemberName, TopofrError } from "@topofr/formats";
import type { FaceDataset } from "../dataset.js";
import { sourceName } from "../imageSource.js";
import type { OpenedDataset } from "../openDataset.js";
import { StringTableBuilder } from "../stringTable.js";

/** A sample's `identity/file`; the file has no ending where `format` gives it. */
export type NameImage = (index: number, format: string) => string;

export async function imageNames(dataset: OpenedDataset): Promise<NameImage> {
  if (dataset.kind === "recordio") {
    const listed = await namesInList(dataset.file.path.replace(/\.rec$/i, ".lst"), dataset);
    if (listed !== null) return (index) => listed(index);
  }
  const folders = identityFolders(dataset);
  return (index, format) => `${folders[dataset.labels[index]!]!}/${fileName(dataset, index, format)}`;
}

function fileName(dataset: FaceDataset, index: number, format: string): string {
  const source = dataset.source(index);
  switch (source.kind) {
    case "file":
      return source.path.slice(source.path.search(/[^/\\]*$/));
    case "part":
      return posix.basename(source.name);
    case "record":
      return `${String(source.key).padStart(8, "0")}.${format}`;
    case "bytes":
      throw new TopofrError("E_USAGE", `${sourceName(source)}: images of a benchmark have no identity`);
  }
}

/** One folder name an identity. Numbers are written with as many digits, so that folders sort as the labels do. */
function identityFolders({ name, identities }: FaceDataset): string[] {
  const areLabels = identities.every(
    (identity, i) => /^\d+$/.test(identity) && (i === 0 || Number(identity) > Number(identities[i - 1])),
  );
  const digits = areLabels ? identities.at(-1)!.length : 0;
  const folders = identities.map((identity) => identity.padStart(digits, "0").replaceAll(/[/\\]/g, "_"));
  if (new Set(folders).size === folders.length) return folders;
  const twice = folders.findIndex((folder, i) => folders.indexOf(folder) !== i);
  throw new TopofrError(
    "E_DATA",
    `${name}: two identities would share the folder "${folders[twice]}"; rename one of them`,
  );
}

/**
 * Names from a .lst: `aligned<TAB>path<TAB>label` (insightface) or `index<TAB>label<TAB>path` (im2rec), of which the last folder and
 * the file are used. Null when it is missing, or is not line by line of these images: one row an image, one folder a label.
 */
async function namesInList(
  path: string,
  { labels, source }: FaceDataset,
): Promise<((index: number) => string) | null> {
  if (!(await stat(path).catch(() => null))?.isFile()) return null;
  const names = new StringTableBuilder();
  const folders = new Map<string, number>();
  const lines = createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY });
  try {
    for await (const line of lines) {
      if (line === "") continue;
      const row = parseRow(line);
      const index = names.length;
      if (row === null || index >= labels.length) return null;
      const image = source(index);
      const label = image.kind === "record" ? image.label : -1;
      const folder = posix.dirname(row.name);
      if (row.label !== label || (folders.get(folder) ?? label) !== label) return null;
      folders.set(folder, label);
      names.push(row.name);
    }
  } finally {
    lines.close();
  }
  const table = names.finish();
  const isWhole = table.length === labels.length && new Set(folders.values()).size === folders.size;
  return isWhole ? (index) => table.at(index) : null;
}

function parseRow(line: string): { name: string; label: number } | null {
  const fields = line.split("\t");
  const last = fields.at(-1)!;
  const isIm2rec = fields.length >= 3 && Number.isFinite(Number(fields[1])) && !Number.isFinite(Number(last));
  const path = isIm2rec ? last : (fields[1] ?? "");
  const label = Number((isIm2rec ? fields[1] : fields[2]) || Number.NaN);
  const parts = path.split(/[/\\]/).slice(-2);
  if (parts.length < 2 || !Number.isInteger(label)) return null;
  try {
    const name = safeMemberName(parts.join("/"), "list");
    return name.includes("/") ? { name, label } : null;
  } catch {
    return null;
  }
}
