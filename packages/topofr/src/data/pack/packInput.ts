// What packDataset.ts hands to the writers of each form.
import { TopofrError } from "@topofr/formats";
import type { FittedImage } from "./fitImage.js";

/** An image on its way into the new set. */
export interface PackedImage extends FittedImage {
  /** `identity/file` */
  name: string;
  label: number;
}

/** What a writer is given: the images once, in order. */
export interface PackInput {
  images: AsyncIterable<PackedImage>;
  identities: readonly string[];
  /** Identity after identity, in the order of labels. */
  isOrdered: boolean;
  overwrite: boolean;
  /** Absolute paths of the archives that the images are read from: never to be removed. */
  readFrom: readonly string[];
}

/** Says which image does not have the size that the others have. */
export function checkSameSize(first: PackedImage, image: PackedImage): void {
  if (image.width === first.width && image.height === first.height) return;
  throw new TopofrError(
    "E_DATA",
    `${image.name}: has ${image.width}x${image.height} pixels, and ${first.name} ${first.width}x${first.height}; RecordIO sets state one size ` +
      "for all: align the images, or add --size 112 to scale and crop them",
  );
}
