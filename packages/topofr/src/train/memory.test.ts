// Memory over a long training.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const STEPS = fileURLToPath(new URL("./manySteps.test.support.js", import.meta.url));
// V8's young generation may grow at any time, and is no leak: its size is fixed, so that resident memory shows the rest.
const NODE_OPTIONS = ["--expose-gc", "--min-semi-space-size=1", "--max-semi-space-size=1"];

interface Memory {
  resident: number;
  used: number;
  live: number;
}

test.each(["fp32", "bf16"])("%s: 1,000 training steps leave memory where it was", (precision) => {
  const output = execFileSync(process.execPath, [...NODE_OPTIONS, STEPS, precision], { encoding: "utf8" });
  const { loss, start, end } = JSON.parse(output) as { loss: number; start: Memory; end: Memory };
  expect(Number.isFinite(loss)).toBe(true);
  expect([end.used, end.live]).toEqual([start.used, start.live]);
  expect(end.resident / start.resident).toBeLessThan(1.03);
});
