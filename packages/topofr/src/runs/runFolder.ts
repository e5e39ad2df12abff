// The run folder: the contract that training, evaluation, the command line and the page share. Where things are,
// and the rules for making and opening one. Contents of events.jsonl: events.ts; of checkpoints: train/.
//
//   runs/<name>/  recipe.yaml (as given)  config.json (resolved)  env.json (versions, device, git, seed)
//                 events.jsonl  tensorboard/  checkpoints/  evaluation/  diagrams/  report.html

import { mkdir, readdir, readFile, rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileError, TopofrError, writeFileAtomic } from "@topofr/formats";
import type { Environment } from "./environment.js";

/** Paths of one run. All exist once the run is created, but for `report`. */
export interface RunFolder {
  /** As given by the user, absolute or relative to the working directory. */
  path: string;
  name: string;
  recipe: string;
  config: string;
  environment: string;
  events: string;
  tensorboard: string;
  checkpoints: string;
  evaluation: string;
  diagrams: string;
  report: string;
}

export interface CreateRunOptions {
  /** Folder that holds runs. */
  root: string;
  /** null: from the date and time. */
  name: string | null;
  /** The recipe as given, YAML. */
  recipeText: string;
  /** The resolved recipe; plain data. */
  config: unknown;
  environment: Environment;
  /** Replace a run of that name. Files that are not part of the contract stay. */
  overwrite?: boolean;
  /** For the default name. */
  now?: Date;
}

const FILES = ["recipe.yaml", "config.json", "env.json", "events.jsonl", "report.html"] as const;
const FOLDERS = ["tensorboard", "checkpoints", "evaluation", "diagrams"] as const;

/**
 * Makes `<root>/<name>` with its folders, recipe.yaml, config.json and env.json. A run there that never logged an
 * event (its data set was missing, say) is replaced without asking.
 *
 * @throws TopofrError E_USAGE when the name is no folder name, or the folder holds a run (without `overwrite`) or
 *   other files; E_FILE when it cannot be written
 */
export async function createRunFolder(options: CreateRunOptions): Promise<RunFolder> {
  const { root, recipeText, config, environment, overwrite = false, now = new Date() } = options;
  const name = options.name ?? timestamp(now);
  checkName(name);
  const run = runPaths(join(root, name));
  const present: string[] = await readdir(run.path).catch(() => []);
  if (present.includes("config.json")) {
    if (!overwrite && (await hasStarted(run)))
      throw new TopofrError(
        "E_USAGE",
        `${run.path} holds a run already; continue it with --resume ${run.path}, start it again with --overwrite, or choose another --name`,
      );
    for (const entry of [...FILES, ...FOLDERS])
      await rm(join(run.path, entry), { recursive: true, force: true });
  } else if (present.length > 0) {
    throw new TopofrError(
      "E_USAGE",
      `${run.path} is not empty and is not a run (it has no config.json); choose another --name`,
    );
  }
  try {
    for (const folder of FOLDERS) await mkdir(join(run.path, folder), { recursive: true });
  } catch (error) {
    throw fileError(run.path, "make the run folder", error);
  }
  await writeText(run.recipe, recipeText);
  await writeText(run.environment, json(environment));
  // Last: a folder with a config.json is a run.
  await writeText(run.config, json(config));
  return run;
}

/**
 * The paths of an existing run.
 *
 * @throws TopofrError E_FILE when there is none, naming what was looked for
 */
export async function openRunFolder(path: string): Promise<RunFolder> {
  const run = runPaths(path);
  if (await isRunFolder(path)) return run;
  const exists = await stat(path).then(
    () => true,
    () => false,
  );
  const found = exists ? "has no config.json, so it is not a run folder" : "no such run folder";
  throw new TopofrError(
    "E_FILE",
    `${path}: ${found}; give the folder that \`topofr train\` made, runs/<name>`,
  );
}

/** Whether the folder is a run: it has a config.json. */
export async function isRunFolder(path: string): Promise<boolean> {
  return stat(join(path, "config.json")).then(
    (entry) => entry.isFile(),
    () => false,
  );
}

/** The runs in a folder, newest first by the time of their config.json. Empty when there is no such folder. */
export async function listRuns(root: string): Promise<RunFolder[]> {
  const names: string[] = await readdir(root).catch(() => []);
  const runs = await Promise.all(
    names.map(async (name) => {
      const run = runPaths(join(root, name));
      const time = await stat(run.config).then(
        (entry) => entry.mtimeMs,
        () => undefined,
      );
      return { run, time };
    }),
  );
  return runs
    .filter(({ time }) => time !== undefined)
    .sort((a, b) => b.time! - a.time!)
    .map(({ run }) => run);
}

/**
 * The resolved recipe of a run, as plain data to be parsed by its schema.
 *
 * @throws TopofrError E_FILE when it cannot be read, E_FORMAT when it is not JSON
 */
export async function readConfig(run: RunFolder): Promise<unknown> {
  return readJson(run.config);
}

/** Notes a resume in env.json: the environment of the new session, under `resumes`. */
export async function recordResume(run: RunFolder, environment: Environment): Promise<void> {
  const before = (await readJson(run.environment)) as Environment & { resumes?: Environment[] };
  await writeText(run.environment, json({ ...before, resumes: [...(before.resumes ?? []), environment] }));
}

/** Weights (safetensors) and state (json) of a checkpoint: "last", "best" or a step. */
export function checkpointPaths(run: RunFolder, which: "last" | "best" | number) {
  const base = join(run.checkpoints, typeof which === "number" ? `step_${which}` : which);
  return { weights: `${base}.safetensors`, state: `${base}.json` };
}

export function runPaths(path: string): RunFolder {
  return {
    path,
    name: basename(path),
    recipe: join(path, "recipe.yaml"),
    config: join(path, "config.json"),
    environment: join(path, "env.json"),
    events: join(path, "events.jsonl"),
    tensorboard: join(path, "tensorboard"),
    checkpoints: join(path, "checkpoints"),
    evaluation: join(path, "evaluation"),
    diagrams: join(path, "diagrams"),
    report: join(path, "report.html"),
  };
}

/** Whether there is anything to lose. */
async function hasStarted(run: RunFolder): Promise<boolean> {
  const logged = await stat(run.events).then(
    ({ size }) => size > 0,
    () => false,
  );
  return logged || (await readdir(run.checkpoints).catch((): string[] => [])).length > 0;
}

/** "2026-11-24_08-15-30", local time. */
function timestamp(now: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const date = [now.getFullYear(), two(now.getMonth() + 1), two(now.getDate())].join("-");
  return `${date}_${[now.getHours(), now.getMinutes(), now.getSeconds()].map(two).join("-")}`;
}

function checkName(name: string): void {
  if (/^[\w][\w.+-]*$/.test(name)) return;
  throw new TopofrError(
    "E_USAGE",
    `run name "${name}": use letters, digits and . _ + - only, not starting with . or -; --out chooses the folder`,
  );
}

async function readJson(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    throw fileError(path, "read it", error);
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new TopofrError("E_FORMAT", `${path}: not JSON; it was changed by hand or damaged`, { cause });
  }
}

const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
const writeText = (path: string, text: string) => writeFileAtomic(path, [Buffer.from(text)]);
