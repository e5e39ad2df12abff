// `topofr analyze discrepancy` from its question to its files: which models and images, the measurement, pictures, summary.
import { TopofrError } from "@topofr/formats";
import type { Embedder } from "../../evaluate/embedder.js";
import type { AlignmentOptions } from "../../method/objectiveOptions.js";
import type { RunFolder } from "../../runs/runFolder.js";
import { openTrainingData } from "../../train/trainingData.js";
import { listCheckpoints, type WhichCheckpoints } from "./checkpoints.js";
import {
  type Discrepancy,
  type DiscrepancyModel,
  type DiscrepancyOptions,
  measureDiscrepancy,
  ONE_SCALE,
  ONE_SCALE_NOTE,
} from "./discrepancy.js";
import { type DiscrepancySummary, discrepancyFigures, summariseDiscrepancy } from "./discrepancyFigures.js";
import { datasetImages, type ImageSet, openImageSet, unseenImages } from "./imageSet.js";
import { makeFolder, type PictureFormat, saveJson, savePicture } from "./saveFiles.js";
import { recipeOf } from "./trainedRun.js";

/** A model as the command line names it. */
export interface GivenModel {
  name: string;
  /** The run that it is, or lies in. */
  run: RunFolder | null;
  /** Whether the whole run is meant, not one of its checkpoints. */
  isRun: boolean;
  /** Opens it, with these weights where it is a run. */
  open(weights: string | null): Promise<Embedder>;
}

export interface DiscrepancyRequest extends DiscrepancyOptions {
  models: readonly GivenModel[];
  /** Null: what the first run was trained on. */
  data: readonly string[] | null;
  /**
   * A benchmark with people that the first run has not seen: those that it has seen are left out. Null: with `data`, none; else what
   * the first run was verified on while it trained.
   */
  unseen: { path: string; pairs: string | null } | null;
  checkpoints: WhichCheckpoints;
  out: string;
  pictures: readonly PictureFormat[];
}

export interface DiscrepancyReport {
  normalisation: string;
  /** By model, the options of its alignment loss. */
  alignmentOptions: Record<string, AlignmentOptions>;
  data: { name: string; path: string; images: number }[];
  summary: DiscrepancySummary[];
  values: Discrepancy[];
  files: string[];
  warnings: string[];
}

/** @throws as `measureDiscrepancy`, `openImageSet`, `listCheckpoints`; E_USAGE when nothing says which images */
export async function analyseDiscrepancy(request: DiscrepancyRequest): Promise<DiscrepancyReport> {
  const { out, pictures } = request;
  const models: DiscrepancyModel[] = [];
  for (const model of request.models) models.push(...(await checkpointsOf(model, request.checkpoints)));
  const { sets, warnings } = await imageSets(request);
  await makeFolder(out);
  const values = await measureDiscrepancy(models, sets, request);
  const files: string[] = [];
  for (const figure of discrepancyFigures(values)) files.push(...(await savePicture(out, figure, pictures)));
  const report: DiscrepancyReport = {
    normalisation: ONE_SCALE_NOTE,
    alignmentOptions: Object.fromEntries(models.map(({ name, alignment }) => [name, alignment ?? ONE_SCALE])),
    data: sets.map(({ name, path, count }) => ({ name, path, images: count })),
    summary: summariseDiscrepancy(values),
    values,
    files,
    warnings,
  };
  files.push(await saveJson(out, "discrepancy", report));
  return report;
}

async function checkpointsOf(
  { name, run, isRun, open }: GivenModel,
  which: WhichCheckpoints,
): Promise<DiscrepancyModel[]> {
  if (run === null) return [{ name, step: null, alignment: null, open: () => open(null) }];
  const { alignment } = (await recipeOf(run)).objective;
  if (!isRun) return [{ name, step: null, alignment, open: () => open(null) }];
  const stored = await listCheckpoints(run, which);
  return stored.map(({ weights, step }) => ({ name, step, alignment, open: () => open(weights) }));
}

async function imageSets(request: DiscrepancyRequest): Promise<{ sets: ImageSet[]; warnings: string[] }> {
  const { data, unseen, models } = request;
  const run = models.find((model) => model.run !== null)?.run ?? null;
  const recipe = run === null ? null : await recipeOf(run);
  const sets: ImageSet[] = [];
  for (const path of data ?? []) sets.push(await openImageSet(path));
  const names = sets.map(({ name }) => name);
  sets.forEach((set, k) => {
    if (names.indexOf(set.name) < names.lastIndexOf(set.name)) sets[k] = { ...set, name: data![k]! };
  });
  const verified = recipe?.evaluate.data
    ? { path: recipe.evaluate.data, pairs: recipe.evaluate.pairs }
    : null;
  const benchmark = unseen ?? (data === null ? verified : null);
  if (data !== null && benchmark === null) return withWarnings(sets);
  const training = recipe === null ? null : await openTrainingData(recipe);
  if (data === null && recipe !== null) {
    const trained = datasetImages(training!, recipe.data.path);
    sets.push({ ...trained, name: `training (${trained.name})` });
  }
  const left = benchmark === null ? null : await unseenImages(benchmark, training);
  if (left !== null) sets.push(left);
  else if (benchmark !== null) {
    const none = `${benchmark.path}: all its images are of people in the training set; none is unseen`;
    if (unseen !== null) throw new TopofrError("E_DATA", `${none}; give other images to --eval-data`);
    return withWarnings(sets, none);
  }
  if (sets.length === 0)
    throw new TopofrError(
      "E_USAGE",
      "--data: of which images? (no model here is a run, which would name some)",
    );
  return withWarnings(sets);
}

const withWarnings = (sets: ImageSet[], ...more: string[]) => ({
  sets,
  warnings: [...sets.flatMap(({ warnings }) => warnings), ...more],
});
