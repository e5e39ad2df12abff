// How long a run is, in optimiser steps, and its learning rate at each.
import { TopofrError } from "@topofr/formats";
import { optim } from "@topofr/torch";
import type { Recipe } from "./recipe.js";

export interface RunLength {
  /** Optimiser steps; with accumulation, each takes several batches. */
  stepsPerEpoch: number;
  totalSteps: number;
}

/**
 * @param batchesPerEpoch whole batches in one pass over the data
 * @throws E_DATA when all batches together do not make one step
 */
export function runLength({ epochs, accumulate }: Recipe, batchesPerEpoch: number): RunLength {
  const totalSteps = Math.floor((batchesPerEpoch * epochs) / accumulate);
  if (totalSteps === 0)
    throw new TopofrError(
      "E_DATA",
      `${epochs} epochs of ${batchesPerEpoch} batches do not fill one step of accumulate ${accumulate}; ` +
        "lower accumulate or batchSize, or add images",
    );
  return { stepsPerEpoch: Math.max(1, Math.floor(batchesPerEpoch / accumulate)), totalSteps };
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
