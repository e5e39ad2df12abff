import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { EventLog, readEventLog } from "./eventLog.js";
import type { RunEvent } from "./events.js";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "events-"));
  path = join(folder, "events.jsonl");
});
afterEach(() => rmSync(folder, { recursive: true }));

const start: RunEvent = {
  type: "start",
  step: 0,
  totalSteps: 6,
  stepsPerEpoch: 3,
  epochs: 2,
  images: 96,
  identities: 4,
  network: "mobilefacenet",
  parameters: 1000,
};
const stepEvent = (step: number, loss = 40 - step): RunEvent => ({
  type: "step",
  step,
  epoch: Math.floor((step - 1) / 3),
  loss,
  classificationLoss: loss,
  alignmentLoss: null,
  omegaMean: 1,
  gradientNorm: 2,
  learningRate: 0.1,
  embeddingNorm: 10,
  imagesPerSecond: 100,
  secondsPerStep: 0.3,
});
const checkpoint = (step: number): RunEvent => ({
  type: "checkpoint",
  step,
  epoch: step / 3,
  path: "checkpoints/last",
  seconds: 0.1,
});
const evaluation = (step: number): RunEvent => ({
  type: "evaluation",
  step,
  epoch: step / 3,
  name: "faces",
  metrics: { accuracy: 0.7 },
  seconds: 1,
  best: true,
});
const end: RunEvent = { type: "end", step: 6, epoch: 2, reason: "finished", seconds: 9 };
const RUN: RunEvent[] = [
  start,
  stepEvent(1),
  stepEvent(2),
  { type: "badImage", step: 2, path: "a/b.jpg", reason: "truncated" },
  stepEvent(3),
  evaluation(3),
  checkpoint(3),
  stepEvent(4),
  stepEvent(5),
  stepEvent(6),
  evaluation(6),
  checkpoint(6),
  end,
];
const clock = () => 1000;

function write(events: readonly RunEvent[], resumeAtStep?: number) {
  const log = new EventLog(path, resumeAtStep === undefined ? { clock } : { clock, resumeAtStep });
  for (const event of events) log.append(event);
  log.close();
  return log;
}

test("events are read back as written, with their time", () => {
  write(RUN);
  const { events, torn, bytes } = readEventLog(path);
  expect(events).toEqual(RUN.map((event) => ({ time: 1000, ...event })));
  expect(torn).toBe(false);
  expect(bytes).toBe(readFileSync(path).length);
});

test("numbers that JSON cannot write survive: a diverging run shows NaN and infinity", () => {
  write([stepEvent(1, Number.NaN), stepEvent(2, Number.NEGATIVE_INFINITY)]);
  const losses = readEventLog(path).events.map((event) => (event.type === "step" ? event.loss : 0));
  expect(losses).toEqual([Number.NaN, Number.NEGATIVE_INFINITY]);
});

test("a run killed anywhere and resumed from its checkpoint leaves the log of one that was never stopped", () => {
  write(RUN);
  const whole = readFileSync(path);
  const events = RUN.map((event) => JSON.stringify({ time: 1000, ...event }));
  const saved = Buffer.byteLength(`${events.slice(0, 7).join("\n")}\n`); // up to checkpoint 3
  fc.assert(
    fc.property(fc.integer({ min: saved, max: whole.length }), (bytes) => {
      writeFileSync(path, whole.subarray(0, bytes));
      const log = write(RUN.slice(7), 3);
      expect(log.checkpointLogged).toBe(true);
      expect(log.kept).toHaveLength(7);
      expect(readFileSync(path).equals(whole)).toBe(true);
    }),
    { seed: 20243, numRuns: 60 },
  );
});

test("a kill between the save and its line loses no step, and the loop is told to log the checkpoint again", () => {
  write(RUN.slice(0, 6));
  const log = write(RUN.slice(6), 3);
  expect(log.checkpointLogged).toBe(false);
  expect(readEventLog(path).events).toEqual(RUN.map((event) => ({ time: 1000, ...event })));
});

test("the end of an interrupted session is not part of the resumed run", () => {
  write([...RUN.slice(0, 5), { type: "end", step: 3, epoch: 0, reason: "interrupted", seconds: 2 }]);
  expect(write([], 3).kept.map(({ type }) => type)).toEqual(["start", "step", "step", "badImage", "step"]);
});

test("resuming at step 0 keeps the start and drops the steps", () => {
  write(RUN);
  expect(write([], 0).kept).toHaveLength(1);
});

test("a torn last line is ignored by readers and cut off by the next writer", () => {
  write(RUN.slice(0, 3));
  const good = readFileSync(path);
  appendFileSync(path, '{"time":1000,"type":"st');
  expect(readEventLog(path)).toMatchObject({ torn: true, bytes: good.length });
  write([], 2);
  expect(readFileSync(path).equals(good)).toBe(true);
  // The newline alone missing: the line may be whole, but nobody can know, and it is logged again.
  truncateSync(path, good.length - 1);
  expect(readEventLog(path).events).toHaveLength(2);
});

test("damage before the last line is an error with its line", () => {
  write(RUN.slice(0, 3));
  const lines = readFileSync(path, "utf8").split("\n");
  writeFileSync(path, [lines[0], '{"type":"nonsense"}', lines[2], ""].join("\n"));
  expect(() => readEventLog(path)).toThrow(/events\.jsonl:2 is not a run event/);
});

test("a missing log cannot be resumed, and a closed one takes nothing", () => {
  expect(() => new EventLog(path, { resumeAtStep: 3 })).toThrow(/cannot read the event log/);
  const log = write([]);
  expect(() => log.append(start)).toThrow(/closed/);
});
