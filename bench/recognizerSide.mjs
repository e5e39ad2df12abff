// One side of recognizer.mjs: node bench/recognizerSide.mjs side file batch seconds network. Prints one JSON line.
import { availableParallelism } from "node:os";
import process from "node:process";
import { randomPictures, slicePictures } from "../packages/topofr/dist/export/pictures.js";

const [side, file, batchText, secondsText, network] = process.argv.slice(2);
const batch = Number(batchText);
const SIZE = 112;
const pictures = randomPictures(batch, SIZE);

const sides = { loop, recognizer, engine };
const embed = await sides[side]();
await embed(); // memory and kernels of this size
const started = performance.now();
let calls = 0;
for (; performance.now() < started + 1000 * Number(secondsText); calls++) await embed();
const perSecond = (1000 * calls * batch) / (performance.now() - started);
process.stdout.write(`${JSON.stringify({ perSecond })}\n`);
process.exit(0);

/** The runtime alone, on floats that are ready: what no caller can be faster than. */
async function loop() {
  const { InferenceSession, Tensor } = await import("onnxruntime-node");
  const session = await InferenceSession.create(file, { logSeverityLevel: 3 });
  const floats = Float32Array.from(pictures.pixels, (value) => (value - 127.5) / 127.5);
  const [input] = session.inputNames;
  return async () => {
    const result = await session.run({ [input]: new Tensor("float32", floats, [batch, 3, SIZE, SIZE]) });
    return result[session.outputNames[0]].data;
  };
}

/** From aligned pixels to unit vectors. */
async function recognizer() {
  const { openRecognizer } = await import("../packages/recognizer/dist/index.js");
  const opened = await openRecognizer({ model: file });
  const faces = Array.from({ length: batch }, (_, k) => ({
    pixels: slicePictures(pictures, k, 1).pixels,
    size: SIZE,
  }));
  return () => opened.embed(faces, { batchSize: batch });
}

/** As `topofr evaluate` runs a checkpoint, from pixels. */
async function engine() {
  const { openBackbone } = await import("../packages/topofr/dist/models/openBackbone.js");
  const { imageTensor } = await import("../packages/topofr/dist/data/imageTensor.js");
  const { noGrad, scope, setNumThreads } = await import("../packages/torch/dist/index.js");
  setNumThreads(availableParallelism());
  const backbone = await openBackbone(file, network, { embeddingSize: 512 });
  backbone.to({ memoryFormat: "blocked" }).eval();
  return async () =>
    noGrad(() => scope(() => backbone.forward(imageTensor(pictures.pixels, batch)).toTypedArray()));
}
