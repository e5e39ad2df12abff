// Learning rate as a function of the step.

export interface PolynomialSchedule {
  /** Learning rate after the warm-up. */
  base: number;
  totalSteps: number;
  /** Steps of linear warm-up from 0. Default 0. */
  warmupSteps?: number;
  /** Default 2, as the reference code has it (insightface's later code: 1). */
  power?: number;
}

/** base · (1 - (step - warmup) / (total - warmup))^power after the warm-up; base · step / warmup in it. `step` counts from 0. */
export function polynomialLearningRate({ base, totalSteps, warmupSteps = 0, power = 2 }: PolynomialSchedule) {
  return (step: number): number => {
    if (step < warmupSteps) return (base * step) / warmupSteps;
    const progress = Math.min(1, (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps));
    return base * (1 - progress) ** power;
  };
}
