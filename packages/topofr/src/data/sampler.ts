// Which samples form which batch: a seeded permutation per epoch, cut into batches, shared between machines. A pure function
// of (seed, epoch, step, rank), so a position is all that a checkpoint keeps. Decodes nothing: loader.ts.
import { TopofrError } from "@topofr/formats";
import { RandomStream } from "../random/stream.js";

/** A place in training: `step` counts batches from the start of `epoch`; both start at 0. */
export interface SamplerPosition {
  epoch: number;
  step: number;
}

export interface EpochSamplerOptions {
  /** Number of samples in the data set. */
  sampleCount: number;
  /** Samples per step of this machine. */
  batchSize: number;
  seed: number;
  /** Leave out the samples that do not fill the epoch's last batch (as the paper's training does). Default true. */
  dropLast?: boolean;
  /** Which machine this is, 0 .. worldSize - 1. Default 0. */
  rank?: number;
  /** How many machines train together. Default 1. */
  worldSize?: number;
}

/**
 * Step s of an epoch takes the next `batchSize * worldSize` samples of that epoch's permutation, and rank r its r-th
 * `batchSize` of them: ranks never share a sample, and N machines see in a step what one machine with an N times larger
 * batch sees. Every sample comes once per epoch, except what `dropLast` leaves out and, without it, at most
 * worldSize - 1 samples that cannot be shared out evenly (every rank must do the same steps and shapes).
 */
export class EpochSampler {
  readonly batchSize: number;
  readonly stepsPerEpoch: number;
  readonly #seed: number;
  readonly #sampleCount: number;
  readonly #rank: number;
  readonly #worldSize: number;
  #position: SamplerPosition = { epoch: 0, step: 0 };
  #order: { epoch: number; indices: Uint32Array } | undefined;

  /** @throws E_USAGE for options out of range; E_DATA when the samples do not fill a single batch */
  constructor(options: EpochSamplerOptions) {
    const { sampleCount, batchSize, seed, dropLast = true, rank = 0, worldSize = 1 } = options;
    requireInteger("batchSize", batchSize, 1);
    requireInteger("sampleCount", sampleCount, 0, 2 ** 32);
    requireInteger("worldSize", worldSize, 1);
    requireInteger("rank", rank, 0, worldSize);
    requireInteger("seed", seed, Number.MIN_SAFE_INTEGER);
    const globalBatch = batchSize * worldSize;
    const remainder = dropLast ? 0 : Math.floor((sampleCount % globalBatch) / worldSize);
    this.stepsPerEpoch = Math.floor(sampleCount / globalBatch) + (remainder > 0 ? 1 : 0);
    if (this.stepsPerEpoch === 0) {
      const machines = worldSize > 1 ? ` on each of ${worldSize} machines` : "";
      throw new TopofrError(
        "E_DATA",
        `${sampleCount} samples do not fill one batch of ${batchSize}${machines}; ` +
          "use a smaller batch, or more images",
      );
    }
    this.batchSize = batchSize;
    this.#seed = seed;
    this.#sampleCount = sampleCount;
    this.#rank = rank;
    this.#worldSize = worldSize;
  }

  /** The first batch not yet delivered: what a checkpoint stores, and what a resumed run sets. */
  get position(): SamplerPosition {
    return { ...this.#position };
  }

  set position({ epoch, step }: SamplerPosition) {
    requireInteger("position.epoch", epoch, 0);
    requireInteger("position.step", step, 0, this.stepsPerEpoch + 1);
    this.#position = step === this.stepsPerEpoch ? { epoch: epoch + 1, step: 0 } : { epoch, step };
  }

  /** The position that follows `position`. */
  after({ epoch, step }: SamplerPosition): SamplerPosition {
    return step + 1 < this.stepsPerEpoch ? { epoch, step: step + 1 } : { epoch: epoch + 1, step: 0 };
  }

  /** Sample indices of this rank's batch at a position: `batchSize` of them, or fewer in a kept last batch. */
  indicesAt({ epoch, step }: SamplerPosition): Uint32Array {
    requireInteger("step", step, 0, this.stepsPerEpoch);
    const order = this.#orderOf(epoch);
    const start = step * this.batchSize * this.#worldSize;
    const share = Math.min(this.batchSize, Math.floor((this.#sampleCount - start) / this.#worldSize));
    return order.slice(start + this.#rank * share, start + (this.#rank + 1) * share);
  }

  #orderOf(epoch: number): Uint32Array {
    if (this.#order?.epoch !== epoch) {
      const stream = new RandomStream(this.#seed, `sampler, epoch ${epoch}`);
      this.#order = { epoch, indices: stream.permutation(this.#sampleCount) };
    }
    return this.#order.indices;
  }
}

function requireInteger(name: string, value: number, low: number, end = Number.POSITIVE_INFINITY): void {
  if (Number.isSafeInteger(value) && value >= low && value < end) return;
  const range = end === Number.POSITIVE_INFINITY ? `>= ${low}` : `of ${low} .. ${end - 1}`;
  throw new TopofrError("E_USAGE", `sampler: ${name} is ${value}, expected a whole number ${range}`);
}
