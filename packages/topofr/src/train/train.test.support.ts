// What the tests of training share: a few small pictures, a recipe that is quick, and runs of it. The name keeps it out of the
// published package.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadTensors } from "@topofr/torch";
import sharp from "sharp";
import { expect } from "vitest";
import { RandomStream } from "../random/stream.js";
import { describeEnvironment } from "../runs/environment.js";
import { readEventLog } from "../runs/eventLog.js";
import type { EventOfType, LoggedEvent, RunEvent } from "../runs/events.js";
import { checkpointPaths, createRunFolder, type RunFolder } from "../runs/runFolder.js";
import { type TrainResult, trainRun } from "./loop.js";
import type { Recipe } from "./recipe.js";
import { parseRecipe } from "./recipeFile.js";

/** The file's own folder for runs and pictures. Remove it after the last test. */
export function temporaryFolder(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), "topofr-train-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** `images` pictures for each of `identities`: a colour of the person's own under noise. Returns the files. */
export async function writePictures(
  folder: string,
  { identities = 2, images = 3, size = 112 } = {},
): Promise<string[]> {
  const stream = new RandomStream(1, "test pictures");
  const files: string[] = [];
  for (let label = 0; label < identities; label++) {
    const colour = [0, 1, 2].map(() => stream.range(60, 190));
    mkdirSync(join(folder, `person_${label}`), { recursive: true });
    for (let image = 1; image <= images; image++) {
      const pixels = Uint8Array.from(
        { length: size * size * 3 },
        (_, i) => colour[i % 3]! + stream.range(-50, 50),
      );
      const file = join(folder, `person_${label}`, `person_${label}_000${image}.png`);
      await sharp(pixels, { raw: { width: size, height: size, channels: 3 } })
        .png()
        .toFile(file);
      files.push(file);
    }
  }
  return files;
}

/** pairs.txt of two folds, of the first three pictures of two people. */
export function writePairs(folder: string): void {
  const same = (name: string) => `${name}\t1\t2\n${name}\t2\t3\n`;
  const different = "person_0\t1\tperson_1\t2\nperson_0\t3\tperson_1\t1\n";
  writeFileSync(
    join(folder, "pairs.txt"),
    `2\t2\n${same("person_0")}${different}${same("person_1")}${different}`,
  );
}

/** A recipe of the smallest batches, 3 steps an epoch on 6 pictures; `changes` are dotted keys. */
export function tinyRecipe(data: string, changes: Record<string, unknown> = {}): Recipe {
  const all = {
    "data.path": data,
    "model.network": "mobilefacenet",
    "model.embeddingSize": 8,
    "optim.lr": 0.01,
    batchSize: 2,
    epochs: 2,
    threads: 1,
    workers: 1,
    "checkpoint.keep": 0,
    ...changes,
  };
  const overrides = Object.entries(all).map(([path, value]) => ({ path, value, source: path }));
  return parseRecipe("", "test recipe", overrides).recipe;
}

export async function newRun(root: string, name: string, recipe: Recipe): Promise<RunFolder> {
  const environment = await describeEnvironment({ seed: recipe.seed, commandLine: ["test"], torch: null });
  return createRunFolder({ root, name, recipeText: "", config: recipe, environment });
}

export interface TrainChoice {
  resume?: boolean;
  /** Interrupt when this many steps are done. */
  stopAfter?: number;
  /** Interrupt before the first step. */
  stopAtStart?: boolean;
  onEvent?(event: LoggedEvent): void;
}

/** Trains in this process. */
export function train(
  recipe: Recipe,
  runFolder: RunFolder,
  { resume = false, stopAfter, stopAtStart = false, onEvent }: TrainChoice = {},
): Promise<TrainResult> {
  const interrupt = new AbortController();
  return trainRun({
    recipe,
    runFolder,
    resume,
    signal: interrupt.signal,
    onEvent(event) {
      const isReached = event.type === "step" && event.step === stopAfter;
      if (isReached || (stopAtStart && event.type === "start")) interrupt.abort();
      onEvent?.(event);
    },
  });
}

export const eventsOf = (run: RunFolder): LoggedEvent[] => readEventLog(run.events).events;

export function eventsOfType<Type extends RunEvent["type"]>(run: RunFolder, type: Type): EventOfType<Type>[] {
  return eventsOf(run).filter((event) => event.type === type) as unknown as EventOfType<Type>[];
}

/** Every tensor of a checkpoint, as bytes in text, and the state beside them. */
export async function checkpointOf(run: RunFolder, which: "last" | "best" | number = "last") {
  const { tensors, metadata } = await loadTensors(checkpointPaths(run, which).weights);
  const bytes = new Map<string, string>();
  for (const [name, value] of tensors) {
    bytes.set(name, Buffer.from(value.toBytes()).toString("base64"));
    value.dispose();
  }
  // A stream's words may be signed or not: the same bits.
  const state = JSON.parse(metadata.get("topofr")!, (key, value: unknown) =>
    typeof value === "number" && /^[0-3]$/.test(key) ? value >>> 0 : value,
  ) as unknown;
  return { tensors: bytes, state };
}

/** The same last checkpoint, bit for bit, and the same numbers in the log. */
export async function expectSameRun(resumed: RunFolder, whole: RunFolder): Promise<void> {
  const [there, here] = [await checkpointOf(whole), await checkpointOf(resumed)];
  expect(here.state).toEqual(there.state);
  expect([...here.tensors.keys()]).toEqual([...there.tensors.keys()]);
  for (const [name, bytes] of there.tensors) expect(here.tensors.get(name) === bytes, name).toBe(true);
  expect(numbersOf(resumed)).toEqual(numbersOf(whole));
}

/** Steps and evaluations without their times. (An interrupt saves where the whole run does not, so saves may differ.) */
function numbersOf(run: RunFolder): object[] {
  return eventsOf(run)
    .filter(({ type }) => type === "step" || type === "evaluation")
    .map((event) => ({ ...event, time: 0, seconds: 0, secondsPerStep: 0, imagesPerSecond: 0 }));
}
