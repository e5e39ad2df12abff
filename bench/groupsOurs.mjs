// One run of the grouped protocol by this project: node bench/groupsOurs.mjs folder dimension. Prints one JSON line.
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { groupVerification } from "../packages/topofr/dist/evaluate/groups.js";
import { setNumThreads } from "../packages/torch/dist/index.js";

const [folder, dimension] = process.argv.slice(2);
const read = (name, Values) => new Values(Uint8Array.from(readFileSync(join(folder, name))).buffer);

setNumThreads(availableParallelism());
const started = performance.now();
const groupIds = read("groups.i32", Int32Array);
const rows = await groupVerification({
  embeddings: read("embeddings.f32", Float32Array),
  dimension: Number(dimension),
  identityIds: read("identities.i32", Int32Array),
  groupIds,
  groupNames: [...new Set(groupIds)].sort((a, b) => a - b).map(String),
});

process.stdout.write(
  `${JSON.stringify({
    implementation: "topofr",
    seconds: (performance.now() - started) / 1000,
    peakResidentBytes: process.resourceUsage().maxRSS * 1024,
    parts: {},
    result: rows.map(({ name, genuines, impostors, tarAtFar }) => [
      name,
      genuines,
      impostors,
      ...tarAtFar.map(({ tar }) => Number(tar.toFixed(5))),
    ]),
  })}\n`,
);
