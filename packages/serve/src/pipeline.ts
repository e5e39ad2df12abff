// From the bytes of a picture to embeddings, for many requests at once: few pictures are decoded and searched at a time, and the faces of
// all of them are embedded together.

import { TopofrError } from "@topofr/formats";
import {
  type AlignedFace,
  type Choice,
  type Face,
  type LocatedFace,
  type Picture,
  type RecognizedFace,
  similarity,
  type Verification,
} from "@topofr/recognizer";
import { HttpError } from "./errors.js";
import type { Metrics } from "./metrics.js";
import type { Settings } from "./options.js";
import { BatchQueue, Turns } from "./queue.js";

export interface Pipeline {
  /** Faces that wait to be embedded. */
  readonly waiting: number;
  detect(picture: Uint8Array, signal: AbortSignal): Promise<{ width: number; height: number; faces: Face[] }>;
  recognize(picture: Uint8Array, choice: Choice | "all", signal: AbortSignal): Promise<RecognizedFace[]>;
  verify(
    a: Uint8Array,
    b: Uint8Array,
    options: { choice: Choice; threshold?: number | undefined },
    signal: AbortSignal,
  ): Promise<Verification>;
}

type Named = { bytes: Uint8Array; name: string };

/**
 * Every method throws `TopofrError` for what is wrong with a picture, HttpError 413 for too many pixels, 503 when too many faces wait,
 * and the signal's reason.
 */
export function createPipeline(settings: Settings, metrics: Pick<Metrics, "faces" | "batch">): Pipeline {
  const { recognizer } = settings;
  const turns = new Turns(settings.detections);
  const queue = new BatchQueue<AlignedFace, Float32Array>({
    run: (faces) => recognizer.embed(faces, { batchSize: settings.batchSize }),
    batchSize: settings.batchSize,
    waitMilliseconds: settings.batchWaitMilliseconds,
    mostWaiting: settings.mostWaiting,
    onBatch: metrics.batch,
  });

  async function read(bytes: Uint8Array): Promise<Picture> {
    try {
      return await recognizer.read(bytes);
    } catch (error) {
      // The one thing that `read` finds in a sound picture: too many pixels.
      if (error instanceof TopofrError && error.code === "E_DATA")
        throw new HttpError(413, "E_TOO_LARGE", error.message, { cause: error });
      throw error;
    }
  }

  async function locate({ bytes, name }: Named, choice: Choice | "all", signal: AbortSignal) {
    const options = choice === "all" ? { all: true } : { choice };
    const faces = await named(name, () =>
      turns.take(signal, async () => recognizer.locate(await read(bytes), options)),
    );
    metrics.faces(faces.length);
    return faces;
  }

  async function withEmbeddings(faces: LocatedFace[], signal: AbortSignal): Promise<RecognizedFace[]> {
    const embeddings = await queue.add(
      faces.map(({ aligned }) => aligned),
      signal,
    );
    return faces.map((face, k) => ({ ...face, embedding: embeddings[k]! }));
  }

  return {
    get waiting() {
      return queue.length;
    },
    detect: (bytes, signal) =>
      named("image", () =>
        turns.take(signal, async () => {
          const picture = await read(bytes);
          const faces = await recognizer.detect(picture);
          metrics.faces(faces.length);
          return { width: picture.width, height: picture.height, faces };
        }),
      ),
    async recognize(bytes, choice, signal) {
      return withEmbeddings(await locate({ bytes, name: "image" }, choice, signal), signal);
    },
    async verify(first, second, { choice, threshold = recognizer.threshold }, signal) {
      const located = await Promise.all([
        locate({ bytes: first, name: "a" }, choice, signal),
        locate({ bytes: second, name: "b" }, choice, signal),
      ]);
      const [a, b] = await withEmbeddings(located.flat(), signal);
      const alike = similarity(a!.embedding, b!.embedding);
      const same = threshold === null ? null : alike >= threshold;
      return { similarity: alike, threshold, same, a: a!, b: b! };
    },
  };
}

/** Errors say which picture is meant. */
async function named<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof TopofrError)
      throw new TopofrError(error.code, `${name}: ${error.message}`, { cause: error });
    throw error;
  }
}
