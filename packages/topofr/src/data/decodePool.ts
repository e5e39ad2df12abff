// Decode workers and the memory they write into: a ring of slots, one batch each, shared by all threads. Knows nothing of
// order, labels or what to do about bad images: batchRing.ts and loader.ts.
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { TopofrError } from "@topofr/formats";
import "sharp"; // also in the main thread, or its native library is unloaded under a worker that ends
import type { DecodeProblem, ResizePolicy } from "./decodeImage.js";
import type { DecodeReply, DecodeRequest, WorkerSetup } from "./decodeWorker.js";
import { type ImageSource, sourceName } from "./imageSource.js";

const LIST_LIMIT = 32; // images a message; large enough that messages cost nothing, small enough to share a batch
const STOP_PATIENCE_MS = 5000;

/** Workers decode in libuv's threads, four unless UV_THREADPOOL_SIZE says otherwise: more workers would wait for those. */
const MOST_WORKERS = 4;

export interface DecodePoolOptions {
  /** Height and width of every image, in pixels. */
  size: number;
  /** Images a slot has room for. */
  slotImages: number;
  slots: number;
  /** Worker threads. Default: a quarter of the cores, at least 1, at most 4. */
  workers?: number;
  /** Default "error". */
  resize?: ResizePolicy;
}

export interface DecodeItem {
  source: ImageSource;
  /** Mirror left to right. Default false. */
  flip?: boolean;
}

/** An image that did not decode; `item` is its index in the list given to `decode`. */
export type DecodeFailure = DecodeProblem & { item: number };

interface Lane {
  worker: Worker;
  /** Images sent and not yet answered for. */
  load: number;
  requests: Map<number, Pending>;
}

interface Pending {
  items: DecodeRequest["items"];
  /** Index of the request's first image in the list given to `decode`. */
  first: number;
  resolve: (failures: DecodeFailure[]) => void;
  reject: (error: Error) => void;
}

export class DecodePool {
  /** The threads; they keep the process alive only while they have work. */
  readonly workers: readonly Worker[];
  readonly #lanes: Lane[];
  readonly #memory: SharedArrayBuffer;
  readonly #size: number;
  readonly #slotImages: number;
  #nextId = 0;
  #failure: Error | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: DecodePoolOptions) {
    const { size, slotImages, slots, resize = "error", workers = defaultWorkers() } = options;
    for (const [name, value] of Object.entries({ size, slotImages, slots, workers })) {
      if (Number.isSafeInteger(value) && value >= 1) continue;
      throw new TopofrError("E_USAGE", `image decoding: ${name} is ${value}, expected a whole number >= 1`);
    }
    this.#size = size;
    this.#slotImages = slotImages;
    this.#memory = new SharedArrayBuffer(slots * slotImages * size * size * 3);
    const workerData: WorkerSetup = { memory: this.#memory, size, resize };
    this.#lanes = Array.from({ length: workers }, () => this.#startLane(workerData));
    this.workers = this.#lanes.map(({ worker }) => worker);
  }

  get closed(): boolean {
    return this.#closing !== undefined;
  }

  /** The first `count` images of a slot: [count, size, size, 3], a view of the shared memory. */
  images(slot: number, count: number): Uint8Array {
    const imageBytes = this.#size * this.#size * 3;
    return new Uint8Array(this.#memory, slot * this.#slotImages * imageBytes, count * imageBytes);
  }

  /**
   * Decodes images into a slot, the first at image `position`. Resolves when all are done, with those that failed in
   * ascending order; their pixels are left as they were. Rejects when a worker dies or the pool closes.
   */
  async decode(slot: number, items: readonly DecodeItem[], position = 0): Promise<DecodeFailure[]> {
    const base = slot * this.#slotImages + position;
    const listLength = Math.min(LIST_LIMIT, Math.ceil(items.length / this.#lanes.length));
    const lists: Promise<DecodeFailure[]>[] = [];
    for (let first = 0; first < items.length; first += listLength) {
      const list = items.slice(first, first + listLength);
      const targets = list.map(({ source, flip = false }, i) => ({ source, flip, target: base + first + i }));
      lists.push(this.#send(targets, first));
    }
    return (await Promise.all(lists)).flat();
  }

  /** Ends the threads after the image each is at; pending work rejects. Safe to call again. */
  close(): Promise<void> {
    this.#closing ??= this.#stop();
    return this.#closing;
  }

  #startLane(workerData: WorkerSetup): Lane {
    // No execArgv: flags such as --input-type or --inspect are meant for the process, and would stop the thread.
    const worker = new Worker(new URL("./decodeWorker.js", import.meta.url), { workerData, execArgv: [] });
    const lane: Lane = { worker, load: 0, requests: new Map() };
    worker.unref();
    worker.on("message", (reply: DecodeReply) => this.#settle(lane, reply));
    worker.on("error", (error) => this.#lose(lane, error.message, error));
    worker.on("exit", (code) => this.#lose(lane, `exit code ${code}`));
    return lane;
  }

  #send(items: DecodeRequest["items"], first: number): Promise<DecodeFailure[]> {
    if (this.#failure || this.#closing) return Promise.reject(this.#failure ?? closedError());
    const lane = this.#lanes.reduce((best, other) => (other.load < best.load ? other : best));
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      lane.requests.set(id, { items, first, resolve, reject });
      lane.load += items.length;
      lane.worker.ref();
      lane.worker.postMessage({ id, items } satisfies DecodeRequest);
    });
  }

  #settle(lane: Lane, { id, problems }: DecodeReply): void {
    const pending = lane.requests.get(id);
    if (!pending) return;
    lane.requests.delete(id);
    lane.load -= pending.items.length;
    if (lane.requests.size === 0) lane.worker.unref();
    pending.resolve(problems.map((problem) => ({ ...problem, item: problem.item + pending.first })));
  }

  #lose(lane: Lane, reason: string, cause?: Error): void {
    if (this.#closing || this.#failure) return;
    const [pending] = lane.requests.values();
    const at = pending
      ? ` while decoding ${sourceName(pending.items[0]!.source)} and ${pending.items.length - 1} more`
      : "";
    this.#failure = new TopofrError("E_DATA", `a decode worker died${at}: ${reason}`, { cause });
    this.#rejectAll(this.#failure);
  }

  #rejectAll(error: Error): void {
    for (const lane of this.#lanes) {
      for (const pending of lane.requests.values()) pending.reject(error);
      lane.requests.clear();
      lane.load = 0;
    }
  }

  async #stop(): Promise<void> {
    this.#rejectAll(closedError());
    await Promise.all(this.workers.map(stopWorker));
  }
}

/** Asks first: ending a thread in the middle of native work is the last resort. */
async function stopWorker(worker: Worker): Promise<void> {
  if (worker.threadId === -1) return; // it has ended already
  worker.ref();
  const ended = new Promise((resolve) => worker.once("exit", resolve)); // events.once would throw at an "error"
  worker.postMessage("stop");
  const patience = setTimeout(() => void worker.terminate(), STOP_PATIENCE_MS);
  await ended;
  clearTimeout(patience);
}

function defaultWorkers(): number {
  return Math.max(1, Math.min(MOST_WORKERS, Math.floor(availableParallelism() / 4)));
}

function closedError(): TopofrError {
  return new TopofrError("E_USAGE", "image decoding: the loader was closed");
}
