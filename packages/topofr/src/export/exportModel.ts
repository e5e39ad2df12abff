// A checkpoint as a file for deployment: read, recognise, build, compare with the training engine, and only then write.
import { stat } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { basename } from "node:path";
import { encodeOnnx, type OnnxFile, TopofrError, writeFileAtomic } from "@topofr/formats";
import { cardPath, completeCard, loadRuntime, openOnnxModel } from "@topofr/recognizer";
import { loadTensors, manualSeed, noGrad, saveTensors, setNumThreads, type Tensor } from "@topofr/torch";
import type { ResizePolicy } from "../data/decodeImage.js";
import type { ImageSource } from "../data/imageSource.js";
import { PIXEL_MEAN, PIXEL_SCALE } from "../data/normalize.js";
import type { Backbone } from "../models/backbone.js";
import { backboneTensors } from "../models/loadWeights.js";
import type { NetworkName } from "../models/names.js";
import { createBackbone } from "../models/registry.js";
import { calibrate } from "./calibrate.js";
import { compareEmbeddings, type Difference, type Embed, engineEmbed } from "./compareEngine.js";
import { cardFields, cardText } from "./exportCard.js";
import { float16Graph, float32Graph } from "./floatGraph.js";
import { foldBatchNorm } from "./foldBatchNorm.js";
import type { GraphOptions } from "./graphWriter.js";
import { type Identified, identifyNetwork } from "./identifyNetwork.js";
import { int8Graph } from "./int8Graph.js";
import type { State } from "./layerGraph.js";
import { networkLayers } from "./networkLayers.js";
import { type Pictures, randomPictures, readPictures, slicePictures } from "./pictures.js";

export type Precision = "fp32" | "fp16" | "int8";

/** Largest difference from the training engine of two numbers of embeddings of length 1. int8 has no limit: it is a trade. */
export const LIMITS: Readonly<Record<Precision, number | null>> = { fp32: 1e-4, fp16: 5e-3, int8: null };

const RANDOM_PICTURES = 4; // run as a batch of 1 and one of 3: the batch must be free

export interface NamedImages {
  name: string;
  images: readonly ImageSource[];
}

export interface ExportRequest {
  /** The checkpoint: .safetensors, .pt or .pth. */
  source: string;
  /** What tables call the model. */
  name: string;
  /** What the user said; null: as the file's shapes say. */
  network: NetworkName | null;
  embeddingSize: number | null;
  /** .onnx or .safetensors */
  target: string;
  precision: Precision;
  /** Of ONNX. */
  opset: number;
  foldBatchNorm: boolean;
  /** For the ranges of int8. */
  calibration: NamedImages | null;
  /** Compared besides random images. */
  check: NamedImages | null;
  resize: ResizePolicy;
  overwrite: boolean;
  /** Of engine and runtime. Null: all cores. */
  threads: number | null;
  /** Of this package; kept in the file. */
  version: string;
  onProgress?(doing: string, done: number, total: number): void;
}

export interface ExportReport extends Identified {
  source: string;
  target: string;
  precision: Precision;
  /** Of ONNX files; null for safetensors. */
  opset: number | null;
  /** Batch norms that are left in the graph; null for safetensors. */
  batchNorms: number | null;
  bytes: number;
  /** The model card beside an ONNX file. */
  card: string | null;
  differences: Difference[];
  /** What each difference had to stay below; null: nothing. */
  limit: number | null;
}

/**
 * @throws E_MODEL for a checkpoint of another network, or when the export's embeddings differ from the training engine's; E_FORMAT,
 *   E_FILE for files; E_SETUP when ONNX Runtime is not installed. Nothing is written then.
 */
export async function exportModel(request: ExportRequest): Promise<ExportReport> {
  const { source, target, precision } = request;
  const isOnnx = target.endsWith(".onnx");
  for (const file of isOnnx ? [target, cardPath(target)] : [target]) await checkTarget(file, request);
  if (isOnnx) await loadRuntime(); // not after minutes of work
  setNumThreads(request.threads ?? availableParallelism());
  const { backbone, ...identified } = await loadCheckpoint(request);
  try {
    const check =
      request.check &&
      (await readPictures(request.check.name, request.check.images, sized(identified, request)));
    const compare = (exported: Embed) =>
      compareAll(identified, { engine: engineEmbed(backbone), exported }, check, request);
    const head = { source, target, precision, ...identified, limit: LIMITS[precision] };
    const metadata = fileMetadata(request, identified);
    if (!isOnnx) {
      const differences = await writeSafetensors(backbone, identified, metadata, compare, request);
      return {
        ...head,
        opset: null,
        batchNorms: null,
        bytes: (await stat(target)).size,
        card: null,
        differences,
      };
    }
    const file = await buildOnnx(backbone, metadata, identified, request);
    const bytes = encodeOnnx(file);
    const fields = cardFields(request.name, identified.inputSize);
    const model = await openOnnxModel(target, completeCard(fields), { threads: request.threads, bytes });
    const differences = await compare((pictures) =>
      model.run(pictures.pixels, pictures.count, { mirror: false }),
    ).finally(() => model.close());
    const card = cardPath(target);
    await writeFileAtomic(target, [bytes]);
    await writeFileAtomic(card, [Buffer.from(cardText(fields))]);
    const batchNorms = file.graph.nodes.filter(({ op }) => op === "BatchNormalization").length;
    return { ...head, opset: request.opset, batchNorms, bytes: bytes.length, card, differences };
  } finally {
    backbone.dispose();
  }
}

async function checkTarget(path: string, { overwrite, source }: ExportRequest): Promise<void> {
  const found = await stat(path).catch(() => null);
  if (found?.isDirectory()) throw new TopofrError("E_FILE", `${path}: is a folder; name a file`);
  if (found === null) return;
  const same = await stat(source).catch(() => null);
  if (same && same.ino === found.ino && same.dev === found.dev)
    throw new TopofrError("E_USAGE", `${path}: is the checkpoint itself; give another name to --to`);
  if (!overwrite)
    throw new TopofrError("E_USAGE", `${path} exists; give --overwrite, or another name to --to`);
}

/** The network in evaluation mode with the checkpoint's weights. */
async function loadCheckpoint(request: ExportRequest): Promise<Identified & { backbone: Backbone }> {
  const { tensors } = await loadTensors(request.source);
  try {
    const own = backboneTensors(tensors);
    const shapes = new Map([...own].map(([name, { shape }]) => [name, shape]));
    const { network, ...options } = chooseNetwork(shapes, request);
    manualSeed(0); // the fresh weights are replaced; only their drawing must not depend on the clock
    const backbone = createBackbone(network, options);
    try {
      backbone.loadStateDict(own, request.source);
    } catch (error) {
      backbone.dispose();
      throw error;
    }
    backbone.to({ memoryFormat: "blocked" }).eval();
    return { network, ...options, backbone };
  } finally {
    for (const value of tensors.values()) value.dispose();
  }
}

function chooseNetwork(shapes: ReadonlyMap<string, readonly number[]>, request: ExportRequest): Identified {
  const found = identifyNetwork(shapes, request.source);
  const differing = [
    ["--network", request.network, found.network],
    ["--embedding-size", request.embeddingSize, found.embeddingSize],
  ].find(([, given, has]) => given !== null && given !== has);
  if (differing === undefined) return found;
  const [flag, given, has] = differing;
  throw new TopofrError(
    "E_MODEL",
    `${request.source}: by its shapes it is of ${has}, ${flag} says ${given}; leave it out`,
  );
}

const sized = ({ inputSize }: Identified, { resize }: ExportRequest) => ({ size: inputSize, resize });

function stateOf(backbone: Backbone): State {
  const floats = [...backbone.stateDict()].filter(([, { dtype }]) => dtype === "float32");
  return new Map(
    floats.map(([name, value]) => [
      name,
      { shape: value.shape, values: value.toTypedArray() as Float32Array },
    ]),
  );
}

async function buildOnnx(
  backbone: Backbone,
  metadata: Record<string, string>,
  identified: Identified,
  request: ExportRequest,
): Promise<OnnxFile> {
  const { network, embeddingSize, inputSize } = identified;
  const plain = networkLayers(network, stateOf(backbone));
  const layers = request.foldBatchNorm ? foldBatchNorm(plain) : plain;
  const options: GraphOptions = { opset: request.opset, embeddingSize, inputSize, metadata };
  if (request.precision === "fp32") return float32Graph(layers, options);
  if (request.precision === "fp16") return float16Graph(layers, options);
  const { name, images } = request.calibration!;
  const pictures = await readPictures(name, images, sized(identified, request));
  const ranges = await calibrate(layers, pictures, {
    ...options,
    threads: request.threads,
    onProgress: (done, total) => request.onProgress?.("calibrating", done, total),
  });
  return int8Graph(layers, ranges, options);
}

/** @throws E_MODEL when a difference is above the limit */
async function compareAll(
  { inputSize }: Identified,
  { engine, exported }: { engine: Embed; exported: Embed },
  check: Pictures | null,
  { source, precision }: ExportRequest,
): Promise<Difference[]> {
  const random = randomPictures(RANDOM_PICTURES, inputSize);
  const parts = [slicePictures(random, 0, 1), slicePictures(random, 1, RANDOM_PICTURES - 1)];
  const byBatch: Embed = async () =>
    Float32Array.from((await Promise.all(parts.map(exported))).flatMap((rows) => [...rows]));
  const differences = [await compareEmbeddings(engine, byBatch, random, source)];
  if (check) differences.push(await compareEmbeddings(engine, exported, check, source));
  const limit = LIMITS[precision];
  const wrong = differences.find(({ largest }) => limit !== null && largest > limit);
  if (wrong)
    throw new TopofrError(
      "E_MODEL",
      `${source}: the ${precision} export's embeddings differ from the training engine's by ${wrong.largest.toExponential(1)} on ` +
        `${wrong.count} ${wrong.images}, above ${limit}; nothing was written. ` +
        (precision === "fp16"
          ? "Export with --precision fp32."
          : "Its weights may be degenerate (see topofr evaluate)."),
    );
  return differences;
}

async function writeSafetensors(
  backbone: Backbone,
  { network, ...options }: Identified,
  metadata: Record<string, string>,
  compare: (exported: Embed) => Promise<Difference[]>,
  { target, precision }: ExportRequest,
): Promise<Difference[]> {
  const state = new Map<string, Tensor>();
  const copy = createBackbone(network, options);
  try {
    noGrad(() => {
      for (const [name, value] of backbone.stateDict())
        state.set(
          name,
          precision === "fp16" && value.dtype === "float32" ? value.detach().to("float16") : value.detach(),
        );
    });
    copy.loadStateDict(state, target);
    copy.to({ memoryFormat: "blocked" }).eval();
    const differences = await compare(engineEmbed(copy));
    await saveTensors(target, state, metadata);
    return differences;
  } finally {
    copy.dispose();
    for (const value of state.values()) value.dispose();
  }
}

function fileMetadata(
  request: ExportRequest,
  { network, embeddingSize, inputSize }: Identified,
): Record<string, string> {
  return {
    network,
    embeddingSize: String(embeddingSize),
    inputSize: String(inputSize),
    precision: request.precision,
    source: basename(request.source),
    version: request.version,
    preprocessing: `RGB, (pixel - ${PIXEL_MEAN}) / ${PIXEL_SCALE}, ${inputSize}x${inputSize}, aligned by five landmarks to the ArcFace template`,
  };
}
