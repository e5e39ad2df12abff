// How long a run is, in optimiser steps, and its learning rate at each.
import { optim } from "@topofr/torch";
import type { Recipe } from "./recipe.js";

export interface RunLength {
  /** Optimiser steps; with accumulation, each takes several batches. */
  stepsPerEpoch: number;
  totalSteps: number;
}

/** @param batchesPerEpoch whole batches in one pass over the data */
export function runLength({ epochs, accumulate }: Recipe, batchesPerEpoch: number): RunLength {
  const stepsPerEpoch = Math.max(1, Math.floor(batchesPerEpoch / accumulate));
  return { stepsPerEpoch, totalSteps: Math.max(1, Math.floor((batchesPerEpoch * epochs) / accumulate)) };
}

/** `maxSteps` and `maxMinutes` stop a run early; the schedule always spans the epochs. */
export function learningRateSchedule({ optim: { lr }, schedule }: Recipe, length: RunLength) {
  return optim.polynomialLearningRate({
    base: lr,
    totalSteps: length.totalSteps,
    warmupSteps: Math.round(schedule.warmupEpochs * length.stepsPerEpoch),
    power: schedule.power,
  });
}
