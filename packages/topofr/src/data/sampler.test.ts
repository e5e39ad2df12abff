import { TopofrError } from "@topofr/formats";
import fc from "fast-check";
import { expect, test } from "vitest";
import { checkLabels, type FaceDataset } from "./dataset.js";
import { imageFile } from "./imageSource.js";
import { EpochSampler } from "./sampler.js";

const epochOf = (sampler: EpochSampler, epoch: number) =>
  Array.from({ length: sampler.stepsPerEpoch }, (_, step) => [...sampler.indicesAt({ epoch, step })]);
const sorted = (values: number[]) => [...values].sort((a, b) => a - b);
const upTo = (n: number) => Array.from({ length: n }, (_, i) => i);

const sizes = fc.record({
  sampleCount: fc.integer({ min: 40, max: 400 }),
  batchSize: fc.integer({ min: 1, max: 10 }),
  worldSize: fc.integer({ min: 1, max: 4 }),
  seed: fc.maxSafeInteger(),
});

test("without dropLast, one machine sees every sample exactly once per epoch, in another order each epoch", () => {
  fc.assert(
    fc.property(sizes, ({ worldSize: _, ...options }) => {
      const sampler = new EpochSampler({ ...options, dropLast: false });
      const first = epochOf(sampler, 0).flat();
      expect(sorted(first)).toEqual(upTo(options.sampleCount));
      expect(epochOf(sampler, 1).flat()).not.toEqual(first);
      expect(epochOf(sampler, 0).flat()).toEqual(first);
    }),
    { seed: 1, numRuns: 100 },
  );
});

test("with dropLast, all batches are full and fewer than one is left out", () => {
  fc.assert(
    fc.property(sizes, ({ worldSize: _, ...options }) => {
      const batches = epochOf(new EpochSampler(options), 3);
      expect(batches.every((batch) => batch.length === options.batchSize)).toBe(true);
      const seen = new Set(batches.flat());
      expect(seen.size).toBe(batches.length * options.batchSize);
      expect(options.sampleCount - seen.size).toBeLessThan(options.batchSize);
    }),
    { seed: 2, numRuns: 100 },
  );
});

test("ranks share no sample, do equal steps and shapes, and together cover what one machine would", () => {
  fc.assert(
    fc.property(sizes, fc.boolean(), (options, dropLast) => {
      const ranks = upTo(options.worldSize).map((rank) =>
        epochOf(new EpochSampler({ ...options, dropLast, rank }), 1),
      );
      const shapes = ranks.map((batches) => batches.map((batch) => batch.length));
      for (const shape of shapes) expect(shape).toEqual(shapes[0]);
      const all = ranks.flat(2);
      expect(new Set(all).size).toBe(all.length);
      const leftOut = options.sampleCount - all.length;
      expect(leftOut).toBeLessThan(dropLast ? options.batchSize * options.worldSize : options.worldSize);
    }),
    { seed: 3, numRuns: 100 },
  );
});

test("two machines of batch 8 see in a step what one machine of batch 16 sees", () => {
  const whole = new EpochSampler({ sampleCount: 100, batchSize: 16, seed: 5 });
  const half = [0, 1].map(
    (rank) => new EpochSampler({ sampleCount: 100, batchSize: 8, seed: 5, rank, worldSize: 2 }),
  );
  for (let step = 0; step < whole.stepsPerEpoch; step++) {
    const place = { epoch: 2, step };
    expect(half.flatMap((sampler) => [...sampler.indicesAt(place)])).toEqual([...whole.indicesAt(place)]);
  }
});

test("the same seed gives the same order for ever", () => {
  const sampler = new EpochSampler({ sampleCount: 10, batchSize: 5, seed: 42 });
  expect(epochOf(sampler, 0)).toEqual(GOLDEN[0]);
  expect(epochOf(sampler, 7)).toEqual(GOLDEN[1]);
});

test("positions step through epochs, and one at an epoch's end is the start of the next", () => {
  const sampler = new EpochSampler({ sampleCount: 25, batchSize: 10, seed: 1 });
  expect(sampler.stepsPerEpoch).toBe(2);
  expect(sampler.after({ epoch: 0, step: 0 })).toEqual({ epoch: 0, step: 1 });
  expect(sampler.after({ epoch: 0, step: 1 })).toEqual({ epoch: 1, step: 0 });
  sampler.position = { epoch: 4, step: 2 };
  expect(sampler.position).toEqual({ epoch: 5, step: 0 });
  for (const [epoch, step] of [
    [-1, 0],
    [0, 3],
    [0, 0.5],
    [Number.NaN, 0],
  ] as const) {
    expect(() => {
      sampler.position = { epoch, step };
    }).toThrow(/position/);
  }
});

test("options that cannot work are refused with the value in the message", () => {
  const make = (options: object) => () =>
    new EpochSampler({ sampleCount: 100, batchSize: 10, seed: 1, ...options });
  expect(make({ batchSize: 0 })).toThrow(/batchSize is 0/);
  expect(make({ rank: 2, worldSize: 2 })).toThrow(/rank is 2, expected a whole number of 0 .. 1/);
  expect(make({ seed: 0.5 })).toThrow(/seed is 0.5/);
  expect(make({ batchSize: 101 })).toThrow(/100 samples do not fill one batch of 101; use a smaller batch/);
  expect(make({ sampleCount: 0, dropLast: false })).toThrow(TopofrError);
  expect(make({ batchSize: 101, dropLast: false })().stepsPerEpoch).toBe(1);
});

test("a label out of range is refused with the file and the range", () => {
  const dataset = (label: number): FaceDataset => ({
    name: "pins",
    identities: ["a", "b"],
    labels: Uint32Array.of(0, label),
    warnings: [],
    source: (index) => imageFile(["a/1.jpg", "b/1.jpg"][index]!),
  });
  expect(() => checkLabels(dataset(1))).not.toThrow();
  expect(() => checkLabels(dataset(2))).toThrow(/sample 1 \(b\/1\.jpg\) has label 2, expected 0 \.\. 1/);
  expect(() => checkLabels(dataset(1), 1)).toThrow(/1 classes/);
  expect(() => checkLabels({ ...dataset(0), labels: new Uint32Array() })).toThrow(/no samples/);
});

// Recorded from this implementation: they pin the order, so that a checkpoint of today resumes tomorrow.
const GOLDEN = [
  [
    [9, 6, 3, 8, 5],
    [7, 4, 0, 2, 1],
  ],
  [
    [7, 6, 0, 3, 8],
    [2, 5, 4, 9, 1],
  ],
];
