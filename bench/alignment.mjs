// The topology of one training batch: structure alignment (equation 2) of the clean images and of their embeddings, forward and
// backward. Run: node bench/alignment.mjs [--batch 128] [--threads 2] [--json]
import { availableParallelism, cpus, loadavg } from "node:os";
import { structureAlignment } from "../packages/topofr/dist/method/alignment.js";
import { manualSeed, randn, scope, setNumThreads } from "../packages/torch/dist/index.js";
import { median, parseOptions, positive } from "./options.mjs";

const HELP = `Usage: node bench/alignment.mjs [options]

  --batch N     images (128), each 3 x 112 x 112, with an embedding of 512 numbers
  --runs N      (50)
  --threads N   (all processors)
  --json        print JSON alone
`;
const values = parseOptions(
  {
    batch: { type: "string", default: "128" },
    runs: { type: "string", default: "50" },
    threads: { type: "string", default: String(availableParallelism()) },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
  HELP,
);
const batch = positive(values, "batch");
const runs = positive(values, "runs");
setNumThreads(positive(values, "threads"));
manualSeed(2048);

const options = {
  weight: 0.1,
  match: "symmetric",
  half: true,
  reduce: "sum",
  inputNorm: "none",
  latent: "raw",
  distance: "gram",
};
const images = randn([batch, 3, 112, 112]).clampMin(-1).clampMax(1);
const embedding = randn([batch, 512]);
embedding.requiresGrad = true;

const forward = [];
const backward = [];
const WARMUP = 5;
for (let run = 0; run < WARMUP + runs; run++) {
  scope(() => {
    const start = performance.now();
    const { loss } = structureAlignment(images, embedding, options);
    const middle = performance.now();
    loss.backward();
    const end = performance.now();
    if (run >= WARMUP) {
      forward.push(middle - start);
      backward.push(end - middle);
    }
  });
  embedding.grad = null;
}
const whole = forward.map((milliseconds, run) => milliseconds + backward[run]);
const report = {
  processor: cpus()[0]?.model,
  load: loadavg()[0],
  batch,
  runs,
  milliseconds: median(whole),
  fastest: Math.min(...whole),
  forward: median(forward),
  backward: median(backward),
};
process.stdout.write(
  values.json
    ? `${JSON.stringify(report)}\n`
    : `alignment of ${batch} images, forward and backward: ${report.milliseconds.toFixed(2)} ms ` +
        `(fastest ${report.fastest.toFixed(2)}; forward ${report.forward.toFixed(2)}, backward ${report.backward.toFixed(2)}); ` +
        `median of ${runs}; load ${report.load.toFixed(1)}\n`,
);
