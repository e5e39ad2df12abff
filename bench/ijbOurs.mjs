// One run of the IJB 1:1 protocol by this project: node bench/ijbOurs.mjs folder dimension. Prints one JSON line.
import { closeSync, openSync, readSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
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
const templates = await part("templates", () => {
  const pool = new TemplatePool(meta, dimension, "summed");
  const piece = new Float32Array(PIECE * dimension);
  const file = openSync(join(folder, "features.f32"));
  for (let rows = PIECE; rows === PIECE; ) {
    rows = readSync(file, piece) / (4 * dimension);
    pool.add(piece.subarray(0, rows * dimension));
  }
  closeSync(file);
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
