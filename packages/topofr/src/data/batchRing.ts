// Decodes batches ahead of their use and hands them out in order, in bounded memory. What a batch is and what becomes of its
// bad images is the caller's: loader.ts.
import { setImmediate } from "node:timers/promises";
import { TopofrError } from "@topofr/formats";
import type { DecodePool } from "./decodePool.js";

export interface RingBatch<Plan, Result> {
  plan: Plan;
  result: Result;
  /** Which slot of the pool holds the pixels. */
  slot: number;
  /** Gives the slot back. */
  release(): void;
}

/**
 * Runs `decode` for the plans in order, as many at once as there are free slots, and yields each when its turn comes. A slot
 * is in use from the start of its decoding to `release()`. An error is thrown at the turn of the batch that has it. The
 * pool is closed at the end, whatever the end is: after the last plan, on an error, or when the consumer leaves.
 *
 * @throws E_USAGE when the consumer asks for a batch while it holds all slots
 */
export async function* decodeInOrder<Plan, Result>(
  pool: DecodePool,
  slots: number,
  plans: Iterator<Plan>,
  decode: (slot: number, plan: Plan) => Promise<Result>,
): AsyncGenerator<RingBatch<Plan, Result>, void, undefined> {
  const free = Array.from({ length: slots }, (_, slot) => slot);
  const ahead: { plan: Plan; slot: number; result: Promise<Result> }[] = [];
  let exhausted = false;

  const fill = () => {
    while (free.length > 0 && !exhausted && !pool.closed) {
      const next = plans.next();
      if (next.done) {
        exhausted = true;
        return;
      }
      const slot = free.shift()!;
      const result = decode(slot, next.value);
      result.catch(() => undefined); // it is thrown when its turn comes; until then it is not "unhandled"
      ahead.push({ plan: next.value, slot, result });
    }
  };

  try {
    for (;;) {
      fill();
      const batch = ahead.shift();
      if (pool.closed || (!batch && exhausted)) return;
      if (!batch) {
        throw new TopofrError(
          "E_USAGE",
          `image loader: all ${slots} batches are held by the caller; call batch.release() after use, ` +
            "or raise prefetch",
        );
      }
      await setImmediate(); // let workers' messages and signals in, even when every batch is ready in time
      const result = await batch.result;
      let held = true;
      yield {
        plan: batch.plan,
        result,
        slot: batch.slot,
        release: () => {
          if (!held) return;
          held = false;
          free.push(batch.slot);
          fill();
        },
      };
    }
  } catch (error) {
    if (!pool.closed) throw error; // closed by its owner: the iteration just ends
  } finally {
    await pool.close();
  }
}
