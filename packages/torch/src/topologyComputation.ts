// What the topology computations of the addon share: limits, errors, progress and cancellation. Not the computations.
import { availableParallelism } from "node:os";
import { TopofrError } from "@topofr/formats";
import type { NativeComputation, NativeLimits } from "./native.js";

/** Share of the free memory that a computation may take when no limit is given. */
const MEMORY_SHARE = 0.9;
const PROGRESS_MILLISECONDS = 200;

export interface TopologyOptions {
  /** Threads to use; all processors of this process when left out. The result does not depend on it. */
  readonly threads?: number;
  /** Bytes that the computation may take, beside its input; 90% of the free memory when left out. */
  readonly memoryLimit?: number;
  /** Ends the computation within milliseconds; the promise is then rejected with the signal's reason. */
  readonly signal?: AbortSignal;
}

export function limitsOf({ threads, memoryLimit }: TopologyOptions): NativeLimits {
  return {
    threads: threads ?? availableParallelism(),
    memoryLimit: Math.min(Math.floor(memoryLimit ?? process.availableMemory() * MEMORY_SHARE), 2 ** 52),
  };
}

/** Runs `body`, and gives what the addon throws this project's form. */
export function withErrors<T>(body: () => T): T {
  try {
    return body();
  } catch (error) {
    throw topologyError(error);
  }
}

/** Waits for a computation; `onProgress` is called a few times a second while it runs. */
export async function finished(
  start: () => NativeComputation,
  signal: AbortSignal | undefined,
  onProgress: ((stage: number, done: number, total: number) => void) | undefined,
): Promise<unknown> {
  signal?.throwIfAborted();
  const computation = withErrors(start);
  const cancel = () => computation.cancel();
  let failure: unknown;
  const report = () => {
    const [stage, done, total] = computation.progress();
    if (total === 0) return; // the input is still being read
    try {
      onProgress?.(stage, done, total);
    } catch (error) {
      failure = error; // the caller's: it ends the computation and comes out of the promise
      cancel();
    }
  };
  const timer = onProgress && setInterval(report, PROGRESS_MILLISECONDS);
  signal?.addEventListener("abort", cancel, { once: true });
  try {
    return await computation.promise;
  } catch (error) {
    if (failure !== undefined) throw failure;
    signal?.throwIfAborted();
    throw topologyError(error);
  } finally {
    clearInterval(timer);
    signal?.removeEventListener("abort", cancel);
  }
}

function topologyError(error: unknown): unknown {
  if (!(error instanceof Error) || !("code" in error)) return error;
  switch (error.code) {
    case "E_TOO_LARGE":
      return new TopofrError(
        "E_DATA",
        `${error.message}. Take fewer points, a lower dimension or threshold, or raise memoryLimit`,
        { cause: error },
      );
    case "E_USAGE":
      return new TopofrError("E_USAGE", error.message, { cause: error });
    default:
      return error;
  }
}
