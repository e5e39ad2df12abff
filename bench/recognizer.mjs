// Embeddings a second of @topofr/recognizer in Node, beside a plain loop over the same ONNX Runtime as scripts have it (one session, one
// buffer of floats that is ready, nothing else), and beside the training engine. The networks are drawn and exported here; the sides take
// turns, each in a process of its own. One side: recognizerSide.mjs.
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import sharp from "sharp";
import { exportModel } from "../packages/topofr/dist/export/exportModel.js";
import { randomPictures, slicePictures } from "../packages/topofr/dist/export/pictures.js";
import { createBackbone } from "../packages/topofr/dist/models/registry.js";
import { manualSeed, nn, noGrad, saveTensors } from "../packages/torch/dist/index.js";
import { runScript } from "./children.mjs";
import { median, parseOptions, positive, words } from "./options.mjs";

const HELP = `Usage: node bench/recognizer.mjs [options]

  --network LIST     mobilefacenet, iresnet18, iresnet50 … (mobilefacenet,iresnet50)
  --precision LIST   fp32, int8 (fp32,int8)
  --batch LIST       faces in one call (1,8,32)
  --seconds N        of each measurement, at least (2)
  --rounds N         turns of each side (1)
  --folder PATH      keep the drawn networks there (default: a temporary one)
  --prepare          only draw and export them
  --json             print JSON alone
`;
const values = parseOptions(
  {
    network: { type: "string", default: "mobilefacenet,iresnet50" },
    precision: { type: "string", default: "fp32,int8" },
    batch: { type: "string", default: "1,8,32" },
    seconds: { type: "string", default: "2" },
    rounds: { type: "string", default: "1" },
    folder: { type: "string" },
    prepare: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
  HELP,
);
const NETWORKS = ["mobilefacenet", "iresnet18", "iresnet34", "iresnet50", "iresnet100", "iresnet200"];
const SIZE = 112;
const CALIBRATION_IMAGES = 16;
/** Sides of a precision; the engine does not compute in 8 bits. */
const SIDES = { fp32: ["loop", "recognizer", "engine"], int8: ["loop", "recognizer"] };

const networks = words(values, "network", NETWORKS);
const precisions = words(values, "precision", Object.keys(SIDES));
const batches = values.batch.split(",").map(Number);
const seconds = positive(values, "seconds");
const rounds = positive(values, "rounds");

const folder = values.folder ?? mkdtempSync(join(tmpdir(), "topofr-bench-recognizer-"));
mkdirSync(folder, { recursive: true });
try {
  for (const network of networks) await prepare(network);
  if (!values.prepare) {
    const load = loadavg()[0];
    const rows = networks.flatMap((network) =>
      precisions.flatMap((precision) => measure(network, precision)),
    );
    const report = { processor: cpus()[0]?.model, cores: cpus().length, load, rounds, rows };
    process.stdout.write(values.json ? `${JSON.stringify(report)}\n` : describe(report));
  }
} finally {
  if (values.folder === undefined) rmSync(folder, { recursive: true });
}

/** Weights and exports, where they are not there yet. */
async function prepare(network) {
  const source = join(folder, `${network}.safetensors`);
  const missing = precisions.filter((precision) => !existsSync(join(folder, `${network}-${precision}.onnx`)));
  if (missing.length === 0 && existsSync(source)) return;
  process.stderr.write(`drawing and exporting ${network} …\n`);
  if (!existsSync(source)) await drawNetwork(network, source);
  const images = await calibrationImages();
  for (const precision of missing)
    await exportModel({
      ...{ source, name: network, network, embeddingSize: 512, version: "bench" },
      ...{ target: join(folder, `${network}-${precision}.onnx`), precision, opset: 17, foldBatchNorm: true },
      ...{ calibration: { name: "random images", images }, check: null },
      ...{ resize: "error", overwrite: false, threads: null },
    });
}

/** Random weights whose maps stay in range; speed does not depend on what they are. */
async function drawNetwork(network, path) {
  manualSeed(1);
  const backbone = createBackbone(network);
  noGrad(() => {
    for (const module of backbone.modules())
      if (module instanceof nn.Conv2d) {
        const [, perGroup, height, width] = module.weight.shape;
        module.weight.normal_({ mean: 0, std: Math.sqrt(2 / (perGroup * height * width)) }).dispose();
      }
    // The last batch norm of a block: each adds little.
    for (const [name, value] of backbone.stateDict())
      if (/(bn3|layers\.2\.layers\.1)\.weight$/.test(name)) value.fill_(0.2).dispose();
  });
  await saveTensors(path, backbone.stateDict());
  backbone.dispose();
}

async function calibrationImages() {
  const pictures = randomPictures(CALIBRATION_IMAGES, SIZE);
  const all = Array.from({ length: CALIBRATION_IMAGES }, (_, k) => slicePictures(pictures, k, 1).pixels);
  const encoded = all.map((pixels) =>
    sharp(pixels, { raw: { width: SIZE, height: SIZE, channels: 3 } })
      .png()
      .toBuffer(),
  );
  return (await Promise.all(encoded)).map((bytes, k) => ({ kind: "bytes", name: `image ${k}`, bytes }));
}

/** A row for each batch: embeddings a second of each side. */
function measure(network, precision) {
  return batches.map((batch) => {
    const found = Object.fromEntries(SIDES[precision].map((side) => [side, []]));
    for (let round = 0; round < rounds; round++) {
      for (const side of SIDES[precision]) {
        const file = side === "engine" ? `${network}.safetensors` : `${network}-${precision}.onnx`;
        process.stderr.write(`\r${network} ${precision}, batch ${batch}, ${side} …        `);
        const args = [side, join(folder, file), String(batch), String(seconds), network];
        found[side].push(runScript(process.execPath, "recognizerSide.mjs", args));
      }
    }
    process.stderr.write("\r\x1b[K");
    const rates = Object.entries(found).map(([side, runs]) => [
      side,
      median(runs.map(({ perSecond }) => perSecond)),
    ]);
    return { network, precision, batch, perSecond: Object.fromEntries(rates) };
  });
}

function describe({ rows, load, rounds: turns }) {
  const number = (value) => (value === undefined ? "" : value.toFixed(1)).padStart(11);
  const lines = rows.map(
    ({ network, precision, batch, perSecond: { loop, recognizer, engine } }) =>
      `${`${network} ${precision}`.padEnd(20)}${String(batch).padStart(5)}${number(loop)}${number(recognizer)}${number(engine)}`,
  );
  const head = `${"embeddings/s".padEnd(20)}${"batch".padStart(5)}${"loop".padStart(11)}${"recognizer".padStart(11)}${"engine".padStart(11)}`;
  return `${[head, ...lines].join("\n")}\nmedian of ${turns}; load before ${load.toFixed(1)}\n`;
}
