// Training processes that are killed: whatever the moment, the run goes on from its last checkpoint to the same numbers.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { RandomStream } from "../random/stream.js";
import { checkpointPaths, type RunFolder, runPaths } from "../runs/runFolder.js";
import { readCheckpointState } from "./checkpoint.js";
import {
  expectSameRun,
  newRun,
  temporaryFolder,
  tinyRecipe,
  train,
  writePictures,
} from "./train.test.support.js";

const MAIN = fileURLToPath(new URL("../cli/main.js", import.meta.url));
const KILL_AT_SAVE = new URL("./killAtSave.test.support.js", import.meta.url).href;

const folder = temporaryFolder();
const recipeFile = join(folder.path, "recipe.yaml");
const recipe = tinyRecipe(join(folder.path, "faces"), {
  "objective.preset": "paper",
  "checkpoint.everySteps": 1,
  maxSteps: 4,
});
let whole: RunFolder;

beforeAll(async () => {
  await writePictures(recipe.data.path);
  writeFileSync(recipeFile, JSON.stringify(recipe));
  whole = await newRun(folder.path, "whole", recipe);
  await train(recipe, whole);
});
afterAll(folder.remove);

function topofr(args: readonly string[], nodeOptions: readonly string[] = [], env = {}): ChildProcess {
  return spawn(process.execPath, [...nodeOptions, MAIN, ...args], {
    stdio: "ignore",
    env: { ...process.env, ...env },
  });
}

const newTraining = (name: string) => ["train", recipeFile, "--out", folder.path, "--name", name];

async function endOf(child: ChildProcess): Promise<NodeJS.Signals | number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  return child.signalCode ?? child.exitCode;
}

/** Waits until the log has a line with `text`, or the process has ended. */
async function logged(run: RunFolder, text: string, child: ChildProcess): Promise<void> {
  const read = () => {
    try {
      return readFileSync(run.events, "utf8");
    } catch {
      return "";
    }
  };
  while (child.exitCode === null && !read().includes(text)) await setTimeout(10);
}

test("killed at any moments and resumed each time", async () => {
  const run = runPaths(join(folder.path, "killed"));
  const moments = new RandomStream(1, "moments");
  const first = topofr(newTraining("killed"));
  await logged(run, '"checkpoint","step":1', first);
  await setTimeout(moments.range(0, 200));
  first.kill("SIGKILL");
  expect(await endOf(first)).toBe("SIGKILL");

  const second = topofr(["train", "--resume", run.path]);
  await logged(run, '"step","step":3', second);
  await setTimeout(moments.range(0, 100));
  second.kill("SIGKILL");
  await endOf(second);

  await train(recipe, run, { resume: true });
  await expectSameRun(run, whole);
});

test("killed in the middle of a save: the checkpoint before is whole, the half one is removed", async () => {
  const run = runPaths(join(folder.path, "half"));
  const child = topofr(newTraining("half"), ["--import", KILL_AT_SAVE], { TOPOFR_TEST_KILL_AT_SAVE: "2" });
  expect(await endOf(child)).toBe("SIGKILL");
  const half = () => readdirSync(run.checkpoints).filter((name) => name.includes(".tmp-"));
  expect(half()).toHaveLength(1);
  expect(await readCheckpointState(checkpointPaths(run, "last").weights)).toMatchObject({ step: 1 });

  await train(recipe, run, { resume: true });
  expect(half()).toEqual([]);
  await expectSameRun(run, whole);
});
