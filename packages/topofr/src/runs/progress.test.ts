import { expect, test } from "vitest";
import type { RunEvent } from "./events.js";
import { advance, formatDuration, formatProgress, NO_PROGRESS, secondsLeft } from "./progress.js";

const start: RunEvent = {
  type: "start",
  step: 0,
  totalSteps: 1392,
  stepsPerEpoch: 116,
  epochs: 12,
  images: 14934,
  identities: 90,
  network: "mobilefacenet",
  parameters: 1e6,
};
const stepEvent = (step: number, loss: number): RunEvent => ({
  type: "step",
  step,
  epoch: 1,
  loss,
  classificationLoss: loss,
  alignmentLoss: null,
  omegaMean: null,
  gradientNorm: 1,
  learningRate: 0.1,
  embeddingNorm: 1,
  imagesPerSecond: 118.4,
  secondsPerStep: 1.08,
});
const evaluation: RunEvent = {
  type: "evaluation",
  step: 116,
  epoch: 1,
  name: "lfw",
  metrics: { accuracy: 0.8134 },
  seconds: 3,
  best: true,
};
const after = (events: RunEvent[]) => events.reduce(advance, NO_PROGRESS).progress!;

test("the line says step, epoch, loss, speed, time left and the last accuracy", () => {
  expect(formatProgress(after([start, stepEvent(120, 23.4)]))).toBe(
    "step 120/1392  epoch 2/12  loss 23.4  118 img/s  23 min left",
  );
  expect(formatProgress(after([start, stepEvent(120, 23.4), evaluation, stepEvent(121, 23.4)]))).toContain(
    "  accuracy 81.3%",
  );
});

test("a narrow terminal loses whole parts from the end, never a half", () => {
  const progress = after([start, stepEvent(120, 23.4)]);
  expect(formatProgress(progress, { width: 40 })).toBe("step 120/1392  epoch 2/12  loss 23.4");
  for (let width = 1; width < 80; width++)
    expect(formatProgress(progress, { width }).length).toBeLessThanOrEqual(width);
});

test("loss is a moving mean, and recovers from a NaN", () => {
  expect(after([start, stepEvent(1, 40), stepEvent(2, 30)]).loss).toBeCloseTo(39);
  expect(after([start, stepEvent(1, Number.NaN), stepEvent(2, 30)]).loss).toBe(30);
});

test("time left ends at the time limit", () => {
  const progress = after([start, stepEvent(1292, 1)]);
  expect(secondsLeft(progress)).toBeCloseTo(108);
  expect(secondsLeft(progress, 60)).toBe(60);
  expect(secondsLeft(progress, -5)).toBe(0);
});

test("a resumed view without a start still shows its step", () => {
  expect(formatProgress(after([stepEvent(5, 1)]))).toContain("step 5/5");
});

test.each([
  [0, "0 s"],
  [59.6, "1 min 00 s"],
  [200, "3 min 20 s"],
  [1500, "25 min"],
  [3599, "1 h 00 min"],
  [7500, "2 h 05 min"],
  [100 * 3600, "4 d 4 h"],
  [Number.POSITIVE_INFINITY, "unknown time"],
])("%d seconds read %s", (seconds, text) => {
  expect(formatDuration(seconds)).toBe(text);
});
