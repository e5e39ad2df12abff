// What one operator call costs on top of libtorch's arithmetic: scope(() => a.add(b)) on [2, 2] tensors, which makes one
// JavaScript Tensor and frees it again. Run: node bench/operatorOverhead.mjs [--json]
import { ones, scope, setNumThreads } from "../packages/torch/dist/index.js";
import { median, parseOptions, positive } from "./options.mjs";

const OPTIONS = {
  calls: { type: "string", default: "50000" },
  runs: { type: "string", default: "9" },
  json: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
};
const HELP = "usage: node bench/operatorOverhead.mjs [--calls 50000] [--runs 9] [--json]\n";

const values = parseOptions(OPTIONS, HELP);
const calls = positive(values, "calls");
const runs = positive(values, "runs");

setNumThreads(1);
const a = ones([2, 2]);
const b = ones([2, 2]);

function microsecondsPerCall(body) {
  const start = performance.now();
  for (let count = 0; count < calls; ++count) body();
  return ((performance.now() - start) / calls) * 1000;
}

async function measure(body) {
  microsecondsPerCall(body); // warm-up: compiled code, and memory that is then reused
  const times = [];
  for (let run = 0; run < runs; ++run) {
    times.push(microsecondsPerCall(body));
    await new Promise(setImmediate); // lets the finalizers of collected tensors run
  }
  return { median: median(times), least: Math.min(...times), most: Math.max(...times) };
}

const noop = () => {};
const emptyScope = await measure(() => scope(noop));
const scopedAdd = await measure(() =>
  scope(() => {
    a.add(b);
  }),
);
const text = ({ median, least, most }) =>
  `${median.toFixed(2)} us (${least.toFixed(2)} to ${most.toFixed(2)})`;
process.stdout.write(
  values.json
    ? `${JSON.stringify({ unit: "microseconds", calls, runs, scopedAdd, emptyScope })}\n`
    : `scope + add on [2, 2]: ${text(scopedAdd)}; empty scope: ${text(emptyScope)}; ${runs} runs of ${calls} calls\n`,
);
