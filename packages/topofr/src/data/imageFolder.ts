// A data set from a folder of folders: `root/identity/image.jpg`. Selects among what folderListing.ts found; opens no image.
import { basename, join, resolve } from "node:path";
import { TopofrError } from "@topofr/formats";
import type { FaceDataset } from "./dataset.js";
import { checkDatasetOptions, type DatasetOptions } from "./datasetOptions.js";
import { type FolderListing, LAYOUT, listIdentityFolders } from "./folderListing.js";
import { imageFile } from "./imageSource.js";

export const IMAGE_EXTENSIONS = [".jpg", ".jpeg", ".png", ".webp"] as const;

const NAMES_SHOWN = 5;

export interface ImageFolderOptions extends DatasetOptions {
  /** File name endings that count as images, with the dot, compared without case. Default: jpg, jpeg, png, webp. */
  extensions?: readonly string[];
}

export interface ImageFolder extends FaceDataset {
  readonly kind: "folder";
  /** Absolute path of the folder. */
  readonly root: string;
}

/**
 * Reads the layout `root/identity/image.jpg`. Identities and their images are sorted by UTF-16 code units (never by locale),
 * so labels and sample indices are the same on every machine. Hidden files are skipped, links followed, deeper
 * folders not read.
 *
 * @throws E_FILE when the folder is missing or unreadable; E_DATA when no usable identity is in it
 */
export async function openImageFolder(root: string, options: ImageFolderOptions = {}): Promise<ImageFolder> {
  const { minImagesPerIdentity = 1, isWanted = () => true } = options;
  const folder = resolve(root);
  checkDatasetOptions(folder, options);
  const extensions = new Set(
    (options.extensions ?? IMAGE_EXTENSIONS).map((extension) => extension.toLowerCase()),
  );
  const listing = await listIdentityFolders(folder, extensions, options);
  const { imageCounts, images } = listing;
  if (listing.identities.length === 0)
    throw new TopofrError("E_DATA", noIdentities(folder, listing.imagesInRoot));
  const wanted = [...listing.identities.keys()].filter((identity) => isWanted(listing.identities[identity]!));
  const kept = wanted.filter((identity) => imageCounts[identity]! >= minImagesPerIdentity);
  if (kept.length === 0)
    throw new TopofrError("E_DATA", nothingKept(folder, listing, wanted, minImagesPerIdentity));

  const count = kept.reduce((sum, identity) => sum + imageCounts[identity]!, 0);
  const labels = new Uint32Array(count);
  const places = new Uint32Array(count); // in the listing
  const starts = firstPlaces(imageCounts);
  let sample = 0;
  kept.forEach((identity, label) => {
    for (let i = 0; i < imageCounts[identity]!; i++) {
      labels[sample] = label;
      places[sample++] = starts[identity]! + i;
    }
  });
  const identities = kept.map((identity) => listing.identities[identity]!);
  return {
    kind: "folder",
    name: basename(folder),
    root: folder,
    identities,
    labels,
    source: (index) => imageFile(join(folder, identities[labels[index]!]!, images.at(places[index]!))),
    warnings: [...listing.warnings, ...warningsOf(folder, listing, { wanted, kept }, minImagesPerIdentity)],
  };
}

function firstPlaces(counts: Uint32Array): Uint32Array {
  const starts = new Uint32Array(counts.length);
  for (let i = 1; i < counts.length; i++) starts[i] = starts[i - 1]! + counts[i - 1]!;
  return starts;
}

function noIdentities(folder: string, images: number): string {
  if (images === 0) return `${folder}: the folder is empty, no identities found; ${LAYOUT}`;
  return `${folder}: ${images} images lie directly in the folder, so nothing says who is on them; ${LAYOUT}`;
}

function nothingKept(
  folder: string,
  { imageCounts, folderCounts }: FolderListing,
  wanted: readonly number[],
  minImages: number,
): string {
  if (wanted.length === 0)
    return `${folder}: none of ${imageCounts.length} identities is wanted, by the lists of people to use and to leave out`;
  const withImages = wanted.filter((identity) => imageCounts[identity]! > 0).length;
  if (withImages > 0) {
    return (
      `${folder}: none of ${withImages} identities has ${minImages} images or more; ` +
      "lower minImagesPerIdentity, or add images"
    );
  }
  const nested = folderCounts.some((n) => n > 0);
  const hint = nested ? "its folders hold further folders, so the root is probably one level deeper" : LAYOUT;
  return `${folder}: ${imageCounts.length} folders, but no image in any of them; ${hint}`;
}

function warningsOf(
  folder: string,
  listing: FolderListing,
  { wanted, kept }: { wanted: number[]; kept: number[] },
  minImages: number,
): string[] {
  const { identities, imageCounts, folderCounts } = listing;
  const warnings: string[] = [];
  const warn = (found: number[], text: string) => {
    const people = found.map((identity) => identities[identity]!);
    if (found.length > 0)
      warnings.push(`${folder}: ${count(found.length, "identity", "identities")} ${text}: ${names(people)}`);
  };
  warn(
    wanted.filter((identity) => imageCounts[identity] === 0),
    "without any image left out",
  );
  warn(
    wanted.filter((identity) => imageCounts[identity]! > 0 && imageCounts[identity]! < minImages),
    `with fewer than ${minImages} images left out`,
  );
  warn(
    kept.filter((identity) => imageCounts[identity] === 1),
    "with a single image (kept, but nothing can be learnt about what varies within a person)",
  );
  warn(
    kept.filter((identity) => folderCounts[identity]! > 0),
    "with folders inside, which are not read",
  );
  if (listing.imagesInRoot > 0) {
    warnings.push(
      `${folder}: ${count(listing.imagesInRoot, "image")} directly in the folder ignored; ${LAYOUT}`,
    );
  }
  const used = new Set(kept);
  const others = new Map<string, number>();
  for (const [identity, extension, n] of listing.others)
    if (used.has(identity)) others.set(extension, (others.get(extension) ?? 0) + n);
  if (others.size > 0) {
    const kinds = [...others].map(([extension, n]) => `${n} ${extension || "without an ending"}`).join(", ");
    warnings.push(`${folder}: files that are not among the image endings ignored: ${kinds}`);
  }
  return warnings;
}

function names(people: string[]): string {
  const shown = people.slice(0, NAMES_SHOWN);
  const more = people.length - shown.length;
  return shown.join(", ") + (more > 0 ? ` and ${more} more` : "");
}

function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}
