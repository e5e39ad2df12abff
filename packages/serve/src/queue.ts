// Waiting for the processor: faces of concurrent requests are embedded together, and what would wait too long is refused at once.
// Generic in what is embedded; the network is a function.

import { HttpError } from "./errors.js";

export interface BatchQueueOptions<In, Out> {
  /** One result for each item, in order. */
  run(items: In[]): Promise<Out[]>;
  /** Items of one call of `run`. */
  batchSize: number;
  /** How long the first item waits for others while nothing runs. */
  waitMilliseconds: number;
  /** Items that may wait; more are refused with 503. */
  mostWaiting: number;
  /** Told the size of each batch. */
  onBatch?(size: number): void;
}

interface Waiting<In, Out> {
  item: In;
  signal: AbortSignal;
  resolve(result: Out): void;
  reject(reason: unknown): void;
}

/**
 * Batches run one after the other: the network uses all cores. While one runs, what comes waits and is the next batch, so the
 * batches grow with the load by themselves.
 */
export class BatchQueue<In, Out> {
  readonly #options: BatchQueueOptions<In, Out>;
  #waiting: Waiting<In, Out>[] = [];
  #running = false;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: BatchQueueOptions<In, Out>) {
    this.#options = options;
  }

  /** Items that wait and do not run yet. */
  get length(): number {
    return this.#waiting.length;
  }

  /**
   * Results of `items`, in order. What its client no longer waits for (`signal`) is dropped.
   *
   * @throws HttpError 503 E_BUSY when the queue is full; what `run` throws; the signal's reason
   */
  async add(items: readonly In[], signal: AbortSignal): Promise<Out[]> {
    signal.throwIfAborted();
    const { mostWaiting, batchSize, waitMilliseconds } = this.#options;
    if (this.#waiting.length + items.length > mostWaiting && this.#waiting.length > 0)
      throw new HttpError(503, "E_BUSY", `${this.#waiting.length} faces wait already; try again later`);
    const results = items.map(
      (item) => new Promise<Out>((resolve, reject) => this.#waiting.push({ item, signal, resolve, reject })),
    );
    if (!this.#running) {
      if (this.#waiting.length >= batchSize) this.#next();
      else this.#timer ??= setTimeout(() => this.#next(), waitMilliseconds);
    }
    return Promise.all(results);
  }

  #next(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    for (const gone of this.#waiting.filter(({ signal }) => signal.aborted)) gone.reject(gone.signal.reason);
    this.#waiting = this.#waiting.filter(({ signal }) => !signal.aborted);
    const batch = this.#waiting.splice(0, this.#options.batchSize);
    if (batch.length === 0) return;
    this.#running = true;
    this.#options.onBatch?.(batch.length);
    this.#options
      .run(batch.map(({ item }) => item))
      .then(
        (results) => {
          for (const [k, { resolve }] of batch.entries()) resolve(results[k]!);
        },
        (error) => {
          for (const { reject } of batch) reject(error);
        },
      )
      .finally(() => {
        this.#running = false;
        this.#next();
      });
  }
}

/** At most `most` calls at a time, in the order in which they came. */
export class Turns {
  readonly #most: number;
  readonly #waiting: (() => void)[] = [];
  #busy = 0;

  constructor(most: number) {
    this.#most = most;
  }

  async take<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    if (this.#busy < this.#most) this.#busy++;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve)); // the turn is handed over
    try {
      signal.throwIfAborted();
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#busy--;
    }
  }
}
