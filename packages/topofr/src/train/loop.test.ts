// The training loop on good and bad data, and when the numbers run away. Resuming: resume.test.ts; kills: killed.test.ts.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { liveTensors } from "@topofr/torch";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { settledLiveTensors } from "../method/method.test.support.js";
import { checkpointPaths, type RunFolder } from "../runs/runFolder.js";
import { loadCheckpoint } from "./checkpoint.js";
import { createLearner, disposeLearner } from "./learner.js";
import type { Recipe } from "./recipe.js";
import {
  checkpointOf,
  eventsOf,
  eventsOfType,
  newRun,
  temporaryFolder,
  tinyRecipe,
  train,
  writePairs,
  writePictures,
} from "./train.test.support.js";

const folder = temporaryFolder();
const faces = join(folder.path, "faces");
beforeAll(async () => {
  await writePictures(faces);
  writePairs(faces);
});
afterAll(folder.remove);

let runs = 0;
const start = (recipe: Recipe): Promise<RunFolder> => newRun(folder.path, `run_${runs++}`, recipe);

const errorWith = (code: string, message: RegExp) => ({
  code,
  message: expect.stringMatching(message) as string,
});

test("a finished run: its events in order, its checkpoints, its result, and no tensor left", async () => {
  const recipe = tinyRecipe(faces, { epochs: 1, "evaluate.data": faces, "checkpoint.keep": 1 });
  const run = await start(recipe);
  const before = await settledLiveTensors();
  const result = await train(recipe, run);
  expect(liveTensors()).toBe(before);

  expect(eventsOf(run).map(({ type, step }) => `${type} ${step}`)).toEqual([
    ...["start 0", "step 1", "step 2", "step 3", "evaluation 3", "checkpoint 3", "end 3"],
  ]);
  const [begin] = eventsOfType(run, "start");
  expect(begin).toMatchObject({ totalSteps: 3, stepsPerEpoch: 3, epochs: 1, images: 6, identities: 2 });
  const [evaluation] = eventsOfType(run, "evaluation");
  expect(evaluation).toMatchObject({ name: "faces", best: true });
  expect(Object.keys(evaluation!.metrics)).toEqual([
    ...["accuracy", "accuracyStd", "auc", "eer"],
    ...["tarAtFar 1e-1", "tarAtFar 1e-2", "tarAtFar 1e-3", "tarAtFar 1e-4"],
  ]);
  expect(result).toMatchObject({
    reason: "finished",
    step: 3,
    epoch: 0,
    bestAccuracy: evaluation!.metrics.accuracy,
  });
  const rates = eventsOfType(run, "step").map(({ learningRate }) => learningRate);
  expect(rates).toEqual([0, 1, 2].map((step) => 0.01 * (1 - step / 3) ** 2));
  expect(readdirSync(run.checkpoints).sort()).toEqual(
    ["best", "last", "step_3"].flatMap((name) => [`${name}.json`, `${name}.safetensors`]),
  );
  expect(await checkpointOf(run, "best")).toEqual(await checkpointOf(run, 3));
});

test("logEverySteps thins the step events; a time limit stops after the step at hand", async () => {
  const recipe = tinyRecipe(faces, { logEverySteps: 2, maxMinutes: 1e-9, epochs: 9 });
  const run = await start(recipe);
  expect(await train(recipe, run)).toMatchObject({ reason: "maxMinutes", step: 0 });
  const longer = await start(recipe);
  await train({ ...recipe, maxMinutes: null, maxSteps: 2 }, longer);
  expect(eventsOfType(longer, "step").map(({ step }) => step)).toEqual([2]);
});

describe("divergence", () => {
  test("a network that an update breaks stops the run, and is not saved over the last good checkpoint", async () => {
    // Warm-up: the first step's learning rate is 0, so that its checkpoint is good.
    const recipe = tinyRecipe(faces, {
      "optim.lr": 3e38,
      "schedule.warmupEpochs": 1,
      "checkpoint.everySteps": 1,
      "optim.clipNorm": null,
    });
    const run = await start(recipe);
    await expect(train(recipe, run)).rejects.toMatchObject(
      errorWith(
        "E_DIVERGED",
        /^step [23]: .* not finite.*; the checkpoint of step 1 is kept\. A smaller optim\.lr/,
      ),
    );
    expect(eventsOf(run).at(-1)).toMatchObject({ type: "end", reason: "diverged" });
    const learner = createLearner(recipe, 2);
    expect(await loadCheckpoint(checkpointPaths(run, "last"), learner)).toMatchObject({ step: 1 });
    disposeLearner(learner);
  });

  test.each(["fp32", "bf16"])(
    "a loss that is not finite stops with the step, before the first checkpoint too (%s)",
    async (precision) => {
      const recipe = tinyRecipe(faces, { "optim.lr": 1e30, precision, epochs: 9 });
      const run = await start(recipe);
      await expect(train(recipe, run)).rejects.toMatchObject(
        errorWith("E_DIVERGED", /^step [23]: .*; no checkpoint was saved yet/),
      );
      expect(readdirSync(run.checkpoints)).toEqual([]);
    },
  );
});

describe("bad data", () => {
  /** A folder of its own to spoil. */
  async function copyOfFaces(options = {}): Promise<{ data: string; files: string[] }> {
    const data = join(folder.path, `faces_${runs++}`);
    return { data, files: await writePictures(data, options) };
  }

  test("an unreadable image is replaced, named once in the log, and training goes on, resumed too", async () => {
    const { data, files } = await copyOfFaces();
    writeFileSync(files[2]!, "no picture");
    const recipe = tinyRecipe(data, { epochs: 2 });
    const run = await start(recipe);
    await train(recipe, run, { stopAfter: 4 });
    await train(recipe, run, { resume: true });
    const bad = eventsOfType(run, "badImage");
    expect(bad).toHaveLength(1);
    expect(bad[0]!.path).toBe(files[2]);
    expect(bad[0]!.reason).not.toBe("");
    expect(eventsOf(run).at(-1)).toMatchObject({ reason: "finished", step: 6 });
  });

  test("with onBadImage: fail it stops the run", async () => {
    const { data, files } = await copyOfFaces();
    writeFileSync(files[2]!, "no picture");
    const recipe = tinyRecipe(data, { "data.onBadImage": "fail" });
    const run = await start(recipe);
    await expect(train(recipe, run)).rejects.toMatchObject(
      errorWith("E_DATA", /person_0_0003\.png.* cannot be read/),
    );
    expect(eventsOf(run).at(-1)).toMatchObject({ type: "end", reason: "failed" });
  });

  test("a person with one image is a warning in the log", async () => {
    const { data, files } = await copyOfFaces();
    for (const file of files.slice(4)) rmSync(file);
    const recipe = tinyRecipe(data, { maxSteps: 1 });
    const run = await start(recipe);
    await train(recipe, run);
    const [warning, ...others] = eventsOfType(run, "warning");
    expect(others).toEqual([]);
    expect(warning!.message).toMatch(/1 identity with a single image .*: person_1$/);
  });

  test("an image of another size stops the run, unless it may be fitted", async () => {
    const { data } = await copyOfFaces({ size: 64 });
    const strict = tinyRecipe(data);
    await expect(train(strict, await start(strict))).rejects.toMatchObject(
      errorWith("E_DATA", /has 64x64 pixels, expected 112x112/),
    );
    const fitted = tinyRecipe(data, { "data.resize": "fit", maxSteps: 1 });
    expect(await train(fitted, await start(fitted))).toMatchObject({ step: 1 });
  });

  test("a network of smaller images gets the aligned faces made smaller, in training and verification", async () => {
    const recipe = tinyRecipe(faces, { "model.inputSize": 32, "evaluate.data": faces, maxSteps: 1 });
    const run = await start(recipe);
    expect(await train(recipe, run)).toMatchObject({ step: 1 });
    expect(eventsOfType(run, "evaluation")).toHaveLength(1);
  });

  test("lists of people and a share of the images make the training set", async () => {
    const { data } = await copyOfFaces({ identities: 3 });
    const list = join(folder.path, "two.txt");
    writeFileSync(list, "person_0\nperson_2\n");
    const recipe = tinyRecipe(data, { "data.only": list, "data.share": 0.7, maxSteps: 1 });
    const run = await start(recipe);
    await train(recipe, run);
    expect(eventsOfType(run, "start")[0]).toMatchObject({ images: 4, identities: 2 });
  });

  test.each<[string, Record<string, unknown>, string, RegExp]>([
    ["an empty folder", { "data.path": "EMPTY" }, "E_DATA", /the folder is empty/],
    ["a missing folder", { "data.path": "MISSING" }, "E_FILE", /no such file or folder/],
    ["fewer images than a batch", { batchSize: 7 }, "E_DATA", /6 samples do not fill one batch of 7/],
    ["fewer batches than a step", { accumulate: 7 }, "E_DATA", /do not fill one step of accumulate 7/],
    [
      "pairs that are not there",
      { "evaluate.data": "EMPTY" },
      "E_DATA",
      /not a benchmark; expected a folder of images with pairs\.txt/,
    ],
  ])("%s is an error before the first step", async (_, changes, code, message) => {
    const empty = join(folder.path, "empty");
    mkdirSync(empty, { recursive: true });
    const paths: Record<string, string> = { EMPTY: empty, MISSING: join(empty, "none") };
    const given = Object.entries(changes).map(([key, value]) => [key, paths[value as string] ?? value]);
    const recipe = tinyRecipe(faces, Object.fromEntries(given) as Record<string, unknown>);
    await expect(train(recipe, await start(recipe))).rejects.toMatchObject(errorWith(code, message));
  });
});
