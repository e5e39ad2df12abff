// What a command-line argument means as a model: a run folder, a checkpoint in one, a file of weights, an ONNX file, or embeddings
// and scores that were saved.

import { stat } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { TopofrError } from "@topofr/formats";
import { isSavedPath, SAVED_FILES } from "../evaluate/savedEmbeddings.js";
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
const ONNX_FILES = [".onnx"];
const DEFAULT_EMBEDDING_SIZE = 512;

export type ModelPath =
  | CheckpointPath
  /** To be run by ONNX Runtime. */
  | { kind: "onnx"; name: string; source: string }
  /** Embeddings or scores in NumPy's formats, in place of a model. */
  | { kind: "saved"; name: string; source: string };

/** One of our networks, run by the engine. */
export interface CheckpointPath {
  kind: "checkpoint";
  /** What tables call it: the run's name, with the checkpoint's where it was given; else the file's. */
  name: string;
  /** The file of weights. */
  source: string;
  network: NetworkName;
  embeddingSize: number;
  /** The run that the weights belong to; null for a file from elsewhere. */
  run: RunFolder | null;
}

/**
 * Finds the file. What `--network` and `--embedding-size` say comes before what the run's config says.
 *
 * @throws TopofrError E_FILE when there is no such model or run; E_USAGE when the network is not known
 */
export async function findModel(
  path: string,
  given: { network: string | null; embeddingSize: number | null },
): Promise<ModelPath> {
  const extension = extname(path).toLowerCase();
  const name = basename(path, extname(path));
  if (!(await isRunFolder(path))) {
    await checkFile(path, extension);
    if (ONNX_FILES.includes(extension)) return { kind: "onnx", name, source: path };
    if (isSavedPath(path)) return { kind: "saved", name, source: path };
  }
  const { network: configured, ...checkpoint } = await findCheckpoint(path);
  const network = networkName(given.network ?? configured);
  const known = NETWORKS.find((name) => name === network);
  if (!known)
    throw new TopofrError(
      "E_USAGE",
      network === null
        ? `${path}: which network is it? Say so with --network: ${NETWORKS.join(", ")}`
        : `--network: expected one of ${NETWORKS.join(", ")}, found "${given.network}"`,
    );
  const embeddingSize = given.embeddingSize ?? checkpoint.embeddingSize ?? DEFAULT_EMBEDDING_SIZE;
  return { kind: "checkpoint", ...checkpoint, network: known, embeddingSize };
}

/** A file of weights; network and embedding size are those of the run that it is of, or null. */
export type FoundCheckpoint = Omit<CheckpointPath, "kind" | "network" | "embeddingSize"> & {
  network: string | null;
  embeddingSize: number | null;
};

/**
 * The checkpoint that a run folder or a file of weights means.
 *
 * @throws TopofrError E_FILE when there is none, or it is something else
 */
export async function findCheckpoint(path: string): Promise<FoundCheckpoint> {
  const isRun = await isRunFolder(path);
  const extension = extname(path).toLowerCase();
  if (!isRun && (await isFile(path)) && !WEIGHT_FILES.includes(extension))
    throw new TopofrError("E_FILE", `${path}: expected a run folder or a ${WEIGHT_FILES.join(", ")} file`);
  if (!isRun) await checkFile(path, extension);
  const run = isRun ? await openRunFolder(path) : await runAround(path);
  const source = run && isRun ? await checkpointOf(run) : path;
  const config = run && parseRecipe(JSON.stringify(await readConfig(run)), run.config).recipe.model;
  const name = basename(path, extname(path));
  const shownName = !run ? name : isRun ? run.name : join(run.name, name);
  return {
    name: shownName,
    source,
    network: config?.network ?? null,
    embeddingSize: config?.embeddingSize ?? null,
    run,
  };
}

/** The run that a checkpoint lies in (runs/x/checkpoints/best.safetensors). */
async function runAround(path: string): Promise<RunFolder | null> {
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

async function checkFile(path: string, extension: string): Promise<void> {
  if (await isFolder(path)) await openRunFolder(path); // says why it is none
  if (!(await isFile(path)))
    throw new TopofrError("E_FILE", `${path}: no such run folder, checkpoint or model file`);
  const known = [...WEIGHT_FILES, ...ONNX_FILES, ...SAVED_FILES];
  if (!known.includes(extension))
    throw new TopofrError("E_FILE", `${path}: expected a run folder or a ${known.join(", ")} file`);
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (entry) => entry.isFile(),
    () => false,
  );
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (entry) => entry.isDirectory(),
    () => false,
  );
}
