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
  const recipe = tinyRecipe("none", { "model.inputSize": 32, batchSize: 4, threads: 2, ...changes });
  return withLearner({ recipe, classes: 5 }, async (learner, batch) => ({
    losses: Array.from({ length: STEPS }, () => trainingStep(learner, batch, recipe)),
    weights: [...learner.backbone.parameters(), ...learner.classifier.parameters()].map(
      (parameter) => parameter.toTypedArray() as Float32Array,
    ),
  }));
}

const bytesOf = ({ weights }: Outcome) => weights.map(({ buffer }) => Buffer.from(buffer));

function expectSameBits(first: Outcome, second: Outcome): void {
  expect(second.losses).toEqual(first.losses);
  const others = bytesOf(second);
  expect(bytesOf(first).every((weights, index) => weights.equals(others[index]!))).toBe(true);
}

// Two threads on a machine that runs other tests wait for each other: few runs, and a long time for them.
const TIMEOUT = 120_000;

test.each([
  { "model.network": "mobilefacenet", "objective.preset": "official" },
  { "model.network": "iresnet18", "objective.preset": "paper" },
])(
  "%j: two runs on two threads are bit-equal, and one thread gives the same numbers",
  async (changes) => {
    const together = await train(changes);
    expectSameBits(together, await train(changes));
    const alone = await train({ ...changes, threads: 1 });
    expect(relativeError(together.losses, alone.losses)).toBeLessThan(1e-4);
    for (const [index, weights] of together.weights.entries())
      expect(distance(weights, alone.weights[index]!)).toBeLessThan(1e-3);
  },
  TIMEOUT,
);

test(
  "in bf16, too, two runs on two threads are bit-equal",
  async () => {
    const changes = { precision: "bf16", "objective.preset": "spherical" };
    expectSameBits(await train(changes), await train(changes));
  },
  TIMEOUT,
);

/** |a - b| / |b|, or |a - b| where b is small: weights that start at 0 are noise so far. */
function distance(a: Float32Array, b: Float32Array): number {
  let [difference, length] = [0, 0];
  for (const [index, value] of b.entries()) {
    difference += (a[index]! - value) ** 2;
    length += value ** 2;
  }
  return Math.sqrt(difference) / Math.max(1, Math.sqrt(length));
}
