// A run with its classifier, rebuilt from a checkpoint to look at: backbone, class centres, objective, and labelled images of the people
// that it was trained on.
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { TopofrError } from "@topofr/formats";
import { setNumThreads } from "@topofr/torch";
import type { FaceDataset } from "../../data/dataset.js";
import { checkpointPaths, type RunFolder, readConfig } from "../../runs/runFolder.js";
import { loadCheckpoint, readCheckpointState } from "../../train/checkpoint.js";
import { createLearner, disposeLearner } from "../../train/learner.js";
import type { Recipe } from "../../train/recipe.js";
import { parseRecipe } from "../../train/recipeFile.js";
import type { Learner } from "../../train/step.js";
import { openTrainingData } from "../../train/trainingData.js";

export type Checkpoint = "best" | "last" | number;

export interface TrainedRun {
  run: RunFolder;
  recipe: Recipe;
  /** Path of `dataset`. */
  data: string;
  dataset: FaceDataset;
  learner: Learner;
  /** Optimiser steps of the checkpoint. */
  step: number;
  close(): void;
}

export interface TrainedRunOptions {
  /** Null: best, or last when there is none. */
  checkpoint: Checkpoint | null;
  /** Null: the run's own training data. */
  data: string | null;
  threads: number | null;
}

/** The resolved recipe of a run. */
export async function recipeOf(run: RunFolder): Promise<Recipe> {
  return parseRecipe(JSON.stringify(await readConfig(run)), run.config).recipe;
}

/**
 * @throws E_MODEL when the data have another number of people than the classifier; E_FILE, E_FORMAT for the run, its checkpoint
 *   or the data
 */
export async function openTrainedRun(
  run: RunFolder,
  { checkpoint, data: given, threads }: TrainedRunOptions,
): Promise<TrainedRun> {
  const recipe = await recipeOf(run);
  const data = given ?? recipe.data.path;
  const which = checkpoint ?? (existsSync(checkpointPaths(run, "best").weights) ? "best" : "last");
  const files = checkpointPaths(run, which);
  if (!existsSync(files.weights))
    throw new TopofrError(
      "E_FILE",
      `${files.weights}: there is no such checkpoint; see ${run.checkpoints}, or leave --checkpoint out`,
    );
  const { minImagesPerIdentity } = recipe.data;
  const dataset = await openTrainingData(recipe, given);
  const { classes } = await readCheckpointState(files.weights);
  if (classes !== dataset.identities.length)
    throw new TopofrError(
      "E_MODEL",
      `${files.weights}: its classifier was trained on ${classes} people, but ${data} has ${dataset.identities.length}` +
        `${minImagesPerIdentity > 1 ? ` with at least ${minImagesPerIdentity} images` : ""}; only the people of the training data ` +
        `can be classified (${recipe.data.path})`,
    );
  setNumThreads(threads ?? recipe.threads ?? availableParallelism());
  const learner = createLearner(recipe, classes);
  try {
    const { step } = await loadCheckpoint(files, learner);
    return { run, recipe, data, dataset, learner, step, close: () => disposeLearner(learner) };
  } catch (error) {
    disposeLearner(learner);
    throw error;
  }
}
