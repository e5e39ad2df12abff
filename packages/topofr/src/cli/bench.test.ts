// topofr bench on the smallest steps there are.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Benchmark } from "../train/benchmark.js";
import { machineWarnings } from "../train/machineWarnings.js";
import type { StepProfile } from "../train/stepProfile.js";
import { topofr } from "./command.test.support.js";

const SMALL = [
  "--network",
  "mobilefacenet",
  "--batch",
  "2",
  "--steps",
  "1",
  "--warmup",
  "1",
  "--threads",
  "1",
];
const TINY = [...SMALL, "--set", "model.inputSize=32"];

type Result = Benchmark & { profile: StepProfile | null; network: string; batchSize: number };

async function measured(...args: string[]): Promise<Result> {
  const { status, out, err } = await topofr("bench", ...args, "--json");
  const warnings = machineWarnings({ precision: args.includes("bf16") ? "bf16" : "fp32" });
  expect({ status, err }).toEqual({ status: 0, err: warnings.map((text) => `warning: ${text}\n`).join("") });
  return JSON.parse(out) as Result;
}

test("training steps: the parts make up the step, and the profile finds its convolutions", async () => {
  const result = await measured(...SMALL, "--profile");
  const sum = Object.values(result.parts).reduce((total, seconds) => total + seconds, 0);
  expect(sum).toBeGreaterThan(0.95 * result.medianSeconds);
  expect(sum).toBeLessThanOrEqual(result.medianSeconds);
  expect(result.topologySeconds).toBeGreaterThan(0);
  expect(Number.isFinite(result.loss)).toBe(true);
  const kinds = new Map(result.profile!.kinds.map((kind) => [kind.kind, kind]));
  for (const kind of ["convolution forward", "convolution backward"] as const)
    expect(kinds.get(kind)!.gflopPerSecond).toBeGreaterThan(0);
  for (const kind of ["batch norm forward", "batch norm backward", "optimiser", "classifier"] as const)
    expect(kinds.get(kind)!.seconds).toBeGreaterThan(0);
  // Every convolution of the network is found by its shapes, forward and backward.
  const found = result.profile!.operators.filter(({ gflopPerSecond }) => gflopPerSecond !== null);
  const calls = (kind: string) =>
    found.filter((operator) => operator.kind === kind).reduce((total, operator) => total + operator.calls, 0);
  expect([calls("convolution forward"), calls("convolution backward")]).toEqual([49, 49]);
});

test("embedding has no backward and no topology", async () => {
  const result = await measured(...TINY, "--inference", "--profile", "--precision", "bf16");
  expect(Object.keys(result.parts)).toEqual(["data", "forward"]);
  expect(result).toMatchObject({ images: 2, topologySeconds: null, loss: null });
  const kinds = result.profile!.kinds.map(({ kind }) => kind);
  expect(kinds).toContain("convolution forward");
  expect(kinds).not.toContain("convolution backward");
});

test("a recipe's network and batches are timed, flags change it, and a person reads a table", async () => {
  const folder = mkdtempSync(join(tmpdir(), "topofr-bench-"));
  const recipe = join(folder, "recipe.yaml");
  writeFileSync(
    recipe,
    "data: { path: nowhere }\nmodel: { network: mobilefacenet, inputSize: 32 }\nbatchSize: 4\naccumulate: 2\n",
  );
  const few = ["--recipe", recipe, "--variant", "arcface", "--steps", "1", "--warmup", "0"];
  try {
    const { status, out } = await topofr("bench", ...few, "--batch", "2", "--profile");
    expect(status).toBe(0);
    expect(out).toContain("mobilefacenet, training arcface (preset official), 2 batches of 2, fp32");
    expect(out).toMatch(/\d img\/s, median step [\d.]+ s \(1 steps/);
    expect(out).toMatch(/^backward +[\d.]+ +[\d.]+%$/m);
    expect(out).toMatch(/^convolution backward +[\d.]+ +[\d.]+% +\d+$/m);
    expect(out).not.toContain("topology");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.each([
  [["--precision", "fp16"], 2, /Allowed choices are fp32, bf16/],
  [["--batch", "1"], 2, /--batch: expected a whole number of at least 2/],
  [["--network", "vgg"], 1, /E_RECIPE --network: .*found "vgg"/],
])("%j: status %d and a sentence", async (args, status, message) => {
  const printed = await topofr("bench", ...(args as string[]));
  expect(printed.status).toBe(status);
  expect(printed.err).toMatch(message as RegExp);
});
