// The ranges of a network's maps on images, for 8-bit integers. Runs the float32 graph with all those maps as outputs.
import { encodeOnnx, TopofrError } from "@topofr/formats";
import { loadRuntime } from "@topofr/recognizer";
import { float32Graph } from "./floatGraph.js";
import type { GraphOptions } from "./graphWriter.js";
import { quantizedValues, type Ranges } from "./int8Graph.js";
import { IMAGES, type Layer } from "./layerGraph.js";
import { imageBatches, type Pictures } from "./pictures.js";

const BATCH = 4; // every map of every image of a batch is in memory

/**
 * The smallest and the largest value of each map on all images. (The mean over the images of each one's extremes is finer for most
 * images, but cuts unusual ones off: on a trained MobileFaceNet one image in 32 came to another embedding altogether.)
 *
 * @throws E_MODEL when a map holds NaN or infinity
 */
export async function calibrate(
  layers: readonly Layer[],
  pictures: Pictures,
  options: GraphOptions & { threads: number | null; onProgress?(done: number, total: number): void },
): Promise<Ranges> {
  const { threads, onProgress } = options;
  const names = quantizedValues(layers);
  const maps = names.filter((name) => name !== IMAGES);
  const runtime = await loadRuntime();
  const session = await runtime.InferenceSession.create(encodeOnnx(float32Graph(layers, options, maps)), {
    logSeverityLevel: 3, // errors
    ...(threads !== null && { intraOpNumThreads: threads }),
  });
  const ranges = new Map(names.map((name) => [name, [0, 0] as [low: number, high: number]]));
  try {
    for (const { values, shape, start } of imageBatches(pictures, BATCH)) {
      const images = new runtime.Tensor("float32", values, shape);
      const found = await session.run({ [IMAGES]: images }, maps);
      for (const name of names) widen(ranges.get(name)!, (found[name] ?? images).data as Float32Array, name);
      for (const name of maps) found[name]!.dispose();
      onProgress?.(start + shape[0]!, pictures.count);
    }
  } finally {
    await session.release();
  }
  return ranges;
}

/** @throws E_MODEL for NaN or infinity */
function widen(range: [low: number, high: number], values: Float32Array, name: string): void {
  for (const value of values) {
    if (value < range[0]) range[0] = value;
    if (value > range[1]) range[1] = value;
    if (!Number.isFinite(value)) throw new TopofrError("E_MODEL", `the map of ${name} holds NaN or infinity`);
  }
}
