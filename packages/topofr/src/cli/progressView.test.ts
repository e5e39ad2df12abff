import { expect, test } from "vitest";
import type { LoggedEvent } from "../runs/events.js";
import { countView, type Screen, trainingView } from "./progressView.js";

function fakeScreen(isTerminal: boolean) {
  const screen = { isTerminal, columns: 80, written: "", seconds: 0 };
  const api: Screen = {
    isTerminal,
    columns: 80,
    write: (text) => {
      screen.written += text;
    },
    now: () => screen.seconds,
  };
  return Object.assign(screen, { api });
}
const stepEvent = (step: number): LoggedEvent => ({
  time: 0,
  type: "step",
  step,
  epoch: 0,
  loss: 10,
  classificationLoss: 10,
  alignmentLoss: null,
  omegaMean: null,
  gradientNorm: 1,
  learningRate: 0.1,
  embeddingNorm: 1,
  imagesPerSecond: 100,
  secondsPerStep: 1,
});
const start: LoggedEvent = {
  time: 0,
  type: "start",
  step: 0,
  totalSteps: 100,
  stepsPerEpoch: 50,
  epochs: 2,
  images: 6400,
  identities: 90,
  network: "mobilefacenet",
  parameters: 2_050_000,
};
const badImage = (name: string): LoggedEvent => ({
  time: 0,
  type: "badImage",
  step: 1,
  path: name,
  reason: "damaged",
});

test("without a terminal a line comes every ten seconds and at the last step, with no control codes", () => {
  const screen = fakeScreen(false);
  const view = trainingView({ screen: screen.api });
  view.onEvent(start);
  for (let step = 1; step <= 100; step++) {
    screen.seconds = step / 4;
    view.onEvent(stepEvent(step));
  }
  view.close();
  expect(screen.written.split("\n")).toEqual([
    "mobilefacenet (2.05 M parameters), 6400 images of 90 people, 2 epochs of 50 steps",
    "step 1/100  epoch 1/2  loss 10.0  100 img/s  1 min 39 s left",
    "step 41/100  epoch 1/2  loss 10.0  100 img/s  59 s left",
    "step 81/100  epoch 1/2  loss 10.0  100 img/s  19 s left",
    "step 100/100  epoch 1/2  loss 10.0  100 img/s  0 s left",
    "",
  ]);
});

test("on a terminal one line is rewritten, and what stays is printed above it", () => {
  const screen = fakeScreen(true);
  const view = trainingView({ screen: screen.api, maxMinutes: 0.5 });
  view.onEvent(start);
  view.onEvent(stepEvent(1));
  view.onEvent(stepEvent(2)); // too soon to redraw
  view.onEvent({ time: 0, type: "warning", step: 2, message: "careful" });
  view.onEvent(stepEvent(3));
  const [head, ...rest] = screen.written.split("\n");
  expect(head).toContain("mobilefacenet");
  expect(rest.join("\n")).toBe(
    "\r\x1b[2Kstep 1/100  epoch 1/2  loss 10.0  100 img/s  30 s left" +
      "\r\x1b[2Kwarning: careful\n" +
      "\r\x1b[2Kstep 3/100  epoch 1/2  loss 10.0  100 img/s  30 s left",
  );
});

test("many bad images are named five times, then counted in the log only", () => {
  const screen = fakeScreen(false);
  const view = trainingView({ screen: screen.api });
  for (let i = 1; i <= 9; i++) view.onEvent(badImage(`${i}.jpg`));
  const lines = screen.written.trimEnd().split("\n");
  expect(lines).toHaveLength(5);
  expect(lines[4]).toBe("bad image: 5.jpg: damaged (further ones are only named in events.jsonl)");
});

test("counts show speed and time left", () => {
  const screen = fakeScreen(false);
  const view = countView("drawing", "faces", screen.api);
  screen.seconds = 10;
  view.onProgress(1000, 4000);
  expect(screen.written).toBe("drawing: 1000/4000 faces  100/s  30 s left\n");
});
