// What the processor can do at most with this libtorch: a large matrix product and a large convolution, in GFLOP/s; prints one JSON
// line. Run: node bench/peak.mjs [--threads N]
import { availableParallelism } from "node:os";
import { parseOptions, positive } from "./options.mjs";

const values = parseOptions(
  {
    threads: { type: "string", default: String(availableParallelism()) },
    repeats: { type: "string", default: "5" },
    help: { type: "boolean", default: false },
  },
  `Usage: node bench/peak.mjs [options]

  --threads N   (all processors)
  --repeats N   of each; the fastest counts (5)
`,
);
const threads = positive(values, "threads");
const repeats = positive(values, "repeats");
const { noGrad, ops, rand, scope, setNumThreads } = await import("@topofr/torch");
setNumThreads(threads);

const SIDE = 4096; // of the matrices
const CONVOLUTION = { batch: 32, channels: 128, map: 56, kernel: 3 };
const BLOCK = 16; // channels, of the blocked layout

const peaks = {};
for (const [name, dtype] of [
  ["fp32", "float32"],
  ["bf16", "bfloat16"],
])
  peaks[name] = { gemm: matrixProduct(dtype), convolution: convolution(dtype) };
process.stdout.write(`${JSON.stringify({ threads, unit: "GFLOP/s", peaks })}\n`);

function matrixProduct(dtype) {
  return scope(() => {
    const [a, b] = [0, 1].map(() => rand([SIDE, SIDE]).to(dtype));
    return fastest(2 * SIDE ** 3, () => a.matmul(b));
  });
}

/** In the layout that training uses for this dtype; product by product, not Winograd's shortcut. */
function convolution(dtype) {
  const { batch, channels, map, kernel } = CONVOLUTION;
  const operations = 2 * batch * map ** 2 * channels ** 2 * kernel ** 2;
  return scope(() => {
    const weight = rand([channels, channels, kernel, kernel]);
    const images =
      dtype === "float32"
        ? rand([batch, channels / BLOCK, map, map, BLOCK])
        : rand([batch, channels, map, map]).contiguous({ memoryFormat: "channelsLast" }).to(dtype);
    return fastest(operations, () => ops.convolution(images, weight, { padding: 1, winograd: false }));
  });
}

function fastest(operations, work) {
  let best = Number.POSITIVE_INFINITY;
  for (let repeat = 0; repeat < repeats + 1; repeat++) {
    const started = performance.now();
    noGrad(() => scope(() => void work()));
    if (repeat > 0) best = Math.min(best, performance.now() - started);
  }
  return operations / best / 1e6;
}
