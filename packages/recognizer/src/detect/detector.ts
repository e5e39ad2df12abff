// A face detector in an ONNX file: pictures of any size in, faces in the picture's pixels out. What its numbers mean: decoders.ts.
import { TopofrError } from "@topofr/formats/error";
import { CHANNELS, channelTables, fillInput, imageInput } from "../onnx/imageInput.js";
import type { Network } from "../onnx/network.js";
import { resample } from "../read/resample.js";
import type { Face, Picture } from "../types.js";
import { suppress } from "./candidates.js";
import { detectorOutputs } from "./detectorOutputs.js";

/** Longer side of the input, in pixels, where the file leaves it open. */
const OPEN_SIZE = 640;
/** Sides of an open input are multiples of the coarsest stride (of the usual three, and of five). */
const STEP = 32;

export interface Detector {
  readonly family: "YuNet" | "SCRFD";
  /** Faces of at least `minScore`, best score first; landmarks and boxes in pixels of the picture. */
  detect(picture: Picture, minScore: number): Promise<Face[]>;
  close(): Promise<void>;
}

/**
 * Runs it once on black, so that a file that is no detector fails here; the network is then closed.
 *
 * @throws E_MODEL when the network is not a YuNet or an SCRFD with landmarks
 */
export async function createDetector(network: Network): Promise<Detector> {
  try {
    return await faceDetector(network);
  } catch (error) {
    await network.close();
    throw error;
  }
}

async function faceDetector(network: Network): Promise<Detector> {
  const { name: input, batch, height, width, layouts, text } = imageInput(network);
  if (layouts[0] !== "nchw" || (batch !== null && batch !== 1))
    throw new TopofrError("E_MODEL", `${network.name}: ${text}; expected one picture, [1, 3, height, width]`);

  async function run(data: Float32Array, size: Size) {
    const shape = [1, CHANNELS, size.height, size.width];
    const outputs = await network.run({ name: input, data, shape }, network.outputNames);
    return detectorOutputs(network.name, network.outputNames, outputs, size);
  }

  const first = { width: width ?? OPEN_SIZE, height: height ?? OPEN_SIZE };
  const { decoder } = await run(new Float32Array(CHANNELS * first.width * first.height), first);
  const tables = channelTables(decoder.pixels);
  return {
    family: decoder.name,
    async detect(picture, minScore) {
      const { scale, size, placed } = letterbox(picture, { width, height });
      const data = new Float32Array(CHANNELS * size.width * size.height);
      fillInput(data, placed, { ...size, layout: "nchw", tables, mirror: false });
      const { levels } = await run(data, size);
      const faces: Face[] = [];
      for (const level of levels) decoder.decode(level, minScore, faces);
      return suppress(faces.filter(isSound), decoder.overlap).map((face) => scaled(face, scale));
    },
    close: () => network.close(),
  };
}

interface Size {
  width: number;
  height: number;
}

/**
 * The picture in the upper left corner of the input, black beside it: scaled until it fills a side where the file states the sides;
 * where it leaves them open, only shrunk, to OPEN_SIZE.
 */
function letterbox(picture: Picture, input: { width: number | null; height: number | null }) {
  const [width, height] = [input.width ?? OPEN_SIZE, input.height ?? OPEN_SIZE];
  const most = input.width === null || input.height === null ? 1 : Number.POSITIVE_INFINITY;
  const scale = Math.min(most, width / picture.width, height / picture.height);
  const side = (length: number, room: number) => Math.min(room, Math.max(1, Math.round(length * scale)));
  const fitted = resample(picture, side(picture.width, width), side(picture.height, height));
  const padded = (length: number) => Math.ceil(length / STEP) * STEP;
  const size = { width: input.width ?? padded(fitted.width), height: input.height ?? padded(fitted.height) };
  const placed = new Uint8Array(CHANNELS * size.width * size.height);
  const line = CHANNELS * fitted.width;
  for (let y = 0; y < fitted.height; y++)
    placed.set(fitted.pixels.subarray(y * line, (y + 1) * line), y * CHANNELS * size.width);
  // A side is rounded to whole pixels, so each has its own scale.
  return { scale: { x: fitted.width / picture.width, y: fitted.height / picture.height }, size, placed };
}

function scaled({ box, landmarks, score }: Face, scale: { x: number; y: number }): Face {
  return {
    box: {
      x: box.x / scale.x,
      y: box.y / scale.y,
      width: box.width / scale.x,
      height: box.height / scale.y,
    },
    landmarks: landmarks.map((value, i) => value / (i % 2 === 0 ? scale.x : scale.y)),
    score,
  };
}

const isSound = ({ box, landmarks }: Face): boolean =>
  Object.values(box).every(Number.isFinite) && landmarks.every(Number.isFinite);
