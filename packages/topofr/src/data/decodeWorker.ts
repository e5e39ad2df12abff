// The thread that decodes: takes lists of images from decodePool.ts, writes pixels into the memory it shares with the pool,
// answers with what went wrong. It holds no state between lists and decides nothing about bad images.
import { parentPort, workerData } from "node:worker_threads";
import { type DecodeProblem, decodeImage, type ResizePolicy } from "./decodeImage.js";
import type { ImageSource } from "./imageSource.js";

export interface WorkerSetup {
  /** All slots of the pool, back to back; image i starts at byte i * size * size * 3. */
  memory: SharedArrayBuffer;
  /** Height and width in pixels. */
  size: number;
  resize: ResizePolicy;
}

export interface DecodeRequest {
  id: number;
  /** `target` is the image's place in the memory; `flip` mirrors it left to right. */
  items: { source: ImageSource; target: number; flip: boolean }[];
}

export interface DecodeReply {
  id: number;
  /** `item` is an index into the request's items. */
  problems: (DecodeProblem & { item: number })[];
}

if (parentPort) serve(parentPort, workerData as WorkerSetup);

function serve(port: NonNullable<typeof parentPort>, { memory, size, resize }: WorkerSetup): void {
  const pixels = new Uint8Array(memory);
  const imageBytes = size * size * 3;
  let stopping = false;
  let turn = Promise.resolve(); // one list after another, one image after another

  port.on("message", (message: DecodeRequest | "stop") => {
    if (message === "stop") {
      stopping = true;
      turn = turn.then(() => port.close());
    } else {
      turn = turn.then(() => decode(message));
    }
  });

  async function decode({ id, items }: DecodeRequest): Promise<void> {
    const problems: DecodeReply["problems"] = [];
    for (const [item, { source, target, flip }] of items.entries()) {
      if (stopping) return;
      const image = await decodeImage(source, size, resize);
      if (!(image instanceof Uint8Array)) problems.push({ ...image, item });
      else if (flip) mirrorInto(pixels, target * imageBytes, image, size);
      else pixels.set(image, target * imageBytes);
    }
    port.postMessage({ id, problems } satisfies DecodeReply);
  }
}

/** Copies an RGB image [size, size, 3] into `target` at `offset`, each row reversed. */
function mirrorInto(target: Uint8Array, offset: number, image: Uint8Array, size: number): void {
  const rowBytes = size * 3;
  for (let row = 0; row < size; row++) {
    let from = row * rowBytes;
    for (let to = offset + from + rowBytes - 3; to >= offset + row * rowBytes; to -= 3, from += 3) {
      target[to] = image[from]!;
      target[to + 1] = image[from + 1]!;
      target[to + 2] = image[from + 2]!;
    }
  }
}
