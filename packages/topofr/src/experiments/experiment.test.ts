// A tiny experiment as a user runs it: killed, resumed, reported; changed plans refused; two jobs at once. Two methods, two seeds, two
// steps, on pictures made here.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readEventLog } from "../runs/eventLog.js";
import { temporaryFolder, tinyRecipe, writePairs, writePictures } from "../train/train.test.support.js";
import type { Outcome } from "./outcome.js";

const MAIN = fileURLToPath(new URL("../cli/main.js", import.meta.url));
const folder = temporaryFolder();
const faces = join(folder.path, "faces");
const others = join(folder.path, "others"); // the benchmark's people
const recipe = join(folder.path, "tiny.yaml");
const out = join(folder.path, "experiment");
const IDS = ["arcface-seed1", "topofr-seed1", "arcface-seed2", "topofr-seed2"];
const ARGS = [
  ...["experiment", "ablation", "--recipe", recipe, "--data", faces, "--eval-data", others, "--seeds", "2"],
  ...["--levels", "method=ArcFace,TopoFR", "--max-steps", "2"],
];

beforeAll(async () => {
  await writePictures(faces);
  await writePictures(others);
  for (const root of [faces, others]) writePairs(root);
  const {
    name: _,
    evaluate: __,
    objective: ___,
    ...rest
  } = tinyRecipe(faces, { "checkpoint.everySteps": 1, "model.inputSize": 32 });
  writeFileSync(recipe, JSON.stringify({ ...rest, objective: { preset: "spherical" } }));
});
afterAll(folder.remove);

interface Ended {
  status: number;
  out: string;
  err: string;
}
const topofr = (...args: string[]): Promise<Ended> =>
  new Promise((resolve) =>
    execFile(process.execPath, [MAIN, ...args], (error, stdout, stderr) =>
      resolve({ status: error ? Number(error.code) : 0, out: stdout, err: stderr }),
    ),
  );

async function waitFor(file: string, text: string, child: ChildProcess): Promise<void> {
  const isThere = () => existsSync(file) && readFileSync(file, "utf8").includes(text);
  while (child.exitCode === null && !isThere()) await setTimeout(10);
}

const events = (id: string, root = out) => readEventLog(join(root, "runs", id, "events.jsonl")).events;

test("killed in the middle, the same command goes on; the outcome is that of the runs", async () => {
  const child = spawn(process.execPath, [MAIN, ...ARGS, "--out", out], { stdio: "ignore" });
  await waitFor(join(out, "runs", IDS[1]!, "events.jsonl"), '"checkpoint","step":1', child);
  child.kill("SIGKILL");
  await once(child, "exit");
  const first = readFileSync(join(out, "runs", IDS[0]!, "events.jsonl"), "utf8");
  expect(existsSync(join(out, "runs", IDS[3]!))).toBe(false);

  const partial = JSON.parse((await topofr("experiment", "report", out, "--json")).out) as Outcome;
  expect(partial.cells[0]!.status).toBe("done");
  expect(partial.cells[3]!.status).toBe("waiting");

  const { status, out: printed, err } = await topofr(...ARGS, "--out", out, "--json");
  expect({ status, err }).toMatchObject({ status: 0 });
  expect(err).toContain("4 runs, 1 done");
  expect(readFileSync(join(out, "runs", IDS[0]!, "events.jsonl"), "utf8")).toBe(first); // skipped
  for (const id of IDS)
    expect(
      events(id)
        .filter(({ type }) => type === "step")
        .map(({ step }) => step),
    ).toEqual([1, 2]);
  expect(JSON.parse(readFileSync(join(out, "runs", IDS[1]!, "env.json"), "utf8"))).toHaveProperty("resumes");

  const outcome = JSON.parse(printed) as Outcome;
  expect(outcome.cells.map(({ id, status }) => [id, status])).toEqual(IDS.map((id) => [id, "done"]));
  const accuracy = (id: string): number =>
    (
      JSON.parse(readFileSync(join(out, "runs", id, "evaluation", "benchmark1.json"), "utf8")) as {
        accuracy: number;
      }
    ).accuracy;
  const [a1, t1, a2, t2] = IDS.map(accuracy) as [number, number, number, number];
  const entry = outcome.rows[1]!.entries["others accuracy"]!;
  expect(entry.spread!.mean).toBeCloseTo((t1 + t2) / 2, 12);
  expect(entry.spread!.std).toBeCloseTo(Math.abs(t1 - t2) / Math.SQRT2, 12);
  expect(entry.test!.meanDifference).toBeCloseTo((t1 - a1 + t2 - a2) / 2, 12);
  for (const file of [
    "table.md",
    "table.csv",
    "outcome.json",
    "report.html",
    "figures/others-accuracy-bars.svg",
  ])
    expect(existsSync(join(out, file)), file).toBe(true);
  expect(readFileSync(join(out, "table.md"), "utf8")).toMatch(/\| TopoFR \| 2 \| .* \| 96\.49 \|/);
});

test("--reuse takes the finished runs of another experiment, whatever they were called there, and trains the rest", async () => {
  const plan = join(folder.path, "mine.yaml");
  writeFileSync(
    plan,
    JSON.stringify({
      ...{ name: "mine", title: "Mine", about: "Two of three are there.", recipe, data: [faces] },
      axes: [{ name: "loss", key: "objective.variant", values: ["arcface", "cosface"] }],
      benchmarks: [others],
    }),
  );
  const mine = join(folder.path, "mine");
  const args = ["experiment", plan, "--max-steps", "2", "--seeds", "1", "--out", mine, "--reuse", out];
  const taken = join(out, "runs", IDS[0]!);
  const listed = await topofr(...args, "--dry-run");
  expect(listed.out).toContain(`arcface-seed1  from ${taken}`);
  const { status, err } = await topofr(...args);
  expect({ status, err }).toMatchObject({ status: 0 });
  expect(err).toContain(`arcface-seed1: from ${taken}`);
  const log = (root: string, id: string) => readFileSync(join(root, "runs", id, "events.jsonl"), "utf8");
  expect(log(mine, "arcface-seed1")).toBe(log(out, IDS[0]!));
  expect(events("cosface-seed1", mine).at(-1)).toMatchObject({ type: "end", step: 2 });
  expect((await topofr(...args)).err).toContain("2 runs, 2 done"); // its own now

  const longer = await topofr(
    ...args.toSpliced(3, 1, "3"),
    "--out",
    join(folder.path, "longer"),
    "--dry-run",
  );
  expect(longer.out).not.toContain("from"); // two steps are not three
  const elsewhere = await topofr(...args, "--reuse", folder.path);
  expect(elsewhere.status).toBe(1);
  expect(elsewhere.err).toContain("is no folder of an experiment");
  const timed = await topofr("experiment", "cost", "--reuse", out, "--out", join(folder.path, "c"));
  expect(timed.err).toContain("measures time, so all its runs are its own");
});

test("a changed plan is refused with what changed; more steps go on", async () => {
  const changed = await topofr(...ARGS, "--out", out, "--set", "optim.lr=0.02");
  expect(changed.status).toBe(2);
  expect(changed.err).toContain("the plan has changed since this run: optim.lr was 0.01, is 0.02");
  const more = await topofr(
    ...[...ARGS.slice(0, -1), "3", "--out", out, "--seeds", "1", "--levels", "method=ArcFace"],
  );
  expect({ status: more.status, err: more.err }).toMatchObject({ status: 0 });
  expect(events(IDS[0]!).findLast(({ type }) => type === "end")).toMatchObject({
    reason: "maxSteps",
    step: 3,
  });
});

test("two jobs: SIGINT stops both cleanly, the same command ends it", async () => {
  const other = join(folder.path, "jobs");
  const args = [...ARGS.slice(0, -1), "3", "--seeds", "1", "--jobs", "2", "--out", other];
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ["ignore", "ignore", "pipe"] });
  let err = "";
  child.stderr.on("data", (text) => {
    err += String(text);
  });
  await waitFor(join(other, "runs", IDS[1]!, "events.jsonl"), '"step","step":1', child);
  child.kill("SIGINT");
  await once(child, "close");
  expect({ status: child.exitCode, err }).toMatchObject({ status: 130 });
  expect(err).toContain("the same command goes on");
  expect((await topofr(...args)).status).toBe(0);
  for (const id of IDS.slice(0, 2)) expect(events(id, other).at(-1)).toMatchObject({ type: "end", step: 3 });
  expect((await topofr("experiment", "cost", "--jobs", "2", "--out", join(folder.path, "c"))).err).toContain(
    "measures time",
  );
});

test("a printed plan, changed, is a plan file; unseen people must be unseen", async () => {
  const root = join(folder.path, "amount");
  const planFile = join(folder.path, "amount.yaml");
  const printed = await topofr(
    "experiment",
    "data-amount",
    "--print-plan",
    "--levels",
    "network=mobilefacenet",
  );
  writeFileSync(
    planFile,
    printed.out.replace("batches: 20", "batches: 2").replace("batchSizes: null", "batchSizes: [4]"),
  );
  const run = (eyes: string, ...more: string[]) =>
    topofr(
      ...["experiment", planFile, "--recipe", recipe, "--data", faces, "--eval-data", eyes, "--seeds", "1"],
      ...["--max-steps", "1", "--json", "--levels", "share=0.7", "--out", root, ...more],
    );
  const seen = await run(faces, "--dry-run");
  expect(seen.status).toBe(1);
  expect(seen.err).toMatch(/faces: all its images are of people that plan data-amount trains on/);
  const { status, err, out: json } = await run(others);
  expect({ status, err }).toMatchObject({ status: 0 });
  const { rows, columns } = JSON.parse(json) as Outcome;
  expect(columns.map(({ name }) => name)).toContain("discrepancy, training, batch 4");
  for (const row of rows)
    expect(row.entries["discrepancy, unseen (others), batch 4"]!.spread!.mean).toBeGreaterThan(0);
  expect(events("0.7_mobilefacenet-seed1", root)[0]).toMatchObject({
    type: "start",
    images: 4,
    identities: 2,
  });
});
