// poly_lr.json: the polynomial learning rate, with and without warm-up.

import { optim } from "@topofr/torch";
import { z } from "zod";
import { expectNear, parseCase } from "../compare.js";

const schema = z.strictObject({
  cases: z
    .array(
      z.strictObject({
        base_lr: z.number(),
        max_steps: z.int().positive(),
        warmup_steps: z.int().nonnegative(),
        lr: z.array(z.number()).min(1),
      }),
    )
    .min(1),
});

/** Of the base rate: float64 on both sides. */
const ROUNDING = 1e-12;

export function check(value: unknown, name: string): void {
  for (const { base_lr, max_steps, warmup_steps, lr } of parseCase(schema, value, name).cases) {
    const rate = optim.polynomialLearningRate({
      base: base_lr,
      totalSteps: max_steps,
      warmupSteps: warmup_steps,
    });
    lr.forEach((recorded, step) => {
      // The published scheduler resets its counter after it has set the rate of step 0, so its first two steps
      // both have that rate and each later one the rate of the step before it.
      const counted = Math.max(0, step - 1);
      const what = `step ${step} of ${max_steps}, ${warmup_steps} of warm-up`;
      expectNear(what, rate(counted), recorded, ROUNDING * base_lr);
    });
  }
}
