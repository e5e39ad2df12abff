// The exact minimum spanning tree of many points: degree 0 at scale. Seconds, and memory beyond the points.
// Run: node bench/pointTree.mjs [--points 100000] [--dimension 512] [--json]
import { availableParallelism, cpus, loadavg } from "node:os";
import { RandomStream } from "../packages/topofr/dist/random/stream.js";
import { minimumSpanningTreeOfPoints } from "../packages/torch/dist/index.js";
import { parseOptions, positive } from "./options.mjs";

const HELP = `Usage: node bench/pointTree.mjs [options]

  --points N      (100000)
  --dimension N   (512)
  --data KIND     clusters (of 20 points) or noise (clusters)
  --metric NAME   euclidean, cosine, manhattan (euclidean)
  --threads N     (all processors)
  --seed N        (2048)
  --json          print JSON alone
`;
const values = parseOptions(
  {
    points: { type: "string", default: "100000" },
    dimension: { type: "string", default: "512" },
    data: { type: "string", default: "clusters" },
    metric: { type: "string", default: "euclidean" },
    threads: { type: "string", default: String(availableParallelism()) },
    seed: { type: "string", default: "2048" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
  HELP,
);
const count = positive(values, "points");
const dimension = positive(values, "dimension");
const points = makePoints();
const before = process.memoryUsage().rss;
const load = loadavg()[0];
const processor = process.cpuUsage();
const start = performance.now();
const tree = await minimumSpanningTreeOfPoints(points, count, dimension, {
  metric: values.metric,
  threads: positive(values, "threads"),
  onProgress: (done, total) => process.stderr.write(`\r\x1b[K${((100 * done) / total).toFixed(0)}% …`),
});
process.stderr.write("\r\x1b[K");
const seconds = (performance.now() - start) / 1000;
const { user, system } = process.cpuUsage(processor);
const report = {
  processor: cpus()[0]?.model,
  load,
  points: count,
  dimension,
  data: values.data,
  metric: values.metric,
  seconds,
  processorSeconds: (user + system) / 1e6,
  bytesBeyondPoints: process.resourceUsage().maxRSS * 1024 - before,
  longest: tree.weight.at(-1),
};
process.stdout.write(
  values.json
    ? `${JSON.stringify(report)}\n`
    : `tree of ${count} x ${dimension} (${values.data}, ${values.metric}): ${seconds.toFixed(1)} s, ` +
        `${report.processorSeconds.toFixed(1)} s of processors, ${(report.bytesBeyondPoints / 1e6).toFixed(0)} MB beyond ` +
        `the points; load before ${load.toFixed(1)}\n`,
);

function makePoints() {
  const random = new RandomStream(positive(values, "seed"), values.data);
  const rows = new Float32Array(count * dimension);
  const CLUSTER = 20;
  const SPREAD = 0.3;
  const centre = new Float32Array(dimension);
  for (let i = 0; i < count; i++) {
    if (values.data === "clusters" && i % CLUSTER === 0)
      for (let k = 0; k < dimension; k++) centre[k] = random.uniform();
    for (let k = 0; k < dimension; k++) {
      rows[i * dimension + k] =
        values.data === "clusters" ? centre[k] + SPREAD * random.uniform() : random.uniform();
    }
  }
  return rows;
}
