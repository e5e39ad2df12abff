// The discrepancy that a plan measures of its runs: on training images, and on those of each benchmark that are of other people. The
// measurement itself: analysis/discrepancy.ts.
import { TopofrError } from "@topofr/formats";
import type { Recipe } from "../train/recipe.js";
import { openTrainingData } from "../train/trainingData.js";
import { type DiscrepancyModel, measureDiscrepancy } from "./analysis/discrepancy.js";
import { type DiscrepancySummary, summariseDiscrepancy } from "./analysis/discrepancyFigures.js";
import { datasetImages, type ImageSet, unseenImages } from "./analysis/imageSet.js";
import { benchmarkName, type Plan } from "./plan.js";

/** @throws as `discrepancySets` and `measureDiscrepancy` */
export async function measurePlanDiscrepancy(
  plan: Plan,
  recipe: Recipe,
  model: DiscrepancyModel,
): Promise<DiscrepancySummary[]> {
  const values = await measureDiscrepancy([model], await discrepancySets(plan, recipe), {
    batchSizes: batchSizesOf(plan, recipe),
    batches: plan.discrepancy!.batches,
    seed: recipe.seed,
    resize: recipe.data.resize,
  });
  return summariseDiscrepancy(values);
}

/**
 * Opens the images of a run of the plan.
 *
 * @throws E_DATA when a benchmark has none of unseen people, or a set too few for a batch
 */
export async function discrepancySets(plan: Plan, recipe: Recipe): Promise<ImageSet[]> {
  const training = await openTrainingData(recipe);
  const sets = [{ ...datasetImages(training, recipe.data.path), name: "training" }];
  for (const choice of plan.benchmarks) {
    const set = await unseenImages(choice, training);
    if (set === null)
      throw new TopofrError(
        "E_DATA",
        `${choice.path}: all its images are of people that plan ${plan.name} trains on; it measures the discrepancy on others too`,
      );
    sets.push({ ...set, name: benchmarkName(plan, choice, set.name) });
  }
  const largest = Math.max(...batchSizesOf(plan, recipe));
  const small = sets.find(({ count }) => count < largest);
  if (small)
    throw new TopofrError(
      "E_DATA",
      `${small.path}: ${small.count} images (${small.name}), too few for the discrepancy of a batch of ${largest} in plan ` +
        `${plan.name}; give more images, or a smaller batchSize`,
    );
  return sets;
}

const batchSizesOf = ({ discrepancy }: Plan, { batchSize }: Recipe): readonly number[] =>
  discrepancy!.batchSizes ?? [batchSize];
