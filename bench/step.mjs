// Complete training steps, this project beside the reference arithmetic in stock PyTorch, in one run. The two take turns
// (reference, ours, reference, …), each round in a process of its own, so that a busy machine disturbs both alike.
import { spawnSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { median, parseOptions, positive, STEP_OPTIONS } from "./options.mjs";

const HELP = `Usage: npm run bench:step -- [options]

Options (lists are separated by commas; every combination is measured):
  --network LIST    mobilefacenet, mobilefacenet-large, iresnet18|34|50|100|200   (default: mobilefacenet)
  --precision LIST  fp32, bf16 (the reference: autocast)                          (default: fp32)
  --objective LIST  arcface, topofr (preset official)                             (default: arcface)
  --layout LIST     nchw, channels_last: layout of the reference                  (default: nchw, its own default)
  --batch N         images a step (32)          --classes N  classes of the head (1000)
  --steps N         timed steps of each side, at least (6)
  --rounds N        turns of each side (3)      --warmup N   untimed steps of each turn (2)
  --threads N       threads of both (all)       --seed N     (2048)
  --only SIDE       reference or topofr alone
  --out FILE        also write the JSON there
  --json            print JSON, and nothing else on standard output

The reference needs Python with torch: apt-get install python3-torch, or PYTHON=/path/to/python3.
Example: npm run bench:step -- --network mobilefacenet,iresnet18,iresnet50 --steps 6
`;

const values = parseOptions(
  {
    ...STEP_OPTIONS,
    steps: { type: "string", default: "6" },
    layout: { type: "string", default: "nchw" },
    rounds: { type: "string", default: "3" },
    only: { type: "string" },
    out: { type: "string" },
  },
  HELP,
);
const rounds = positive(values, "rounds");
const stepsPerRound = Math.ceil(positive(values, "steps") / rounds);
const threads = values.threads === undefined ? availableParallelism() : positive(values, "threads");
const sides = values.only === undefined ? ["reference", "topofr"] : [values.only];
const python = sides.includes("reference") ? findPython() : null;

const loadBefore = loadavg()[0]; // of the last minute: more than a few tenths means that others use the machine
const results = [];
for (const network of values.network.split(","))
  for (const precision of values.precision.split(","))
    for (const objective of values.objective.split(","))
      for (const layout of values.layout.split(","))
        results.push(measure({ network, precision, objective, layout }));

const report = {
  processor: cpus()[0]?.model,
  cores: availableParallelism(),
  loadBefore,
  threads,
  stepsPerRound,
  rounds,
  results,
};
if (values.out !== undefined) writeFileSync(values.out, `${JSON.stringify(report, null, 2)}\n`);
process.stdout.write(values.json ? `${JSON.stringify(report)}\n` : table(results));

/** One row: both sides of one combination, with what each round printed merged. */
function measure(chosen) {
  const runs = Object.fromEntries(sides.map((side) => [side, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const side of sides) {
      process.stderr.write(`\r${describe(chosen)}: round ${round + 1} of ${rounds}, ${side} …   `);
      runs[side].push(runSide(side, chosen));
    }
  }
  process.stderr.write("\r\x1b[K");
  const row = { ...chosen, batch: positive(values, "batch"), classes: positive(values, "classes") };
  for (const side of sides) row[side] = merge(runs[side]);
  const { alignment, damage } = row.topofr?.parts ?? {};
  if (alignment !== undefined) row.topologyShare = (alignment + damage) / row.topofr.medianSeconds;
  if (sides.length === 2) row.speedup = row.reference.medianSeconds / row.topofr.medianSeconds;
  return row;
}

function runSide(side, { network, precision, objective, layout }) {
  const shared = { network, precision, objective, threads, steps: stepsPerRound };
  for (const name of ["batch", "classes", "warmup", "seed"]) shared[name] = values[name];
  const args = Object.entries(shared).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const [command, script, extra] =
    side === "reference"
      ? [python, "reference/step.py", ["--layout", layout]]
      : [process.execPath, "ours.mjs", []];
  const path = fileURLToPath(new URL(script, import.meta.url));
  const { status, stdout, stderr } = spawnSync(command, [path, ...args, ...extra], { encoding: "utf8" });
  if (status !== 0) {
    process.stderr.write(`\n${command} ${script} ${args.join(" ")} ended with status ${status}:\n${stderr}`);
    process.exit(1);
  }
  return JSON.parse(stdout.trim().split("\n").at(-1));
}

function merge(runs) {
  const stepSeconds = runs.flatMap((run) => run.stepSeconds);
  const medianSeconds = median(stepSeconds);
  const parts = {};
  for (const name of Object.keys(runs[0].parts)) parts[name] = median(runs.map((run) => run.parts[name]));
  return {
    implementation: runs[0].implementation,
    version: runs[0].version,
    layout: runs[0].layout,
    medianSeconds,
    fastestSeconds: Math.min(...stepSeconds),
    imagesPerSecond: runs[0].batch / medianSeconds,
    peakResidentBytes: Math.max(...runs.map((run) => run.peakResidentBytes)),
    parts,
    stepSeconds,
  };
}

function findPython() {
  const candidates =
    process.env.PYTHON === undefined ? ["python3", "/usr/bin/python3"] : [process.env.PYTHON];
  const found = candidates.find(
    (path) =>
      (!path.startsWith("/") || existsSync(path)) && spawnSync(path, ["-c", "import torch"]).status === 0,
  );
  if (found !== undefined) return found;
  process.stderr.write(
    `${candidates.join(" and ")} cannot import torch, which the reference side needs: apt-get install python3-torch, ` +
      "or name a Python by PYTHON=/path/to/python3, or measure one side with --only topofr.\n",
  );
  process.exit(1);
}

function describe({ network, precision, objective, layout }) {
  return `${network}, ${precision}, ${objective}${sides.includes("reference") ? `, reference ${layout}` : ""}`;
}

function table(rows) {
  const columns = sides.flatMap((side) => [side, "img/s", "GB"]);
  const lines = [
    ["network", "precision", "objective", "reference layout", ...columns, "speed-up", "alignment + damage"],
  ];
  for (const row of rows) {
    const cells = sides.flatMap((side) => [
      `${row[side].medianSeconds.toFixed(3)} s`,
      row[side].imagesPerSecond.toFixed(1),
      (row[side].peakResidentBytes / 1e9).toFixed(2),
    ]);
    const speedup = row.speedup === undefined ? "" : `${row.speedup.toFixed(2)}x`;
    const share = row.topologyShare === undefined ? "" : `${(row.topologyShare * 100).toFixed(2)}% of ours`;
    lines.push([row.network, row.precision, row.objective, row.layout, ...cells, speedup, share]);
  }
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  const text = lines.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column]))
      .join("  ")
      .trimEnd(),
  );
  const note = `batch ${rows[0].batch}, ${rows[0].classes} classes, ${threads} threads, median of ${stepsPerRound * rounds} steps`;
  return `${text.join("\n")}\n${note}; load before ${loadBefore.toFixed(1)}\n`;
}
