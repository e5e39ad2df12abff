// Training steps and embedding, this project beside the reference arithmetic in stock PyTorch, in one run. The sides take turns
// (ours, stock, …, ours, stock, …), each turn in a process of its own, so that a busy machine disturbs all alike.
// Tables: suiteTable.mjs. One turn: ours.mjs, reference/step.py. The processor's peak: peak.mjs.
import { existsSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg } from "node:os";
import { findPython, runScript } from "./children.mjs";
import { median, parseOptions, positive, STEP_OPTIONS, words } from "./options.mjs";
import { reportText } from "./suiteTable.mjs";

const HELP = `Usage: npm run bench -- [options]

Lists are separated by commas; every combination is a row.
  --network LIST    mobilefacenet, mobilefacenet-large, iresnet18|34|50|100|200    (mobilefacenet)
  --precision LIST  fp32, bf16 (stock: autocast)                                   (fp32)
  --objective LIST  arcface, topofr (preset official)                              (arcface)
  --batch LIST      images a step                                                  (32)
  --inference       embedding (evaluation mode, no gradients) instead of training steps
  --sides LIST      ours, stock, and stock PyTorch with a better allocator:
                    stock+tcmalloc, stock+tunables (glibc keeps memory)            (ours,stock)
  --layout LIST     nchw (stock's default), channels_last: each a stock side       (nchw)
  --steps N         timed steps of each side, in all its turns, at least (8)
  --rounds N        turns of each side (2)      --warmup N   untimed steps of each turn (2)
  --classes N       of the head (1000)          --seed N     (2048)
  --threads N       of every side (all processors)
  --out NAME        write NAME.json and NAME.md, anew after each row, so that a later failure loses nothing
  --json            print the JSON instead of the tables

Stock needs Python with torch: apt-get install python3-torch, or PYTHON=/path/to/python3. stock+tcmalloc needs
libtcmalloc-minimal4, or TCMALLOC=/path/to/libtcmalloc.so.

bench/RESULTS.md is made by
  npm run bench -- --network mobilefacenet,iresnet18,iresnet50 --batch 128 --objective topofr --precision fp32,bf16 --out topofr
  npm run bench -- --network mobilefacenet,iresnet18,iresnet50,iresnet100 --batch 32,64 --precision fp32,bf16 --layout nchw,channels_last --sides ours,stock,stock+tcmalloc,stock+tunables --out arcface
  npm run bench -- --network mobilefacenet,iresnet18,iresnet50,iresnet100 --batch 32,64,128 --precision fp32,bf16 --layout nchw,channels_last --inference --out inference
`;
const TCMALLOC = [
  "/usr/lib/x86_64-linux-gnu/libtcmalloc_minimal.so.4",
  "/usr/lib/aarch64-linux-gnu/libtcmalloc_minimal.so.4",
  "/usr/lib64/libtcmalloc_minimal.so.4",
];
// glibc takes blocks above these sizes from the system, and gives free memory above them back: with these, never.
const KEEP_ALL_MEMORY = `glibc.malloc.mmap_threshold=${2 ** 40}:glibc.malloc.trim_threshold=${2 ** 40}`;
const SIDES = ["ours", "stock", "stock+tcmalloc", "stock+tunables"];

const values = parseOptions(
  {
    ...STEP_OPTIONS,
    steps: { type: "string", default: "8" },
    layout: { type: "string", default: "nchw" },
    rounds: { type: "string", default: "2" },
    sides: { type: "string", default: "ours,stock" },
    out: { type: "string" },
    json: { type: "boolean", default: false },
  },
  HELP,
);
const rounds = positive(values, "rounds");
const stepsPerRound = Math.ceil(positive(values, "steps") / rounds);
const threads = values.threads === undefined ? availableParallelism() : positive(values, "threads");
const classes = positive(values, "classes");
const sides = sidesAsked();
const rows = rowsAsked();

const { networkWork } = await import("../packages/topofr/dist/models/networkWork.js");
const report = {
  processor: cpus()[0]?.model,
  cores: availableParallelism(),
  loadBefore: loadavg()[0], // of the last minute: more than a few tenths means that others use the machine
  threads,
  classes,
  rounds,
  stepsPerRound,
  sides: sides.map(({ name }) => name),
  peaks: runScript(process.execPath, "peak.mjs", ["--threads", String(threads)]).peaks,
  rows: [],
};
for (const row of rows) {
  report.rows.push(measure(row));
  if (values.out === undefined) continue;
  writeFileSync(`${values.out}.json`, `${JSON.stringify(report, null, 2)}\n`);
  writeFileSync(`${values.out}.md`, reportText(report));
}
process.stdout.write(values.json ? `${JSON.stringify(report)}\n` : reportText(report));
if (report.rows.some(({ error }) => error !== undefined)) process.exitCode = 1;

/** One row: every side of one combination, the turns of each merged; with `error` when a side fails. */
function measure(chosen) {
  const turns = new Map(sides.map(({ name }) => [name, []]));
  const row = { ...chosen, gflopPerImage: gflopPerImage(chosen), results: {} };
  try {
    for (let round = 0; round < rounds; round += 1) {
      for (const side of sides) {
        process.stderr.write(`\r\x1b[K${describe(chosen)}: turn ${round + 1} of ${rounds}, ${side.name} …`);
        turns.get(side.name).push(runSide(side, chosen));
      }
    }
  } catch (error) {
    row.error = error.message;
    process.stderr.write(`\r\x1b[K${describe(chosen)}: ${error.message}\n`);
  }
  process.stderr.write("\r\x1b[K");
  for (const [name, runs] of turns) if (runs.length > 0) row.results[name] = merge(runs, row);
  return row;
}

function runSide({ command, script, args, env }, { network, precision, objective, batch }) {
  const shared = { network, precision, batch, classes, threads, steps: stepsPerRound };
  if (objective !== null) shared.objective = objective;
  for (const name of ["warmup", "seed"]) shared[name] = values[name];
  const all = Object.entries(shared).flatMap(([name, value]) => [`--${name}`, String(value)]);
  if (values.inference) all.push("--inference");
  return runScript(command, script, [...all, ...args], env);
}

function merge(runs, { gflopPerImage, precision }) {
  const stepSeconds = runs.flatMap((run) => run.stepSeconds);
  const medianSeconds = median(stepSeconds);
  const imagesPerSecond = runs[0].images / medianSeconds;
  const [first] = runs;
  const parts = Object.keys(first.parts).map((name) => [name, median(runs.map((run) => run.parts[name]))]);
  return {
    version: first.version,
    steps: stepSeconds.length,
    medianSeconds,
    fastestSeconds: Math.min(...stepSeconds),
    imagesPerSecond,
    peakShare: (gflopPerImage * imagesPerSecond) / Math.max(...Object.values(report.peaks[precision])),
    peakResidentBytes: Math.max(...runs.map((run) => run.peakResidentBytes)),
    parts: Object.fromEntries(parts),
    ...(typeof first.topologySeconds === "number" && {
      topologySeconds: median(runs.map((run) => run.topologySeconds)),
    }),
    stepSeconds,
  };
}

/** Convolutions and linear layers of the network, and in training the classifier (forward, and a gradient for each side). */
function gflopPerImage({ network, precision }) {
  const { inference, training } = networkWork(network, { precision });
  const EMBEDDING_SIZE = 512;
  return (values.inference ? inference : training + 3 * 2 * classes * EMBEDDING_SIZE) / 1e9;
}

function rowsAsked() {
  const precisions = words(values, "precision", ["fp32", "bf16"]);
  const objectives = values.inference ? [null] : words(values, "objective", ["arcface", "topofr"]);
  const batches = values.batch.split(",").map((batch) => positive({ batch }, "batch"));
  const combine = (list, name, options) =>
    list.flatMap((row) => options.map((value) => ({ ...row, [name]: value })));
  const networks = values.network.split(",");
  return [
    ["precision", precisions],
    ["objective", objectives],
    ["batch", batches],
  ].reduce(
    (list, [name, options]) => combine(list, name, options),
    networks.map((network) => ({ network })),
  );
}

/** Name, command, script, arguments and environment of each side; ends the process when one cannot run here. */
function sidesAsked() {
  const asked = words(values, "sides", SIDES);
  const layouts = words(values, "layout", ["nchw", "channels_last"]);
  const python = asked.some((side) => side !== "ours") ? findPython("torch") : null;
  if (python === null && asked.some((side) => side !== "ours"))
    stop(
      "no Python here can import torch, which stock needs: apt-get install python3-torch, name a Python by " +
        "PYTHON=/path/to/python3, or measure --sides ours",
    );
  return asked.flatMap((side) => {
    if (side === "ours")
      return [{ name: side, command: process.execPath, script: "ours.mjs", args: [], env: {} }];
    const env = environmentOf(side);
    return layouts.map((layout) => ({
      name: `${side} ${layout}`,
      command: python,
      script: "reference/step.py",
      args: ["--layout", layout],
      env,
    }));
  });
}

function environmentOf(side) {
  if (side === "stock+tunables") return { GLIBC_TUNABLES: KEEP_ALL_MEMORY };
  if (side === "stock") return {};
  const library = [process.env.TCMALLOC ?? TCMALLOC].flat().find((path) => existsSync(path));
  if (library === undefined)
    stop(
      "stock+tcmalloc: tcmalloc was not found: apt-get install libtcmalloc-minimal4, or TCMALLOC=/path/to/libtcmalloc.so",
    );
  return { LD_PRELOAD: library };
}

function stop(message) {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}

function describe({ network, precision, objective, batch }) {
  return [network, precision, objective ?? "inference", `batch ${batch}`].join(", ");
}
