import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readTfEvents } from "@topofr/formats";
import { expect, test } from "vitest";
import { describeEnvironment } from "./environment.js";
import { readEventLog } from "./eventLog.js";
import type { LoggedEvent, RunEvent } from "./events.js";
import { openRecorder } from "./recorder.js";
import { createRunFolder } from "./runFolder.js";

const start: RunEvent = {
  type: "start",
  step: 0,
  totalSteps: 3,
  stepsPerEpoch: 3,
  epochs: 1,
  images: 96,
  identities: 4,
  network: "mobilefacenet",
  parameters: 1000,
};
const stepEvent = (step: number): RunEvent => ({
  type: "step",
  step,
  epoch: 0,
  loss: 40 - step,
  classificationLoss: 30,
  alignmentLoss: step === 1 ? null : 10,
  omegaMean: null,
  gradientNorm: 2,
  learningRate: 0.1,
  embeddingNorm: 10,
  imagesPerSecond: 100,
  secondsPerStep: 0.3,
});
const checkpoint: RunEvent = {
  type: "checkpoint",
  step: 2,
  epoch: 0,
  path: "checkpoints/last",
  seconds: 0.1,
};

async function curves(folder: string) {
  const files = await readdir(folder);
  expect(files).toHaveLength(1);
  const points: Record<string, [number, number][]> = {};
  for await (const { step, summary } of readTfEvents(join(folder, files[0]!)))
    for (const { tag, simpleValue } of summary?.value ?? []) {
      points[tag!] ??= [];
      points[tag!]!.push([step, simpleValue!]);
    }
  return points;
}

test("an event reaches the log, TensorBoard and the watcher; a resume leaves one curve, not two", async () => {
  const root = await mkdtemp(join(tmpdir(), "recorder-"));
  const environment = await describeEnvironment({ seed: 1, commandLine: [], torch: null });
  const run = await createRunFolder({ root, name: "r", recipeText: "", config: {}, environment });
  const first = await openRecorder(run);
  for (const event of [start, stepEvent(1), stepEvent(2), checkpoint, stepEvent(3)]) first.record(event);
  first.close();

  const seen: LoggedEvent[] = [];
  const second = await openRecorder(run, { resumeAtStep: 2, onEvent: (event) => seen.push(event) });
  expect(second.checkpointLogged).toBe(true);
  expect(second.kept).toHaveLength(4);
  for (const event of [start, stepEvent(3)]) second.record(event);
  second.close();

  expect(seen.map(({ type }) => type)).toEqual(["start", "step"]);
  const { events } = readEventLog(run.events);
  expect(events.map(({ type }) => type)).toEqual(["start", "step", "step", "checkpoint", "step"]);
  const points = await curves(run.tensorboard);
  expect(points["loss/total"]).toEqual([
    [1, 39],
    [2, 38],
    [3, 37],
  ]);
  expect(points["loss/alignment"]).toEqual([
    [2, 10],
    [3, 10],
  ]);
  expect(points["method/omega mean"]).toBeUndefined();
  await rm(root, { recursive: true });
});
