// A run that is interrupted and resumed is the run that never was: the same weights bit for bit, and the same log.
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { checkpointPaths, type RunFolder } from "../runs/runFolder.js";
import type { Recipe } from "./recipe.js";
import {
  checkpointOf,
  eventsOfType,
  expectSameRun,
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

test.each<[string, number[], Record<string, unknown>]>([
  ["the default objective, whose signs alternate", [1, 2], { maxSteps: 3 }],
  ["two batches a step, over an epoch's end", [1], { accumulate: 2, maxSteps: 2 }],
  [
    "preset paper, whose signs are random, in bf16",
    [1],
    { "objective.preset": "paper", precision: "bf16", maxSteps: 2 },
  ],
  ["a margin with running means", [1], { "objective.variant": "adaface", maxSteps: 2 }],
  ["a margin with a parameter of its own", [1], { "objective.variant": "uniface", maxSteps: 2 }],
  [
    "a random share of the classes, two batches a step, checkpointing",
    [1],
    {
      "classifier.sampleRate": 0.9,
      "classifier.precision": "bf16",
      "model.checkpointing": true,
      accumulate: 2,
      maxSteps: 2,
    },
  ],
  ["AdamW after a warm-up", [2], { "optim.name": "adamw", "schedule.warmupEpochs": 0.5, maxSteps: 3 }],
])(
  "%s: interrupted after steps %j and resumed, a run has the same weights and losses",
  async (_, stops, changes) => {
    const recipe = tinyRecipe(faces, { ...changes, epochs: 4 });
    const whole = await start(recipe);
    expect(await train(recipe, whole)).toMatchObject({ reason: "maxSteps", step: recipe.maxSteps });

    const stopped = await start(recipe);
    for (const [session, stopAfter] of stops.entries())
      expect(await train(recipe, stopped, { resume: session > 0, stopAfter })).toMatchObject({
        reason: "interrupted",
        step: stopAfter,
      });
    expect(await train(recipe, stopped, { resume: true })).toMatchObject({ reason: "maxSteps" });
    await expectSameRun(stopped, whole);
  },
);

test("evaluation: an interrupt leaves none out, does none twice, and the best checkpoint is the same", async () => {
  const recipe = tinyRecipe(faces, {
    maxSteps: 1,
    "evaluate.data": faces,
    "evaluate.everySteps": 1,
    "evaluate.atStart": true,
    "checkpoint.everySteps": 1,
  });
  const whole = await start(recipe);
  const result = await train(recipe, whole);
  expect(eventsOfType(whole, "evaluation").map(({ step }) => step)).toEqual([0, 1]);

  const stopped = await start(recipe);
  await train(recipe, stopped, { stopAfter: 1 }); // before step 1 is evaluated
  expect(eventsOfType(stopped, "evaluation").map(({ step }) => step)).toEqual([0]);
  expect(await train(recipe, stopped, { resume: true })).toMatchObject({ bestAccuracy: result.bestAccuracy });
  await expectSameRun(stopped, whole);
  expect(await checkpointOf(stopped, "best")).toEqual(await checkpointOf(whole, "best"));

  await train(recipe, stopped, { resume: true }); // nothing is left to do
  await expectSameRun(stopped, whole);
});

test("an interrupt before the first step saves the fresh network, and the resumed run is the whole one", async () => {
  const recipe = tinyRecipe(faces, { maxSteps: 1 });
  const whole = await start(recipe);
  await train(recipe, whole);
  const stopped = await start(recipe);
  expect(await train(recipe, stopped, { stopAtStart: true })).toMatchObject({
    reason: "interrupted",
    step: 0,
  });
  await train(recipe, stopped, { resume: true });
  await expectSameRun(stopped, whole);
});

test("a run that never saved says so, and what to do", async () => {
  const recipe = tinyRecipe(faces);
  const run = await start(recipe);
  await expect(train(recipe, run, { resume: true })).rejects.toMatchObject({
    code: "E_FILE",
    message: expect.stringMatching(/last\.safetensors: there is none.*--overwrite$/) as string,
  });
});

test("as many step_N checkpoints are kept as the recipe says, over resumes too, and a killed save's rest is removed", async () => {
  const recipe = tinyRecipe(faces, { maxSteps: 4, "checkpoint.everySteps": 1, "checkpoint.keep": 2 });
  const run = await start(recipe);
  await train(recipe, run, { stopAfter: 2 });
  await train({ ...recipe, maxSteps: 3 }, run, { resume: true });
  writeFileSync(`${checkpointPaths(run, "last").weights}.tmp-123-4`, "half a checkpoint");
  await train(recipe, run, { resume: true });
  expect(readdirSync(run.checkpoints).sort()).toEqual(
    ["last", "step_3", "step_4"].flatMap((name) => [`${name}.json`, `${name}.safetensors`]),
  );
});
