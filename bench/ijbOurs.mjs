// One run of the IJB 1:1 protocol by this project: node bench/ijbOurs.mjs folder dimension. Prints one JSON line.
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { withInputFile } from "../packages/formats/dist/index.js";
import { verifyTemplates } from "../packages/topofr/dist/evaluate/ijb.js";
import { readIjbMeta } from "../packages/topofr/dist/evaluate/ijbMeta.js";
import { templatePairScores } from "../packages/topofr/dist/evaluate/ijbScores.js";
import { TemplatePool } from "../packages/topofr/dist/evaluate/ijbTemplates.js";
import { setNumThreads } from "../packages/torch/dist/index.js";

const [folder, dimensionText] = process.argv.slice(2);
const dimension = Number(dimensionText);
const PIECE = 16384; // rows of features that are in memory at a time

setNumThreads(availableParallelism());
const started = performance.now();
const parts = {};
async function part(name, work) {
  const start = performance.now();
  const value = await work();
  parts[name] = (performance.now() - start) / 1000;
  return value;
}

const meta = await part("meta", () => readIjbMeta(folder, "IJBC"));
const templates = await part("templates", async () => {
  const pool = new TemplatePool(meta, dimension, "summed");
  await withInputFile(join(folder, "features.f32"), async (file) => {
    const bytes = PIECE * dimension * 4;
    for (let at = 0; at < file.size; at += bytes) {
      pool.add(new Float32Array((await file.read(at, Math.min(bytes, file.size - at))).buffer));
    }
  });
  return pool.finish();
});
const scores = await part("scores", () => templatePairScores(templates, meta.pairs));
const report = await part("rates", () => verifyTemplates(scores, meta.pairs.same));

process.stdout.write(
  `${JSON.stringify({
    implementation: "topofr",
    seconds: (performance.now() - started) / 1000,
    peakResidentBytes: process.resourceUsage().maxRSS * 1024,
    parts,
    result: {
      auc: report.auc,
      tar: Object.fromEntries(report.tarAtFar.map(({ far, tar }) => [far.toExponential(0), tar])),
    },
  })}\n`,
);
