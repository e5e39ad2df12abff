// A data set from tar files (WebDataset-style shards), read in place: nothing is unpacked. Who is on an image is said by a file beside
// it, or by its folder: tarMembers.ts. Opens no image.
import { basename, posix, resolve } from "node:path";
import { TopofrError } from "@topofr/formats";
import type { FaceDataset } from "./dataset.js";
import { checkDatasetOptions, type DatasetOptions } from "./datasetOptions.js";
import { byCodeUnit } from "./folderListing.js";
import { selectIdentities } from "./selectIdentities.js";
import { NO_LABEL, readTarImages, type TarImages } from "./tarMembers.js";

export interface TarDataset extends FaceDataset {
  readonly kind: "tar";
  /** Absolute paths of the archives. */
  readonly shards: readonly string[];
}

/**
 * Opens tar files as one set, in the order given. Every image must say who is on it, in one of three ways:
 * a number (`x.cls`, or "label" in `x.json`), which is its label; a name ("identity" in `x.json`); or the folder that it is in.
 * Names are sorted by code unit to get labels. Where images with numbers lie in folders as well, one folder for each number, the
 * folders' names are the identities' names.
 *
 * @throws E_FILE, E_FORMAT for an archive; E_DATA when an image says nothing, or the images say it in different ways
 */
export async function openTarDataset(
  name: string,
  paths: readonly string[],
  options: DatasetOptions = {},
): Promise<TarDataset> {
  checkDatasetOptions(name, options);
  const shards: TarImages[] = [];
  for (const path of paths) shards.push(await readTarImages(resolve(path), options));
  const starts = [0];
  for (const { names } of shards) starts.push(starts.at(-1)! + names.length);
  const count = starts.at(-1)!;
  if (count === 0) {
    throw new TopofrError(
      "E_DATA",
      `${name}: no images in ${paths.length} tar files; looked for .jpg, .jpeg, .png and .webp`,
    );
  }
  const { identities, labels } = nameSamples(name, shards, count);
  const selection = selectIdentities(name, labels, identities, options);
  const { kept, fileLabels } = selection;
  return {
    kind: "tar",
    name: basename(name).replace(/\.tar$/i, ""),
    shards: shards.map(({ path }) => path),
    identities: fileLabels === null ? identities : Array.from(fileLabels, (label) => identities[label]!),
    labels: selection.labels,
    warnings: [...shards.flatMap(({ warnings }) => warnings), ...selection.warnings],
    source(index) {
      const sample = kept === null ? index : kept[index]!;
      let low = 0; // the last shard that starts at or before the sample
      for (let high = shards.length; high - low > 1; ) {
        const middle = (low + high) >>> 1;
        if (starts[middle]! <= sample) low = middle;
        else high = middle;
      }
      const { path, names, offsets, lengths } = shards[low]!;
      const place = sample - starts[low]!;
      return { kind: "part", path, offset: offsets[place]!, length: lengths[place]!, name: names.at(place) };
    },
  };
}

interface Named {
  identities: string[];
  labels: Uint32Array;
}

/** How an image says who is on it. */
type Way = "number" | "name" | "folder";
const WAYS: Record<Way, string> = {
  number: "a number in a file beside it",
  name: "a name in a file beside it",
  folder: "only its folder",
};

function nameSamples(name: string, shards: TarImages[], count: number): Named {
  let first: { way: Way; image: string } | null = null;
  for (const shard of shards) {
    for (let i = 0; i < shard.names.length; i++) {
      const way = wayOf(shard, i);
      first ??= { way, image: `${shard.path}: ${shard.names.at(i)}` };
      if (way === first.way) continue;
      throw new TopofrError(
        "E_DATA",
        `${name}: ${first.image} has ${WAYS[first.way]}, but ${shard.path}: ${shard.names.at(i)} has ${WAYS[way]}; ` +
          "all images of a set must say in the same way who is on them",
      );
    }
  }
  if (first?.way === "number") return numbered(shards, count);
  return named(shards, count, first?.way === "name" ? (shard, i) => shard.identities.at(i) : folderOf);
}

function wayOf(shard: TarImages, image: number): Way {
  if (shard.labels[image] !== NO_LABEL) return "number";
  if (shard.identities.at(image) !== "") return "name";
  if (folderOf(shard, image) !== "") return "folder";
  throw new TopofrError(
    "E_DATA",
    `${shard.path}: ${shard.names.at(image)}: nothing says who is on it; expected a file beside it, like 0001.cls with a number or ` +
      '0001.json with {"identity": "a name"} beside 0001.jpg, or one folder per person in the archive',
  );
}

/** "" for an image that lies in no folder. */
function folderOf({ names }: TarImages, image: number): string {
  const folder = posix.dirname(posix.normalize(names.at(image)));
  return folder === "." ? "" : folder;
}

function named(
  shards: TarImages[],
  count: number,
  nameOf: (shard: TarImages, image: number) => string,
): Named {
  const places = new Map<string, number>(); // of first meeting
  const labels = new Uint32Array(count);
  let sample = 0;
  for (const shard of shards) {
    for (let i = 0; i < shard.names.length; i++) {
      const name = nameOf(shard, i);
      const place = places.get(name) ?? places.size;
      if (place === places.size) places.set(name, place);
      labels[sample++] = place;
    }
  }
  const identities = [...places.keys()].sort(byCodeUnit);
  const newLabels = new Uint32Array(identities.length);
  identities.forEach((name, label) => {
    newLabels[places.get(name)!] = label;
  });
  return { identities: withoutCommonFolder(identities), labels: labels.map((place) => newLabels[place]!) };
}

/** Labels as the files state them; names from the folders, if there is one for each. */
function numbered(shards: TarImages[], count: number): Named {
  const labels = new Uint32Array(count);
  const folders = new Map<number, string>();
  let foldersFit = true;
  let largest = 0;
  let sample = 0;
  for (const shard of shards) {
    for (let i = 0; i < shard.names.length; i++) {
      const label = shard.labels[i]!;
      labels[sample++] = label;
      largest = Math.max(largest, label);
      if (!foldersFit) continue;
      const folder = folderOf(shard, i);
      const known = folders.get(label) ?? folder;
      folders.set(label, known);
      foldersFit = folder !== "" && folder === known;
    }
  }
  foldersFit &&= new Set(folders.values()).size === folders.size;
  const names = foldersFit ? withoutCommonFolder([...folders.values()]) : [];
  const nameOf = new Map([...folders.keys()].map((label, i) => [label, names[i]]));
  const identities = Array.from({ length: largest + 1 }, (_, label) => nameOf.get(label) ?? String(label));
  return { identities, labels };
}

/** `train/ann`, `train/bob` are ann and bob. */
function withoutCommonFolder(folders: string[]): string[] {
  const paths = folders.map((folder) => folder.split("/"));
  const least = paths.reduce((depth, path) => Math.min(depth, path.length - 1), Number.POSITIVE_INFINITY);
  let common = 0;
  while (common < least && paths.every((path) => path[common] === paths[0]![common])) common++;
  return paths.map((path) => path.slice(common).join("/"));
}
