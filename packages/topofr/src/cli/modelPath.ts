// Which weights and which network a command-line argument means: a run folder, a checkpoint in one, or a file.

import { stat } from "node:fs/promises";
import { dirname, extname } from "node:path";
import { TopofrError } from "@topofr/formats";
import { NETWORKS, type NetworkName, networkName } from "../models/names.js";
import {
  checkpointPaths,
  isRunFolder,
  openRunFolder,
  type RunFolder,
  readConfig,
} from "../runs/runFolder.js";
import { parseRecipe } from "../train/recipeFile.js";

const WEIGHT_FILES = [".safetensors", ".pt", ".pth"];
const DEFAULT_EMBEDDING_SIZE = 512;

export interface ModelPath {
  weights: string;
  network: NetworkName;
  embeddingSize: number;
  /** The run that the weights belong to; null for a file from elsewhere. */
  run: RunFolder | null;
}

/**
 * Finds the weights. What `--network` and `--embedding-size` say comes before what the run's config says.
 *
 * @throws TopofrError E_FILE when there is no such model or run; E_USAGE when the network is not known
 */
export async function findModel(
  path: string,
  given: { network: string | null; embeddingSize: number | null },
): Promise<ModelPath> {
  const run = await runOf(path);
  const weights = run && (await isRunFolder(path)) ? await checkpointOf(run) : await checkFile(path);
  const config = run && parseRecipe(JSON.stringify(await readConfig(run)), run.config).recipe.model;
  const network = networkName(given.network ?? config?.network ?? null);
  const known = NETWORKS.find((name) => name === network);
  if (!known)
    throw new TopofrError(
      "E_USAGE",
      network === null
        ? `${path}: which network is it? Say so with --network: ${NETWORKS.join(", ")}`
        : `--network: expected one of ${NETWORKS.join(", ")}, found "${given.network}"`,
    );
  const embeddingSize = given.embeddingSize ?? config?.embeddingSize ?? DEFAULT_EMBEDDING_SIZE;
  return { weights, network: known, embeddingSize, run };
}

/** The run that a path is or lies in (runs/x, runs/x/checkpoints/best.safetensors). */
async function runOf(path: string): Promise<RunFolder | null> {
  if (await isRunFolder(path)) return openRunFolder(path);
  const above = dirname(dirname(path));
  return (await isRunFolder(above)) ? openRunFolder(above) : null;
}

async function checkpointOf(run: RunFolder): Promise<string> {
  for (const which of ["best", "last"] as const) {
    const { weights } = checkpointPaths(run, which);
    if (await isFile(weights)) return weights;
  }
  throw new TopofrError(
    "E_FILE",
    `${run.checkpoints}: no best.safetensors and no last.safetensors; the run has not saved yet (it saves at the end of every epoch)`,
  );
}

async function checkFile(path: string): Promise<string> {
  if (!(await isFile(path)))
    throw new TopofrError("E_FILE", `${path}: no such run folder or checkpoint file`);
  if (!WEIGHT_FILES.includes(extname(path).toLowerCase()))
    throw new TopofrError("E_FILE", `${path}: expected a run folder or a ${WEIGHT_FILES.join(", ")} file`);
  return path;
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (entry) => entry.isFile(),
    () => false,
  );
}
