import fc from "fast-check";
import { expect, test } from "vitest";
import { BatchQueue, Turns } from "./queue.js";
import { soon } from "./serve.test.support.js";

const never = new AbortController().signal;

test("every item gets its own result, whatever comes when, in batches no larger than asked", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.integer(), { maxLength: 5 }), { maxLength: 8 }),
      fc.integer({ min: 1, max: 6 }),
      async (groups, batchSize) => {
        const sizes: number[] = [];
        const queue = new BatchQueue<number, number>({
          ...{ batchSize, waitMilliseconds: 0, mostWaiting: 1000 },
          onBatch: (size) => sizes.push(size),
          async run(items) {
            await Promise.resolve();
            return items.map((item) => 2 * item);
          },
        });
        const results = await Promise.all(groups.map((group) => queue.add(group, never)));
        expect(results).toEqual(groups.map((group) => group.map((item) => 2 * item)));
        expect(Math.max(0, ...sizes)).toBeLessThanOrEqual(batchSize);
        expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(groups.flat().length);
        expect(queue.length).toBe(0);
      },
    ),
    { seed: 7, numRuns: 50 },
  );
});

test("a failed batch fails its own items, and the next ones go on", async () => {
  const queue = new BatchQueue<number, number>({
    ...{ batchSize: 2, waitMilliseconds: 0, mostWaiting: 100 },
    run: async (items) => {
      if (items.includes(1)) throw new Error("broken");
      return items;
    },
  });
  const results = await Promise.allSettled([queue.add([1, 2], never), queue.add([3], never)]);
  expect(results.map(({ status }) => status)).toEqual(["rejected", "fulfilled"]);
});

test("one picture with more faces than may wait is taken when nothing else waits", async () => {
  const queue = new BatchQueue<number, number>({
    ...{ batchSize: 2, waitMilliseconds: 0, mostWaiting: 2 },
    run: async (items) => items,
  });
  const many = queue.add([1, 2, 3, 4, 5], never);
  await expect(queue.add([6], never)).rejects.toMatchObject({ statusCode: 503 });
  expect(await many).toEqual([1, 2, 3, 4, 5]);
});

test("turns go round in the order in which they were asked for, and a failure gives its turn back", async () => {
  const turns = new Turns(2);
  const order: number[] = [];
  let busy = 0;
  const work = (k: number) =>
    turns.take(never, async () => {
      expect(++busy).toBeLessThanOrEqual(2);
      order.push(k);
      await soon(1);
      busy--;
      if (k === 1) throw new Error("broken");
      return k;
    });
  const results = await Promise.allSettled([0, 1, 2, 3, 4].map(work));
  expect(results.map(({ status }) => status === "fulfilled")).toEqual([true, false, true, true, true]);
  expect(order).toEqual([0, 1, 2, 3, 4]);
  await expect(turns.take(AbortSignal.abort(new Error("gone")), async () => 1)).rejects.toThrow("gone");
  expect(await turns.take(never, async () => 2)).toBe(2);
});
