// A checkpoint: everything that a resumed run needs to go on to the same numbers, in one safetensors file. The state beside
// the tensors (step, position, random streams) rides in the file's metadata, so that one rename makes both durable; the
// .json file next to it is a copy for people.
import { existsSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { readSafetensorsHeader, TopofrError, writeFileAtomic } from "@topofr/formats";
import { Generator, loadTensors, saveTensors, scope, type Tensor } from "@topofr/torch";
import { z } from "zod";
import type { SamplerPosition } from "../data/sampler.js";
import { BACKBONE_PREFIX } from "../models/loadWeights.js";
import type { Learner } from "./step.js";

const CLASSIFIER_PREFIX = "classifier.";
const OBJECTIVE_PREFIX = "objective.";
const OPTIMIZER_PREFIX = "optimizer.";

const stateSchema = z.strictObject({
  format: z.literal(1),
  network: z.string(),
  embeddingSize: z.int(),
  classes: z.int(),
  /** Optimiser steps done. */
  step: z.int().min(0),
  /** The first batch not yet trained on. */
  position: z.strictObject({ epoch: z.int().min(0), step: z.int().min(0) }),
  bestAccuracy: z.number().nullable(),
  /** The random streams of objective and classifier, the margin's running means, and libtorch's generator (base64). */
  streams: z.record(z.string(), z.array(z.number())),
  generator: z.string(),
});

export type CheckpointState = z.infer<typeof stateSchema>;

export interface Progress {
  step: number;
  position: SamplerPosition;
  bestAccuracy: number | null;
}

export interface CheckpointFiles {
  weights: string;
  state: string;
}

function tensorsOf({ backbone, classifier, objective, optimizer }: Learner): Map<string, Tensor> {
  const all = new Map<string, Tensor>();
  for (const [prefix, part] of [
    [BACKBONE_PREFIX, backbone],
    [CLASSIFIER_PREFIX, classifier],
    [OBJECTIVE_PREFIX, objective.learned],
    [OPTIMIZER_PREFIX, optimizer],
  ] as const) {
    for (const [name, value] of part?.stateDict() ?? []) all.set(prefix + name, value);
  }
  return all;
}

/** The name of a tensor with NaN or infinity in it, which training could not go on from; null: there is none. */
export function firstNotFinite(learner: Learner): string | null {
  const broken = [...tensorsOf(learner)].find(([, value]) => scope(() => !value.isfinite().all().item()));
  return broken === undefined ? null : broken[0];
}

/** @throws E_FILE when it cannot be written (a full disk, say): the checkpoint that was there before is then still whole */
export async function saveCheckpoint(
  files: CheckpointFiles,
  learner: Learner,
  model: { network: string; embeddingSize: number },
  progress: Progress,
): Promise<void> {
  const state: CheckpointState = {
    format: 1,
    ...model,
    classes: learner.classifier.classes,
    ...progress,
    streams: { ...learner.objective.state(), ...learner.classifier.state() },
    generator: Buffer.from(Generator.default().state()).toString("base64"),
  };
  await saveTensors(files.weights, tensorsOf(learner), { topofr: JSON.stringify(state) });
  await writeFileAtomic(files.state, [Buffer.from(`${JSON.stringify(state, null, 2)}\n`)]);
}

/**
 * Restores the learner and says where training stood.
 *
 * @throws E_FILE when there is none; E_FORMAT when it is broken or only weights; E_MODEL when it is of another network or
 *   another number of identities
 */
export async function loadCheckpoint(files: CheckpointFiles, learner: Learner): Promise<CheckpointState> {
  if (!existsSync(files.weights))
    throw new TopofrError(
      "E_FILE",
      `${files.weights}: there is none, the run stopped before it had saved (it saves at the end of every epoch, or by ` +
        "checkpoint.everySteps); start it again, with --overwrite",
    );
  const state = await readCheckpointState(files.weights);
  if (state.classes !== learner.classifier.classes)
    throw new TopofrError(
      "E_MODEL",
      `${files.weights}: has ${state.classes} identities, but the training data now have ${learner.classifier.classes}; ` +
        "resume with the data that the run was started with",
    );
  const { tensors } = await loadTensors(files.weights);
  try {
    const part = (prefix: string) =>
      new Map(
        [...tensors].flatMap(([name, value]) =>
          name.startsWith(prefix) ? [[name.slice(prefix.length), value]] : [],
        ),
      );
    learner.backbone.loadStateDict(part(BACKBONE_PREFIX), files.weights);
    learner.classifier.loadStateDict(part(CLASSIFIER_PREFIX), files.weights);
    learner.objective.learned?.loadStateDict(part(OBJECTIVE_PREFIX), files.weights);
    learner.optimizer.loadStateDict(part(OPTIMIZER_PREFIX));
  } finally {
    for (const value of tensors.values()) value.dispose();
  }
  learner.objective.restore(state.streams);
  learner.classifier.restore(state.streams);
  Generator.default().restore(Buffer.from(state.generator, "base64"));
  return state;
}

/** @throws E_FORMAT when the file is no checkpoint of a run */
export async function readCheckpointState(path: string): Promise<CheckpointState> {
  const { metadata } = await readSafetensorsHeader(path);
  const parsed = stateSchema.safeParse(parseJson(metadata.get("topofr")));
  if (!parsed.success)
    throw new TopofrError(
      "E_FORMAT",
      `${path}: holds no training state (metadata "topofr"); it can be evaluated, but not resumed`,
    );
  return parsed.data;
}

/** undefined for what is no JSON. */
function parseJson(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

export async function removeCheckpoint({ weights, state }: CheckpointFiles): Promise<void> {
  await rm(weights, { force: true });
  await rm(state, { force: true });
}

/** Steps of the step_N checkpoints in a run's folder, ascending. Removes what a save that was killed has left there. */
export async function tidyCheckpoints(folder: string): Promise<number[]> {
  const steps: number[] = [];
  for (const name of await readdir(folder)) {
    if (/\.tmp-\d+-\d+$/.test(name)) await rm(join(folder, name), { force: true });
    const step = /^step_(\d+)\.safetensors$/.exec(name)?.[1];
    if (step !== undefined) steps.push(Number(step));
  }
  return steps.sort((a, b) => a - b);
}
