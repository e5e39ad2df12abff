// The same steps again: bit for bit, whatever the precision; and within rounding with another number of threads.

import { setNumThreads } from "@topofr/torch";
import { afterAll, expect, test } from "vitest";
import { relativeError } from "../method/method.test.support.js";
import { trainingStep, withLearner } from "./benchmark.js";
import { tinyRecipe } from "./train.test.support.js";

const STEPS = 3;

afterAll(() => setNumThreads(1));

interface Outcome {
  losses: number[];
  /** Of each parameter. */
  weights: Float32Array[];
}

/** Some training steps from the recipe's seed, in the layout that training uses. */
function train(changes: Record<string, unknown>): Promise<Outcome> {
  const recipe = tinyRecipe("none", { "model.inputSize": 32, batchSize: 8, threads: 2, ...changes });
  return withLearner({ recipe, classes: 5 }, async (learner, batch) => ({
    losses: Array.from({ length: STEPS }, () => trainingStep(learner, batch, recipe)),
    weights: [...learner.backbone.parameters(), ...learner.classifier.parameters()].map(
      (parameter) => parameter.toTypedArray() as Float32Array,
    ),
  }));
}

test.each([
  { "objective.preset": "official" },
  { "objective.preset": "spherical", "optim.name": "adamw" },
  { "objective.preset": "official", precision: "bf16" },
  { "objective.preset": "paper", "model.network": "iresnet18" },
])("%j: two runs are bit-equal, on two threads", async (changes) => {
  const [first, second] = [await train(changes), await train(changes)];
  expect(second.losses).toEqual(first.losses);
  const bytes = ({ weights }: Outcome) => weights.map(({ buffer }) => Buffer.from(buffer));
  const others = bytes(second);
  expect(bytes(first).every((weights, index) => weights.equals(others[index]!))).toBe(true);
});

test.each(["mobilefacenet", "iresnet18"])("%s: one thread and two give the same numbers", async (network) => {
  const alone = await train({ "model.network": network, threads: 1 });
  const together = await train({ "model.network": network, threads: 2 });
  expect(relativeError(together.losses, alone.losses)).toBeLessThan(1e-4);
  for (const [index, weights] of together.weights.entries())
    expect(distance(weights, alone.weights[index]!)).toBeLessThan(1e-3);
});

/** |a - b| / |b|, or |a - b| where b is small: weights that start at 0 are noise so far. */
function distance(a: Float32Array, b: Float32Array): number {
  let [difference, length] = [0, 0];
  for (const [index, value] of b.entries()) {
    difference += (a[index]! - value) ** 2;
    length += value ** 2;
  }
  return Math.sqrt(difference) / Math.max(1, Math.sqrt(length));
}
