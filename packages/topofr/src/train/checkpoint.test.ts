// Checkpoints: what is kept comes back bit for bit, and what is broken, foreign or unwritable is said to be so.
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  Generator,
  loadTensors,
  manualSeed,
  nn,
  optim,
  rand,
  saveTensors,
  scope,
  type Tensor,
} from "@topofr/torch";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { CosineClassifier } from "../method/classifier.js";
import { numbers } from "../method/method.test.support.js";
import { Objective } from "../method/objective.js";
import { objectiveOptions } from "../method/objectiveComposition.js";
import { Backbone } from "../models/backbone.js";
import { type CheckpointFiles, loadCheckpoint, readCheckpointState, saveCheckpoint } from "./checkpoint.js";
import { disposeLearner } from "./learner.js";
import type { Learner } from "./step.js";
import { eventsOf, newRun, temporaryFolder, tinyRecipe, train, writePictures } from "./train.test.support.js";

class TinyBackbone extends Backbone {
  override readonly embeddingSize = 2;
  readonly layer: nn.Module;
  constructor(name: string) {
    super();
    this.layer = this.child(name, new nn.Linear(3, 2));
  }
  override forward(images: Tensor): Tensor {
    return this.layer.forward(images.mean([2, 3]));
  }
}

function learnerOf({ classes = 3, layer = "fc", seed = 1, adam = false } = {}): Learner {
  manualSeed(seed);
  const backbone = new TinyBackbone(layer);
  const classifier = new CosineClassifier(classes, 2);
  const parameters = [...backbone.namedParameters("backbone."), ...classifier.namedParameters("classifier.")];
  const optimizer = adam
    ? new optim.AdamW(parameters, { lr: 0.1 })
    : new optim.SGD(parameters, { lr: 0.1, momentum: 0.9 });
  for (const value of optimizer.stateDict().values())
    if (value.dtype === "float32") value.normal_().dispose();
  const objective = new Objective(objectiveOptions({ preset: "paper" }), { seed, classes });
  return { backbone, classifier, objective, optimizer, precision: "fp32", clipNorm: 5 };
}

const MODEL = { network: "tiny", embeddingSize: 2 };
const PROGRESS = { step: 7, position: { epoch: 1, step: 3 }, bestAccuracy: 0.75 };

const folder = temporaryFolder();
afterAll(folder.remove);
const filesIn = (path: string): CheckpointFiles => ({
  weights: join(path, "last.safetensors"),
  state: join(path, "last.json"),
});

let files: CheckpointFiles;
let saved: Learner;
let fresh: Learner;
let count = 0;
beforeEach(() => {
  const own = join(folder.path, String(count++));
  mkdirSync(own);
  files = filesIn(own);
  saved = learnerOf({ seed: 1 });
  fresh = learnerOf({ seed: 2 });
});
afterEach(() => {
  disposeLearner(saved);
  disposeLearner(fresh);
});

const valuesOf = ({ backbone, classifier, optimizer }: Learner) =>
  [backbone, classifier, optimizer].map((part) =>
    [...part.stateDict()].map(([name, value]) => [name, numbers(value)]),
  );

const errorWith = (code: string, message: RegExp) => ({
  code,
  message: expect.stringMatching(message) as string,
});

test("weights, optimiser, random streams, generator and progress come back bit for bit", async () => {
  for (let i = 0; i < 5; i++) scope(() => saved.objective.perturb(rand([4, 3, 12, 12])));
  const streams = saved.objective.state();
  await saveCheckpoint(files, saved, MODEL, PROGRESS);
  const drawn = scope(() => numbers(rand([5])));

  const state = await loadCheckpoint(files, fresh);
  expect(valuesOf(fresh)).toEqual(valuesOf(saved));
  expect(state).toMatchObject({ ...MODEL, ...PROGRESS, classes: 3 });
  expect(fresh.objective.state().perturbation).toEqual(streams.perturbation);
  expect(scope(() => numbers(rand([5])))).toEqual(drawn); // libtorch's generator went on where it was
  expect(JSON.parse(readFileSync(files.state, "utf8"))).toEqual(await readCheckpointState(files.weights));
});

test("the same state gives the same bytes", async () => {
  const generator = Generator.default().state();
  await saveCheckpoint(files, saved, MODEL, PROGRESS);
  const bytes = readFileSync(files.weights);
  Generator.default().restore(generator);
  await saveCheckpoint(files, saved, MODEL, PROGRESS);
  expect(readFileSync(files.weights).equals(bytes)).toBe(true);
});

describe("refused", () => {
  test.each([1, 100, 1000])("a checkpoint that lacks its last %d bytes", async (missing) => {
    await saveCheckpoint(files, saved, MODEL, PROGRESS);
    truncateSync(files.weights, statSync(files.weights).size - missing);
    await expect(loadCheckpoint(files, fresh)).rejects.toMatchObject(
      errorWith("E_FORMAT", /last\.safetensors/),
    );
  });

  test("an empty file, and one that is no safetensors", async () => {
    for (const content of ["", "{}", "not a checkpoint, but long enough to be one"]) {
      writeFileSync(files.weights, content);
      await expect(loadCheckpoint(files, fresh)).rejects.toMatchObject({ code: "E_FORMAT" });
    }
  });

  test("weights without a training state, or with one that is damaged", async () => {
    const { tensors } = await savedTensors();
    for (const metadata of [{}, { topofr: "{" }, { topofr: "{}" }, { topofr: '{"format":2}' }]) {
      await saveTensors(files.weights, tensors, metadata as Record<string, string>);
      await expect(loadCheckpoint(files, fresh)).rejects.toMatchObject(
        errorWith("E_FORMAT", /holds no training state.*can be evaluated, but not resumed/),
      );
    }
  });

  test("a checkpoint of another network, with what is missing and what is unexpected", async () => {
    const other = learnerOf({ layer: "conv1" });
    const before = valuesOf(fresh);
    await saveCheckpoint(files, other, MODEL, PROGRESS);
    await expect(loadCheckpoint(files, fresh)).rejects.toMatchObject(
      errorWith("E_MODEL", /not of this network:.*missing keys.*fc\.weight.*unexpected keys.*conv1\.weight/s),
    );
    expect(valuesOf(fresh)).toEqual(before);
    disposeLearner(other);
  });

  test("a checkpoint of other identities, with both numbers", async () => {
    const other = learnerOf({ classes: 5 });
    await saveCheckpoint(files, other, MODEL, PROGRESS);
    await expect(loadCheckpoint(files, fresh)).rejects.toMatchObject(
      errorWith("E_MODEL", /has 5 identities, but the training data now have 3; resume with the data/),
    );
    disposeLearner(other);
  });

  test("a checkpoint of another optimiser", async () => {
    await saveCheckpoint(files, saved, MODEL, PROGRESS);
    const adam = learnerOf({ adam: true });
    await expect(loadCheckpoint(files, adam)).rejects.toMatchObject(
      errorWith("E_MODEL", /optimiser state "step" is missing/),
    );
    disposeLearner(adam);
  });

  async function savedTensors() {
    await saveCheckpoint(files, saved, MODEL, PROGRESS);
    return loadTensors(files.weights);
  }
});

describe("what cannot be written leaves the previous checkpoint", () => {
  test("a folder in the file's place", async () => {
    mkdirSync(files.weights);
    await expect(saveCheckpoint(files, saved, MODEL, PROGRESS)).rejects.toMatchObject({ code: "E_FILE" });
    expect(readdirSync(join(files.weights, ".."))).toEqual(["last.safetensors"]);
  });

  test("a folder that is gone", async () => {
    rmSync(join(files.weights, ".."), { recursive: true });
    await expect(saveCheckpoint(files, saved, MODEL, PROGRESS)).rejects.toMatchObject({ code: "E_FILE" });
  });
});

// A file system of a few megabytes, where this machine lets us mount one.
const disk = join(folder.path, "disk");
const canMount = (() => {
  try {
    mkdirSync(disk, { recursive: true });
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=20m", "tmpfs", disk], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();

describe.runIf(canMount)("a full disk", () => {
  const faces = join(folder.path, "faces");
  beforeAll(() => writePictures(faces));
  afterAll(() => execFileSync("umount", [disk]));

  test("stops the run with E_FILE; the checkpoint before is whole, and the run goes on from it with more space", async () => {
    // A checkpoint has 14 MB: the second, beside the first, does not fit into 20 MB.
    const recipe = tinyRecipe(faces, { maxSteps: 2, "checkpoint.everySteps": 1 });
    const run = await newRun(disk, "run", recipe);
    await expect(train(recipe, run)).rejects.toMatchObject(
      errorWith(
        "E_FILE",
        /last\.safetensors: cannot write the file \(any earlier version is unchanged\): the disk is full/,
      ),
    );
    expect(await readCheckpointState(join(run.checkpoints, "last.safetensors"))).toMatchObject({ step: 1 });
    expect(readdirSync(run.checkpoints).sort()).toEqual(["last.json", "last.safetensors"]);

    execFileSync("mount", ["-o", "remount,size=60m", disk]);
    expect(await train(recipe, run, { resume: true })).toMatchObject({ reason: "maxSteps", step: 2 });
    expect(eventsOf(run).map(({ type, step }) => `${type} ${step}`)).toEqual([
      ...["start 0", "step 1", "checkpoint 1", "step 2", "checkpoint 2", "end 2"],
    ]);
  });

  test("that is full to the last byte does not hide the error behind that of the log", async () => {
    const recipe = tinyRecipe(faces, { maxSteps: 2, "checkpoint.everySteps": 1 });
    const run = await newRun(disk, "full", recipe);
    const filler = join(disk, "filler");
    await expect(
      train(recipe, run, {
        onEvent(event) {
          if (event.type === "checkpoint") fill(filler);
        },
      }),
    ).rejects.toMatchObject({ code: "E_FILE" });
    rmSync(filler);
    expect(await readCheckpointState(join(run.checkpoints, "last.safetensors"))).toMatchObject({ step: 1 });
    expect(await train(recipe, run, { resume: true })).toMatchObject({ step: 2 });
  });

  function fill(path: string): void {
    for (let size = 2 ** 22; size >= 1; size = Math.floor(size / 2)) {
      try {
        for (;;) writeFileSync(path, new Uint8Array(size), { flag: "a" });
      } catch {
        // full for pieces of this size
      }
    }
  }
});
