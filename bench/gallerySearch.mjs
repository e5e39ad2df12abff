// 1:N search in a gallery, beside a brute-force product in numpy and a plain loop in JavaScript: all read the same made templates and must
// find the same people. Also what adding and opening cost.
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { openGallery } from "../packages/recognizer/dist/gallery/index.js";
import { RandomStream } from "../packages/topofr/dist/random/stream.js";
import { findPython, runScript } from "./children.mjs";
import { median, parseOptions, positive } from "./options.mjs";

const HELP = `Usage: node bench/gallerySearch.mjs [options]

  --templates N   in the gallery (100000)   --dimension N   of an embedding (512)
  --together N    queries of one call, beside single ones (64)
  --top N         (5)                       --calls N       of each measurement (20)
  --json          print JSON alone

The reference needs Python with numpy.
`;
const values = parseOptions(
  {
    templates: { type: "string", default: "100000" },
    dimension: { type: "string", default: "512" },
    together: { type: "string", default: "64" },
    top: { type: "string", default: "5" },
    calls: { type: "string", default: "20" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
  HELP,
);
const [templates, dimension, together, top, calls] = [
  "templates",
  "dimension",
  "together",
  "top",
  "calls",
].map((name) => positive(values, name));
const ADD = 1024; // templates of one record
const LOOP_CALLS = 3;
/** A query is a template and this much noise. */
const NOISE = 0.03;

const folder = mkdtempSync(join(tmpdir(), "topofr-bench-gallery-"));
try {
  const load = loadavg()[0];
  process.stderr.write("writing the data …");
  const rows = writeData();
  const report = { processor: cpus()[0]?.model, cores: cpus().length, load, templates, dimension, sides: {} };
  process.stderr.write("\r\x1b[Kgallery …");
  report.sides.gallery = await gallery(rows);
  process.stderr.write("\r\x1b[Kplain loop …");
  report.sides["plain loop"] = plainLoop(rows);
  process.stderr.write("\r\x1b[Knumpy …");
  const args = [folder, String(dimension), String(together), String(top), String(calls)];
  report.sides.numpy = runScript(findPython("numpy") ?? "python3", "reference/gallerySearch.py", args);
  process.stderr.write("\r\x1b[K");
  const answers = Object.values(report.sides).map(({ found }) => JSON.stringify(found));
  report.equal = new Set(answers).size === 1;
  process.stdout.write(values.json ? `${JSON.stringify(report)}\n` : describe(report));
  if (!report.equal) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true });
}

/** templates.f32 [templates, dimension] and queries.f32 [together, dimension], of length 1; every query is near a template. */
function writeData() {
  const stream = new RandomStream(2048, "gallery bench");
  const all = new Float32Array(templates * dimension);
  for (let i = 0; i < all.length; i++) all[i] = stream.uniform() - 0.5;
  unit(all);
  const queries = new Float32Array(together * dimension);
  for (let k = 0; k < together; k++) {
    const place = stream.integer(templates) * dimension;
    for (let i = 0; i < dimension; i++)
      queries[k * dimension + i] = all[place + i] + NOISE * (stream.uniform() - 0.5);
  }
  writeFileSync(join(folder, "templates.f32"), all);
  writeFileSync(join(folder, "queries.f32"), unit(queries));
  return { all, queries: Array.from({ length: together }, (_, k) => rowOf(queries, k)) };
}

function rowOf(matrix, k) {
  return matrix.subarray(k * dimension, (k + 1) * dimension);
}

function unit(matrix) {
  for (let k = 0; k < matrix.length / dimension; k++) {
    const row = rowOf(matrix, k);
    const length = Math.hypot(...row);
    for (let i = 0; i < dimension; i++) row[i] /= length;
  }
  return matrix;
}

async function gallery({ all, queries }) {
  const path = join(folder, "people.gallery");
  const options = { dimension, model: { name: "bench", sha256: "" } };
  let opened = await openGallery(path, { ...options, create: true });
  const addSeconds = await timed(async () => {
    for (let start = 0; start < templates; start += ADD) {
      const count = Math.min(ADD, templates - start);
      await opened.add(
        Array.from({ length: count }, (_, k) => ({
          identity: String(start + k),
          embedding: rowOf(all, start + k),
        })),
      );
    }
  });
  await opened.close();
  const openSeconds = await timed(async () => {
    opened = await openGallery(path, { ...options, readOnly: true });
  });
  const single = [];
  const many = [];
  await opened.search(queries[0], { top });
  for (let k = 0; k < calls; k++)
    single.push(await timed(() => opened.search(queries[k % together], { top })));
  await opened.searchMany(queries, { top });
  for (let k = 0; k < Math.ceil(calls / 4); k++)
    many.push(await timed(() => opened.searchMany(queries, { top })));
  const found = (await opened.searchMany(queries, { top })).map(([best]) => Number(best.identity));
  await opened.close();
  const bytes = statSync(path).size;
  return { ...searchTimes(single, many), addSeconds, openSeconds, bytes, found };
}

/** What a program without a library does: a loop of multiplications, and a sort of the best. */
function plainLoop({ all, queries }) {
  const search = (query) => {
    const best = [];
    for (let k = 0, at = 0; k < templates; k++) {
      let product = 0;
      for (let i = 0; i < dimension; i++) product += all[at++] * query[i];
      if (best.length === top && product <= best.at(-1)[0]) continue;
      best.push([product, k]);
      best.sort((a, b) => b[0] - a[0]);
      if (best.length > top) best.pop();
    }
    return best;
  };
  search(queries[0]);
  const single = [];
  for (let k = 0; k < LOOP_CALLS; k++) {
    const started = performance.now();
    search(queries[k % together]);
    single.push((performance.now() - started) / 1000);
  }
  return { ...searchTimes(single, null), found: queries.map((query) => search(query)[0][1]) };
}

async function timed(work) {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}

function searchTimes(single, many) {
  return { singleSeconds: median(single), togetherSeconds: many && median(many) / together };
}

function describe({ sides, load, equal }) {
  const ms = (seconds) => (seconds === null ? "" : `${(1000 * seconds).toFixed(2)} ms`).padStart(12);
  const lines = Object.entries(sides).map(
    ([side, { singleSeconds, togetherSeconds }]) =>
      `${side.padEnd(16)}${ms(singleSeconds)}${ms(togetherSeconds)}`,
  );
  const { addSeconds, openSeconds, bytes } = sides.gallery;
  return `${[
    `${`${templates} x ${dimension}`.padEnd(16)}${"one query".padStart(12)}${`${together} together, each`.padStart(20)}`,
    ...lines,
    `gallery: added in ${addSeconds.toFixed(1)} s, opened in ${openSeconds.toFixed(2)} s, ${(bytes / 2 ** 20).toFixed(0)} MiB`,
    equal ? "all found the same people" : "THE ANSWERS DIFFER",
    `load before ${load.toFixed(1)}`,
  ].join("\n")}\n`;
}
