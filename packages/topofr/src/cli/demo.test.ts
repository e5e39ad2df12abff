import { expect, test } from "vitest";
import type { EventOfType } from "../runs/events.js";
import { beforeAndAfter } from "./demo.js";

test("the table shows the first and the last evaluation side by side", () => {
  const at = (step: number, metrics: Record<string, number>): EventOfType<"evaluation"> => ({
    type: "evaluation",
    step,
    epoch: 0,
    name: "faces",
    metrics,
    seconds: 1,
    best: true,
  });
  const evaluations = [
    at(0, { accuracy: 0.52, auc: 0.5 }),
    at(9, { accuracy: 0.6 }),
    at(20, { accuracy: 0.8125, auc: 0.9 }),
  ];
  expect(beforeAndAfter(evaluations).split("\n")).toEqual([
    "people not seen in training  step 0  step 20",
    "accuracy                     52.00%   81.25%",
    "auc                          0.5000   0.9000",
  ]);
  expect(beforeAndAfter([])).toBe("no evaluation was made");
});
