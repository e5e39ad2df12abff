// How fast training images become batches: read, decode (JPEG, 112x112), flip, normalise. Beside Pillow with as many processes.
// Run: node bench/decode.mjs [--images 2000] [--workers 2] [--rounds 3] [--data folder] [--json]
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { imageTensor } from "../packages/topofr/dist/data/imageTensor.js";
import { BatchLoader } from "../packages/topofr/dist/data/loader.js";
import { openDataset } from "../packages/topofr/dist/data/openDataset.js";
import { EpochSampler } from "../packages/topofr/dist/data/sampler.js";
import { writeWorld } from "../packages/topofr/dist/data/synthetic/writeWorld.js";
import { scope, setNumThreads } from "../packages/torch/dist/index.js";
import { median, parseOptions, positive } from "./options.mjs";

const OPTIONS = {
  images: { type: "string", default: "2000" },
  workers: { type: "string", default: "2" },
  batch: { type: "string", default: "128" },
  rounds: { type: "string", default: "3" },
  data: { type: "string" },
  json: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
};
const HELP =
  "usage: node bench/decode.mjs [--images 2000] [--workers 2] [--batch 128] [--rounds 3] [--data folder or train.rec] [--json]\n" +
  "  without --data, so many faces are drawn and packed first\n";

const values = parseOptions(OPTIONS, HELP);
const workers = positive(values, "workers");
const batchSize = positive(values, "batch");
const rounds = positive(values, "rounds");
const images = positive(values, "images");
const PASSES = 3; // over the data in a round: threads start once

const folder = mkdtempSync(join(tmpdir(), "topofr-bench-decode-"));
try {
  const data = values.data ?? join(folder, "faces");
  if (!values.data)
    await writeWorld(
      data,
      { seed: 1, identities: images / 20, imagesPerIdentity: 20, format: "jpg" },
      () => {},
    );
  const packed = join(folder, "faces.rec");
  run(process.execPath, [join(root("packages/topofr/dist/cli/main.js")), "data", "pack", data, packed]);

  const results = { folder: [], recordio: [], pillow: [] };
  for (let round = 0; round < rounds; round++) {
    results.folder.push(await ours(data));
    results.recordio.push(await ours(packed));
    const python = ["bench/reference/decode.py", data, String(workers), String(batchSize), String(PASSES)];
    results.pillow.push(Number(run("/usr/bin/python3", python)));
  }
  const rates = Object.fromEntries(Object.entries(results).map(([name, rate]) => [name, median(rate)]));
  if (values.json)
    process.stdout.write(`${JSON.stringify({ unit: "images per second", workers, rates, results })}\n`);
  else
    for (const [name, rate] of Object.entries(rates))
      process.stdout.write(
        `${name.padEnd(9)} ${rate.toFixed(0).padStart(6)} img/s  ${(rate / rates.pillow).toFixed(2)}x\n`,
      );
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function ours(path) {
  setNumThreads(workers);
  const dataset = await openDataset(path);
  const sampler = new EpochSampler({ sampleCount: dataset.labels.length, batchSize, seed: 1 });
  const loader = new BatchLoader(dataset, { sampler, seed: 1, epochs: 1 + PASSES, workers });
  let started = 0;
  let count = 0;
  for await (const { images: pixels, labels, epoch, step, release } of loader) {
    scope(() => void imageTensor(pixels, labels.length));
    release();
    if (epoch > 0) count += labels.length;
    else if (step === sampler.stepsPerEpoch - 1) started = performance.now(); // the first epoch warms up
  }
  return (1000 * count) / (performance.now() - started);
}

function root(path) {
  return fileURLToPath(new URL(`../${path}`, import.meta.url));
}

function run(command, args) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: root("."), encoding: "utf8" });
  if (status === 0) return stdout;
  throw new Error(`${command} ${args.join(" ")}: ${stderr}`);
}
