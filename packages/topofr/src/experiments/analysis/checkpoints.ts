// The checkpoints of a run by their steps, for curves over training.
import { readdir } from "node:fs/promises";
import { TopofrError } from "@topofr/formats";
import { checkpointPaths, type RunFolder } from "../../runs/runFolder.js";
import { readCheckpointState } from "../../train/checkpoint.js";

export type WhichCheckpoints = "all" | "best" | "last";

export interface StoredCheckpoint {
  /** The file of weights. */
  weights: string;
  /** Optimiser steps done. */
  step: number;
}

/**
 * Ascending by step, each step once. "best" is the last where a run has no best (it was never evaluated).
 *
 * @throws E_FILE when the run has saved none
 */
export async function listCheckpoints(run: RunFolder, which: WhichCheckpoints): Promise<StoredCheckpoint[]> {
  const names = await readdir(run.checkpoints).catch((): string[] => []);
  const there = (wanted: "best" | "last" | number) => {
    const { weights } = checkpointPaths(run, wanted);
    return names.some((name) => weights.endsWith(`/${name}`)) ? [weights] : [];
  };
  const [best, last] = [there("best"), there("last")];
  const steps = names.flatMap((name) => {
    const step = /^step_(\d+)\.safetensors$/.exec(name)?.[1];
    return step === undefined ? [] : there(Number(step));
  });
  const chosen = {
    all: [...steps, ...best, ...last],
    best: best.length > 0 ? best : last,
    last,
  }[which];
  if (chosen.length === 0)
    throw new TopofrError(
      "E_FILE",
      `${run.checkpoints}: has no checkpoint to look at; the run has not saved yet (it saves at the end of every epoch)`,
    );
  const byStep = new Map<number, string>();
  for (const weights of chosen) {
    const { step } = await readCheckpointState(weights);
    if (!byStep.has(step)) byStep.set(step, weights);
  }
  return [...byStep].map(([step, weights]) => ({ weights, step })).sort((a, b) => a.step - b.step);
}
