import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { FaceDataset } from "./dataset.js";
import { DecodePool } from "./decodePool.js";
import { imageFile } from "./imageSource.js";
import {
  mirrored,
  pattern,
  picture,
  sourcesOf,
  TEST_SIZE,
  temporaryFolder,
  truncate,
  write,
  writeDataset,
} from "./images.test.support.js";
import { type Batch, BatchLoader, type BatchLoaderOptions, loadImages } from "./loader.js";
import { EpochSampler } from "./sampler.js";

const IMAGE_BYTES = TEST_SIZE ** 2 * 3;
const folder = temporaryFolder();
let dataset: FaceDataset;
let sampler: EpochSampler;
beforeAll(async () => {
  dataset = await writeDataset(folder.path, 6, 9);
});
afterAll(() => folder.remove());
beforeEach(() => {
  sampler = new EpochSampler({ sampleCount: dataset.labels.length, batchSize: 8, seed: 1 });
});

const loaderOf = (options: Partial<BatchLoaderOptions> = {}, data = dataset) =>
  new BatchLoader(data, { sampler, seed: 1, size: TEST_SIZE, workers: 1, ...options });

/** A batch without its memory: what the tests compare. */
const copy = ({ release, images, ...rest }: Batch) => {
  const copied = { ...rest, images: images.slice() };
  release();
  return copied;
};

async function collect(loader: BatchLoader): Promise<ReturnType<typeof copy>[]> {
  const batches = [];
  for await (const batch of loader) batches.push(copy(batch));
  return batches;
}

/** The data set with damaged copies in the place of some samples. */
function damaged(bad: number[]): FaceDataset {
  const path = write(join(folder.path, "damaged.jpg"), "not an image");
  return {
    ...dataset,
    source: (index) => (bad.includes(index) ? imageFile(path) : dataset.source(index)),
  };
}

test("batches hold the sampler's samples in order: pixels, labels, indices; about half of them mirrored", async () => {
  const batches = await collect(loaderOf({ epochs: 3 }));
  expect(batches.map(({ epoch, step }) => [epoch, step])).toEqual(
    [0, 1, 2].flatMap((epoch) => [0, 1, 2, 3, 4, 5].map((step) => [epoch, step])),
  );
  let flips = 0;
  for (const { epoch, step, indices, labels, images } of batches) {
    expect(indices).toEqual(sampler.indicesAt({ epoch, step }));
    indices.forEach((index, i) => {
      expect(labels[i]).toBe(BigInt(dataset.labels[index]!));
      const pixels = images.subarray(i * IMAGE_BYTES, (i + 1) * IMAGE_BYTES);
      const flipped = pixels[1] !== 0; // green grows from the left in `pattern`
      expect(pixels).toEqual(flipped ? mirrored(pattern(index)) : pattern(index));
      if (flipped) flips++;
    });
  }
  expect(Math.abs(flips / (18 * 8) - 0.5)).toBeLessThan(0.2); // 4.8 standard deviations
});

test("one worker and three, shallow and deep prefetch, give equal batches", async () => {
  const one = await collect(loaderOf({ epochs: 2, prefetch: 1 }));
  sampler.position = { epoch: 0, step: 0 };
  const three = await collect(loaderOf({ epochs: 2, workers: 3, prefetch: 6 }));
  expect(three).toEqual(one);
});

test("a run resumed in the middle of an epoch goes on exactly as the uninterrupted one", async () => {
  const whole = await collect(loaderOf({ epochs: 2 }));
  sampler.position = { epoch: 0, step: 0 };
  const first = [];
  for await (const batch of loaderOf({ epochs: 2, workers: 2 })) {
    first.push(copy(batch));
    if (first.length === 4) break;
  }
  const saved = JSON.parse(JSON.stringify(sampler.position)) as typeof sampler.position;
  expect(saved).toEqual({ epoch: 0, step: 4 });
  const resumed = new EpochSampler({ sampleCount: dataset.labels.length, batchSize: 8, seed: 1 });
  resumed.position = saved;
  const rest = await collect(loaderOf({ sampler: resumed, epochs: 2 }));
  expect([...first, ...rest]).toEqual(whole);
});

test("a loader left by break can be iterated again and goes on; without epochs it ends with the epoch", async () => {
  const loader = loaderOf();
  for await (const batch of loader) {
    batch.release();
    break;
  }
  expect((await collect(loader)).map(({ step }) => step)).toEqual([1, 2, 3, 4, 5]);
  expect((await collect(loader)).map(({ epoch }) => epoch)).toEqual([1, 1, 1, 1, 1, 1]);
});

test("a kept last batch is smaller, and every sample of the epoch comes once", async () => {
  sampler = new EpochSampler({ sampleCount: dataset.labels.length, batchSize: 8, seed: 1, dropLast: false });
  const batches = await collect(loaderOf({ workers: 2 }));
  expect(batches.at(-1)!.images).toHaveLength(6 * IMAGE_BYTES);
  expect(batches.flatMap(({ indices }) => [...indices]).sort((a, b) => a - b)).toEqual([
    ...dataset.labels.keys(),
  ]);
});

test("an unreadable image is replaced by the next readable sample, counted, and reported once", async () => {
  const bad = [3, 4, 53];
  const reports: string[] = [];
  const loader = loaderOf(
    { epochs: 3, workers: 2, onBadImage: (path, reason) => reports.push(`${path}: ${reason}`) },
    damaged(bad),
  );
  const batches = await collect(loader);
  const replacement = (index: number) => (index === 3 || index === 4 ? 5 : index === 53 ? 0 : index);
  for (const { epoch, step, indices, labels, images } of batches) {
    expect(indices).toEqual(sampler.indicesAt({ epoch, step }).map(replacement));
    indices.forEach((index, i) => {
      expect(images[i * IMAGE_BYTES]).toBe(index);
      expect(labels[i]).toBe(BigInt(dataset.labels[index]!));
    });
  }
  expect(reports).toHaveLength(3);
  expect(reports[0]).toMatch(/damaged\.jpg: .*unsupported image format/);
  expect(loader.badImageCount).toBe(3);
  sampler.position = { epoch: 0, step: 0 };
  expect(await collect(loaderOf({ epochs: 3, prefetch: 1 }, damaged(bad)))).toEqual(batches);
});

test('with badImages "fail" the first unreadable image stops the loop with its path, at its own turn', async () => {
  const index = sampler.indicesAt({ epoch: 0, step: 3 })[2]!;
  const steps: number[] = [];
  const run = async () => {
    for await (const batch of loaderOf({ badImages: "fail", workers: 2 }, damaged([index])))
      steps.push(copy(batch).step);
  };
  await expect(run()).rejects.toMatchObject({
    code: "E_DATA",
    message: /damaged\.jpg: the image cannot be read \(.+\)/,
  });
  expect(steps).toEqual([0, 1, 2]);
});

test("more than 100 and more than a tenth unreadable stops the loop", async () => {
  const bad = [...dataset.labels.keys()].filter((i) => i % 4 === 0);
  let samples = 0;
  const run = async () => {
    for await (const batch of loaderOf({ epochs: 100, workers: 2 }, damaged(bad)))
      samples += copy(batch).indices.length;
  };
  await expect(run()).rejects.toMatchObject({
    code: "E_DATA",
    message: /10[1-8] of \d+ samples could not be read/,
  });
  expect(samples).toBeGreaterThan(300); // 14 of 54 are bad, so about 390
});

test("a data set without any readable image stops at once instead of searching for ever", async () => {
  const none = damaged([...dataset.labels.keys()]);
  await expect(collect(loaderOf({}, none))).rejects.toThrow(/54 images in a row cannot be read/);
});

test("a wrong size names file, sizes and remedy, whatever the policy for bad images; fit accepts it", async () => {
  const large = write(join(folder.path, "large.png"), await picture(pattern(9, 20), 20).png().toBuffer());
  const unaligned = { ...dataset, source: () => imageFile(large) };
  const message = /large\.png: the image has 20x20 pixels, expected 16x16; align .*resize "fit"/;
  await expect(collect(loaderOf({ badImages: "skip" }, unaligned))).rejects.toMatchObject({
    code: "E_DATA",
    message,
  });
  const batches = await collect(loaderOf({ resize: "fit" }, unaligned));
  expect(batches).toHaveLength(6);
  expect(batches[0]!.images[0]).toBe(9);
});

test("a caller that keeps every batch gets an error instead of a wait for ever", async () => {
  const run = async () => {
    const held = [];
    for await (const batch of loaderOf({ prefetch: 2 })) held.push(batch);
  };
  await expect(run()).rejects.toMatchObject({ code: "E_USAGE", message: /all 3 batches are held.*release/ });
});

test("held batches keep their pixels while others are decoded", async () => {
  const expected = await collect(loaderOf());
  sampler.position = { epoch: 0, step: 0 };
  let first: Batch | undefined;
  for await (const batch of loaderOf({ prefetch: 1 })) {
    first ??= batch;
    if (batch !== first) batch.release();
  }
  expect(first!.images.slice()).toEqual(expected[0]!.images);
});

test("close() ends a running iteration; a loader cannot be iterated twice at once", async () => {
  const loader = loaderOf({ epochs: 1000 });
  let batches = 0;
  for await (const batch of loader) {
    batch.release();
    if (++batches === 3) {
      await expect(loader[Symbol.asyncIterator]().next()).rejects.toThrow(/being iterated already/);
      await loader.close();
    }
  }
  expect(batches).toBe(3);
});

test("a label outside the classes of the head is refused when the loader is made", () => {
  expect(() => loaderOf({ classCount: 5 })).toThrow(/label 5, expected 0 \.\. 4/);
});

test("a worker that dies is an error that names the file it was at, not a hang", async () => {
  const pool = new DecodePool({ size: TEST_SIZE, slotImages: 500, slots: 1, workers: 1 });
  const items = Array.from({ length: 500 }, (_, i) => ({ source: dataset.source(i % 54) }));
  const decoding = pool.decode(0, items);
  await pool.workers[0]!.terminate();
  await expect(decoding).rejects.toThrow(/a decode worker died while decoding .*person_0.*: exit code \d/);
  await expect(pool.decode(0, items)).rejects.toThrow(/died/);
  await pool.close();
});

test("workers that cannot start give that error, with the cause", async () => {
  const pool = new DecodePool({ size: TEST_SIZE, slotImages: 8, slots: 1, workers: 2 });
  const decoding = pool.decode(0, [{ source: dataset.source(0) }]);
  for (const worker of pool.workers) worker.emit("error", new Error("no native module"));
  await expect(decoding).rejects.toMatchObject({
    code: "E_DATA",
    message: /died .*: no native module/,
    cause: {},
  });
  await pool.close();
});

test("closing a pool rejects what is under way and ends its threads", async () => {
  const pool = new DecodePool({ size: TEST_SIZE, slotImages: 500, slots: 1, workers: 2 });
  const decoding = pool.decode(
    0,
    Array.from({ length: 500 }, (_, i) => ({ source: dataset.source(i % 54) })),
  );
  const closed = pool.close();
  await expect(decoding).rejects.toThrow(/closed/);
  await closed;
  expect(pool.workers.map(({ threadId }) => threadId)).toEqual([-1, -1]);
  expect(() => new DecodePool({ size: 0, slotImages: 1, slots: 1 })).toThrow(/size is 0/);
});

test("loadImages gives every file once, in order, unmirrored, the last batch smaller", async () => {
  const sources = sourcesOf(dataset);
  const seen: number[] = [];
  for await (const batch of loadImages(sources, { size: TEST_SIZE, batchSize: 20, workers: 2 })) {
    expect(batch.start).toBe(seen.length);
    for (let i = 0; i < batch.count; i++) {
      expect(batch.images.subarray(i * IMAGE_BYTES, (i + 1) * IMAGE_BYTES)).toEqual(pattern(batch.start + i));
      seen.push(batch.start + i);
    }
    batch.release();
  }
  expect(seen).toEqual(sources.map((_, i) => i));
  for await (const _ of loadImages([])) throw new Error("no paths, no batches");
});

test("loadImages stops at a damaged file with its path", async () => {
  const cut = write(join(folder.path, "cut.png"), await picture(pattern(1)).png().toBuffer());
  truncate(cut);
  const run = async () => {
    for await (const batch of loadImages([dataset.source(0), imageFile(cut)], { size: TEST_SIZE }))
      batch.release();
  };
  await expect(run()).rejects.toMatchObject({
    code: "E_DATA",
    message: /cut\.png: the image cannot be read/,
  });
});

test("a process that breaks off, throws, or just walks away from a loader ends by itself", async () => {
  const here = (file: string) => JSON.stringify(new URL(file, import.meta.url).href);
  const script = (body: string) => `
    import { BatchLoader } from ${here("./loader.js")};
    import { EpochSampler } from ${here("./sampler.js")};
    import { openImageFolder } from ${here("./imageFolder.js")};
    const dataset = await openImageFolder(${JSON.stringify(folder.path)});
    const sampler = new EpochSampler({ sampleCount: dataset.labels.length, batchSize: 8, seed: 1 });
    const loader = new BatchLoader(dataset, { sampler, seed: 1, size: ${TEST_SIZE}, workers: 2, epochs: 1000 });
    ${body}
    console.log("done");`;
  const bodies = [
    "for await (const batch of loader) break;",
    "try { for await (const batch of loader) throw new Error('mine'); } catch {}",
    "await loader[Symbol.asyncIterator]().next();",
    "loader[Symbol.asyncIterator]().next(); await loader.close();",
  ];
  await Promise.all(
    bodies.map(async (body) => {
      const run = promisify(execFile)(process.execPath, ["--input-type=module", "-e", script(body)], {
        timeout: 20_000,
      });
      expect(await run).toMatchObject({ stdout: "done\n", stderr: "" });
    }),
  );
});
