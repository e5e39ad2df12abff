// The training images that a recipe means.
import type { FaceDataset } from "../data/dataset.js";
import { openDataset } from "../data/openDataset.js";
import type { Recipe } from "./recipe.js";

/**
 * @param other another set of the same people, in place of the recipe's own; all its images are taken
 * @throws as `openDataset`
 */
export function openTrainingData(
  { data }: Pick<Recipe, "data">,
  other: string | null = null,
): Promise<FaceDataset> {
  const { path, minImagesPerIdentity, only, without, share } = data;
  const people = { minImagesPerIdentity, only, without };
  return other === null ? openDataset(path, { ...people, share }) : openDataset(other, people);
}
