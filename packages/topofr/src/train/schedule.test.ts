import { describe, expect, test } from "vitest";
import { learningRateSchedule, runLength } from "./schedule.js";
import { tinyRecipe } from "./train.test.support.js";

const recipe = (changes: Record<string, unknown>) => tinyRecipe("faces", changes);

describe("length", () => {
  test.each([
    [{ epochs: 4 }, 10, { stepsPerEpoch: 10, totalSteps: 40 }],
    [{ epochs: 4, accumulate: 4 }, 10, { stepsPerEpoch: 2, totalSteps: 10 }], // steps reach over epochs' ends
    [{ epochs: 9, accumulate: 6 }, 2, { stepsPerEpoch: 1, totalSteps: 3 }],
  ])("%j with %d batches an epoch", (changes, batches, length) => {
    expect(runLength(recipe(changes), batches)).toEqual(length);
  });

  test("batches that do not fill one step are an error", () => {
    expect(() => runLength(recipe({ epochs: 2, accumulate: 5 }), 2)).toThrow(
      expect.objectContaining({
        code: "E_DATA",
        message: expect.stringContaining(
          "2 epochs of 2 batches do not fill one step of accumulate 5",
        ) as string,
      }),
    );
  });
});

test("the learning rate rises linearly over the warm-up, then falls over the rest of the epochs, whatever stops the run", () => {
  const changes = {
    epochs: 4,
    maxSteps: 3,
    "optim.lr": 0.1,
    "schedule.warmupEpochs": 1,
    "schedule.power": 1,
  };
  const rate = learningRateSchedule(recipe(changes), { stepsPerEpoch: 10, totalSteps: 40 });
  const rates = [0, 5, 10, 25, 40].map(rate);
  for (const [i, expected] of [0, 0.05, 0.1, 0.05, 0].entries()) expect(rates[i]).toBeCloseTo(expected, 12);
});
