// Writes a drawn world to a folder as data-set tools expect it: name/name_0001.jpg as in LFW, with samples.jsonl
// (what each picture shows) and, if asked, pairs.txt. world.json is written last and says that the folder is complete.
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { fileError, TopofrError } from "@topofr/formats";
import "sharp"; // also in the main thread, or its native library is unloaded under a worker that ends
import { type PairOptions, pairList } from "./pairs.js";
import type { RenderReply, RenderSetup } from "./renderWorker.js";
import { checkWorld, type SyntheticWorldOptions } from "./world.js";

/** Changes whenever the same options would give other pictures; a folder of another version is not reused. */
const DRAWING_VERSION = 1;
const COMPLETE = "world.json";
const UNFINISHED = "world.unfinished.json";
const OWN_NAMES =
  /^(identity_\d{4,}|samples\.jsonl|pairs\.txt|world\.json|world\.unfinished\.json)(\.part)?$/;
const DEFAULT_QUALITY = 95;

export interface WriteWorldOptions extends SyntheticWorldOptions {
  format: "jpg" | "png";
  /** JPEG quality, 1..100. Default 95. */
  quality?: number;
  /** Threads. Default: one a core. */
  workers?: number;
  /** Also write pairs.txt. */
  pairs?: PairOptions;
  /** Replace a world with other options that is in the folder. Default false. */
  overwrite?: boolean;
}

export interface WrittenWorld {
  images: number;
  identities: number;
  /** Pictures drawn to be hard. */
  hard: number;
  seconds: number;
  /** The folder held exactly this world already; nothing was drawn. */
  reused: boolean;
}

/** What world.json says. */
interface WorldRecord {
  options: object;
  images: number;
  identities: number;
  hard: number;
}

/**
 * Draws a world into `folder`. A folder that holds the same world complete is left as it is; one whose writing was
 * interrupted is drawn again.
 *
 * @throws E_DATA when the folder holds anything else, unless `overwrite` (which removes a world, never other files);
 * E_USAGE when an option is out of range; E_FILE when a file cannot be written
 */
export async function writeWorld(
  folder: string,
  options: WriteWorldOptions,
  onProgress: (done: number, total: number) => void = () => {},
): Promise<WrittenWorld> {
  const started = performance.now();
  const { format, quality = DEFAULT_QUALITY, workers = availableParallelism(), pairs } = options;
  const world = checkWorld(options);
  checkWriting(format, quality, workers);
  const pairText = pairs === undefined ? null : pairList(world, pairs);
  const total = world.identities * world.imagesPerIdentity;
  const asked = {
    version: DRAWING_VERSION,
    ...world,
    format,
    quality: format === "png" ? null : quality,
    pairs: pairs === undefined ? null : { folds: pairs.folds, perFold: pairs.perFold },
  };

  const present = await prepareFolder(folder, JSON.stringify(asked), options.overwrite ?? false);
  if (present !== null) {
    onProgress(total, total);
    const { images, identities, hard } = present;
    return { images, identities, hard, seconds: secondsSince(started), reused: true };
  }
  await writeText(join(folder, UNFINISHED), `${JSON.stringify({ options: asked }, null, 2)}\n`);
  const { lines, hard } = await drawEverybody({ folder, world, format, quality }, workers, onProgress);
  await writeText(join(folder, "samples.jsonl"), `${lines.join("\n")}\n`);
  if (pairText !== null) await writeText(join(folder, "pairs.txt"), pairText);
  const record: WorldRecord = { options: asked, images: total, identities: world.identities, hard };
  await writeText(join(folder, COMPLETE), `${JSON.stringify(record, null, 2)}\n`);
  await rm(join(folder, UNFINISHED), { force: true });
  return { images: total, identities: world.identities, hard, seconds: secondsSince(started), reused: false };
}

function checkWriting(format: string, quality: number, workers: number): void {
  if (format !== "jpg" && format !== "png") {
    throw new TopofrError("E_USAGE", `synthetic faces: format must be "jpg" or "png", found "${format}"`);
  }
  if (!Number.isSafeInteger(quality) || quality < 1 || quality > 100) {
    throw new TopofrError("E_USAGE", `synthetic faces: quality must be within 1..100, found ${quality}`);
  }
  if (!Number.isSafeInteger(workers) || workers < 1) {
    throw new TopofrError("E_USAGE", `synthetic faces: workers must be at least 1, found ${workers}`);
  }
}

/** Makes the folder ready to be written, or returns the record of the same world if it is complete there. */
async function prepareFolder(folder: string, asked: string, overwrite: boolean): Promise<WorldRecord | null> {
  let names: string[];
  try {
    await mkdir(folder, { recursive: true });
    names = await readdir(folder);
  } catch (error) {
    throw fileError(folder, "open the folder for synthetic faces", error);
  }
  if (names.length === 0) return null;
  const foreign = names.find((name) => !OWN_NAMES.test(name));
  if (foreign !== undefined || !(names.includes(COMPLETE) || names.includes(UNFINISHED))) {
    throw new TopofrError(
      "E_DATA",
      `${folder}: synthetic faces go into an empty folder, and this one holds other files (${foreign ?? names[0]}); ` +
        "choose another folder",
    );
  }
  const found = await readRecord(join(folder, names.includes(COMPLETE) ? COMPLETE : UNFINISHED));
  const equal = found !== null && JSON.stringify(found.options) === asked;
  if (equal && names.includes(COMPLETE)) return found;
  if (!equal && !overwrite) {
    throw new TopofrError(
      "E_DATA",
      `${folder}: holds synthetic faces drawn with other options (${describeDifference(found, asked)}); ` +
        "choose another folder, or overwrite",
    );
  }
  // The marker goes first, so that a kill from here on cannot leave a folder that looks complete.
  for (const name of [COMPLETE, ...names]) {
    await rm(join(folder, name), { recursive: true, force: true }).catch((error: unknown) => {
      throw fileError(join(folder, name), "remove what was drawn before", error);
    });
  }
  return null;
}

async function readRecord(path: string): Promise<WorldRecord | null> {
  try {
    const record = JSON.parse(await readFile(path, "utf8")) as Partial<WorldRecord> | null;
    return typeof record?.options === "object" && record.options !== null ? (record as WorldRecord) : null;
  } catch {
    return null; // cut off in the middle: an unknown world
  }
}

function describeDifference(found: WorldRecord | null, asked: string): string {
  if (found === null) return "its world.json cannot be read";
  const there = found.options as Record<string, unknown>;
  const wanted = JSON.parse(asked) as Record<string, unknown>;
  const differing = Object.keys(wanted).filter(
    (key) => JSON.stringify(there[key]) !== JSON.stringify(wanted[key]),
  );
  return differing
    .map((key) => `${key} ${JSON.stringify(there[key])}, asked for ${JSON.stringify(wanted[key])}`)
    .join("; ");
}

/** Hands people to worker threads until all are drawn. Lines come back in the order of people. */
async function drawEverybody(
  setup: RenderSetup,
  workers: number,
  onProgress: (done: number, total: number) => void,
): Promise<{ lines: string[]; hard: number }> {
  const { identities, imagesPerIdentity } = setup.world;
  const lines: string[][] = [];
  let next = 0;
  let done = 0;
  let hard = 0;
  const threads = Array.from(
    { length: Math.min(workers, identities) },
    () => new Worker(new URL("./renderWorker.js", import.meta.url), { workerData: setup }),
  );
  const work = (thread: Worker): Promise<void> =>
    new Promise((resolve, reject) => {
      const hand = (): void => {
        if (next < identities) thread.postMessage(next++);
        else resolve();
      };
      thread.on("message", (reply: RenderReply) => {
        if ("problem" in reply) {
          reject(new TopofrError(reply.problem.code, reply.problem.message));
          return;
        }
        lines[reply.identity] = reply.lines;
        hard += reply.hard;
        done++;
        onProgress(done * imagesPerIdentity, identities * imagesPerIdentity);
        hand();
      });
      thread.on("error", reject);
      thread.on("exit", (code) =>
        reject(new TopofrError("E_SETUP", `a drawing thread ended (exit code ${code})`)),
      );
      hand();
    });
  try {
    await Promise.all(threads.map(work));
  } finally {
    await Promise.all(threads.map((thread) => thread.terminate()));
  }
  return { lines: lines.flat(), hard };
}

/** Writes beside the file and renames, so that a file is there whole or not at all. */
async function writeText(path: string, text: string): Promise<void> {
  try {
    await writeFile(`${path}.part`, text);
    await rename(`${path}.part`, path);
  } catch (error) {
    throw fileError(path, "write the file", error);
  }
}

function secondsSince(started: number): number {
  return (performance.now() - started) / 1000;
}
