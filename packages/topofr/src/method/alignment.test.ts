// Invariant structure alignment against closed forms, symmetries and differences. The reference code's numbers: parity/.
import { liveTensors, scope, type Tensor, tensor } from "@topofr/torch";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RandomStream } from "../random/stream.js";
import { pairwiseDistances, structureAlignment } from "./alignment.js";
import {
  differencesAt,
  float64,
  gradientAt,
  numbers,
  relativeError,
  settledLiveTensors,
} from "./method.test.support.js";
import { objectiveOptions } from "./objectiveComposition.js";
import type { AlignmentOptions } from "./objectiveOptions.js";

const PAPER = objectiveOptions({ preset: "paper" }).alignment!;
const OFFICIAL = objectiveOptions({ preset: "official" }).alignment!;
const SPHERICAL = objectiveOptions({ preset: "spherical" }).alignment!;
const BOTTLENECK: AlignmentOptions = { ...PAPER, match: "bottleneck" };
const WASSERSTEIN: AlignmentOptions = { ...PAPER, match: "wasserstein" };

/** [n, 1, 1, d] "images" whose pixels are the given points. */
const imagesOf = (points: readonly (readonly number[])[]): Tensor =>
  float64(points).reshape([points.length, 1, 1, points[0]!.length]);

const lossOf = (
  images: readonly (readonly number[])[],
  embedding: readonly (readonly number[])[],
  options: AlignmentOptions,
): number => scope(() => structureAlignment(imagesOf(images), float64(embedding), options).loss.item());

function randomPoints(seed: number, count: number, dimension: number): number[][] {
  const stream = new RandomStream(seed, "test points");
  return Array.from({ length: count }, () => Array.from({ length: dimension }, () => stream.normal()));
}

describe("points on a line", () => {
  // Images 0, 1, 3, 7: tree (0,1) (1,2) (2,3), lengths 1, 2, 4; the embeddings have lengths 5, 4, 8 there.
  // Embeddings 0, 5, 1, 9: tree (0,2) (1,2) (1,3), lengths 1, 4, 4; the images have lengths 3, 2, 6 there.
  const images = [[0], [1], [3], [7]];
  const embedding = [[0], [5], [1], [9]];

  test("equation 2 reads the edges of each space in both, with the factor 1/2", () => {
    const atInput = (1 - 5) ** 2 + (2 - 4) ** 2 + (4 - 8) ** 2;
    const atLatent = (1 - 3) ** 2 + (4 - 2) ** 2 + (4 - 6) ** 2;
    expect(lossOf(images, embedding, PAPER)).toBeCloseTo((atInput + atLatent) / 2, 9);
    expect(lossOf(images, embedding, { ...PAPER, half: false })).toBeCloseTo(atInput + atLatent, 9);
  });

  test("the published code compares sorted lengths and divides by the batch size (D1, D2)", () => {
    const sorted = (1 - 1) ** 2 + (2 - 4) ** 2 + (4 - 4) ** 2;
    expect(lossOf(images, embedding, { ...OFFICIAL, inputNorm: "none" })).toBeCloseTo(sorted / 4, 9);
  });

  test("the chosen edges come in filtration order, in the units that are compared", () => {
    const { inputEdges, latentEdges } = structureAlignment(imagesOf(images), float64(embedding), PAPER);
    expect([...inputEdges.u, ...inputEdges.v, ...inputEdges.weight]).toEqual([0, 1, 2, 1, 2, 3, 1, 2, 4]);
    expect([...latentEdges.u, ...latentEdges.v, ...latentEdges.weight]).toEqual([0, 1, 1, 2, 2, 3, 1, 4, 4]);
  });

  test("edges of the images come from the clean images alone, and no gradient reaches those", () => {
    scope(() => {
      const clean = imagesOf(images);
      clean.requiresGrad = true;
      const latent = float64(embedding, { requiresGrad: true });
      structureAlignment(clean, latent, PAPER).loss.backward();
      expect(clean.grad).toBeNull();
      expect(latent.grad).not.toBeNull();
    });
  });
});

describe.each([
  ["paper", PAPER],
  ["official", OFFICIAL],
  ["spherical", SPHERICAL],
  ["bottleneck", BOTTLENECK],
  ["wasserstein", WASSERSTEIN],
  ["bottleneck of unit embeddings", { ...SPHERICAL, match: "bottleneck" }],
  ["wasserstein of unit embeddings", { ...SPHERICAL, match: "wasserstein" }],
] satisfies [string, AlignmentOptions][])("%s", (_, options) => {
  test("the order of the batch does not matter", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e6 }), fc.integer({ min: 2, max: 9 }), (seed, count) => {
        const images = randomPoints(seed, count, 6);
        const embedding = randomPoints(seed + 1, count, 4);
        const order = [...new RandomStream(seed, "order").permutation(count)];
        const shuffled = lossOf(
          order.map((i) => images[i]!),
          order.map((i) => embedding[i]!),
          options,
        );
        expect(shuffled).toBeCloseTo(lossOf(images, embedding, options), 8);
      }),
      { seed: 7, numRuns: 25 },
    );
  });

  test("the gradient is that of differences", () => {
    const images = randomPoints(1, 7, 12);
    const embedding = randomPoints(2, 7, 5);
    const loss = (latent: Tensor) => structureAlignment(imagesOf(images), latent, options).loss;
    expect(relativeError(gradientAt(embedding, loss), differencesAt(embedding, loss))).toBeLessThan(1e-6);
  });

  test("the same embeddings twice give finite gradients, and none between the two", () => {
    const images = randomPoints(3, 4, 12);
    images[1] = images[0]!;
    const latent = [
      [1, 2],
      [1, 2],
      [4, 6],
      [-3, 1],
    ];
    for (const distance of ["gram", "direct"] as const) {
      const gradient = gradientAt(
        latent,
        (x) => structureAlignment(imagesOf(images), x, { ...options, distance }).loss,
      );
      expect(gradient.every(Number.isFinite)).toBe(true);
    }
    const onlyTwins = gradientAt(
      [latent[0]!, latent[1]!],
      (x) => structureAlignment(imagesOf([images[2]!, images[3]!]), x, options).loss,
    );
    expect(onlyTwins).toEqual([0, 0, 0, 0]);
  });

  test("a batch of one has no edges, no loss and no gradient", () => {
    expect(lossOf([[1, 2]], [[3, 4]], options)).toBe(0);
    expect(gradientAt([[3, 4]], (x) => structureAlignment(imagesOf([[1, 2]]), x, options).loss)).toEqual([
      0, 0,
    ]);
  });

  test("no tensor is left behind but the loss", async () => {
    const images = imagesOf(randomPoints(5, 6, 4));
    const latent = float64(randomPoints(6, 6, 3));
    const before = await settledLiveTensors();
    const loss = scope(() => structureAlignment(images, latent, options).loss);
    expect(liveTensors()).toBe(before + 1);
    loss.dispose();
  });
});

describe("distances of the diagrams", () => {
  // Images 0, 1, 3, 7 die at 1, 2, 4; embeddings 0, 1, 5, 20 at 1, 4, 15. The cheapest matching: 1 with 1, 4 with 4, and 2 and
  // 15 with the diagonal, 1 and 7.5 away (11 for 4 with 15 is more).
  const images = [[0], [1], [3], [7]];
  const embedding = [[0], [1], [5], [20]];

  test("bottleneck is the largest cost of the best matching, whatever half and reduce are", () => {
    for (const changes of [{}, { half: false }, { reduce: "batch-mean" }] as const)
      expect(lossOf(images, embedding, { ...BOTTLENECK, ...changes })).toBeCloseTo(7.5, 12);
  });

  test("wasserstein is the sum of its costs, or that divided by the batch size", () => {
    expect(lossOf(images, embedding, WASSERSTEIN)).toBeCloseTo(8.5, 12);
    expect(lossOf(images, embedding, { ...WASSERSTEIN, half: false })).toBeCloseTo(8.5, 12);
    expect(lossOf(images, embedding, { ...WASSERSTEIN, reduce: "batch-mean" })).toBeCloseTo(8.5 / 4, 12);
  });

  test("gradients reach only the edges whose cost counts", () => {
    const gradient = (options: AlignmentOptions) =>
      gradientAt(embedding, (x) => structureAlignment(imagesOf(images), x, options).loss);
    expect(gradient(BOTTLENECK)).toEqual([0, 0, -0.5, 0.5]); // 15 / 2
    expect(gradient(WASSERSTEIN)).toEqual([0, 0, -0.5, 0.5]); // the others cost nothing, or are the images' own
    const nearer = gradientAt(
      [[0], [1], [5], [11]],
      (x) => structureAlignment(imagesOf(images), x, WASSERSTEIN).loss,
    ); // 6 with 4, and 4 with 2
    expect(nearer).toEqual([0, -1, 0, 1]);
  });

  /** Costs of every matching of two lists of deaths: each point with a point of the other or with the diagonal. */
  function* allMatchings(a: readonly number[], b: readonly number[]): Generator<number[]> {
    const [first, ...rest] = a;
    if (first === undefined) {
      yield b.map((death) => death / 2);
      return;
    }
    for (const costs of allMatchings(rest, b)) yield [first / 2, ...costs];
    for (const [j, death] of b.entries())
      for (const costs of allMatchings(rest, b.toSpliced(j, 1))) yield [Math.abs(first - death), ...costs];
  }

  test("both are the least of all matchings", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e6 }), fc.integer({ min: 2, max: 6 }), (seed, count) => {
        const points = randomPoints(seed, count, 3);
        const latent = randomPoints(seed + 1, count, 3).map((row) => row.map((value) => 2.5 * value));
        const { inputEdges, latentEdges } = structureAlignment(imagesOf(points), float64(latent), PAPER);
        const matchings = [...allMatchings([...inputEdges.weight], [...latentEdges.weight])];
        const least = (of: (costs: number[]) => number) => Math.min(...matchings.map(of));
        const sum = least((costs) => costs.reduce((total, cost) => total + cost, 0));
        expect(lossOf(points, latent, WASSERSTEIN)).toBeCloseTo(sum, 8);
        expect(lossOf(points, latent, BOTTLENECK)).toBeCloseTo(
          least((costs) => Math.max(...costs)),
          8,
        );
      }),
      { seed: 8, numRuns: 30 },
    );
  });
});

test("embeddings that are the images, moved and turned, are aligned", () => {
  const images = randomPoints(9, 8, 2);
  const [cos, sin] = [Math.cos(1), Math.sin(1)];
  const moved = images.map(([x, y]) => [cos * x! - sin * y! + 5, sin * x! + cos * y! - 3]);
  expect(lossOf(images, moved, PAPER)).toBeLessThan(1e-12);
  expect(lossOf(images, moved, { ...PAPER, match: "sorted" })).toBeLessThan(1e-12);
});

describe("input norms", () => {
  const inputLengths = (images: readonly (readonly number[])[], options: AlignmentOptions): number[] => {
    const embedding = float64(images.map((_, i) => [1, i]));
    return [...structureAlignment(imagesOf(images), embedding, options).inputEdges.weight];
  };
  const black = [-1, -1, -1, -1];
  const white = [1, 1, 1, 1];
  const half = [1, 1, -1, -1];

  test("none: raw distances", () => {
    expect(inputLengths([black, half, white], { ...PAPER, inputNorm: "none" })).toEqual([
      Math.sqrt(8),
      Math.sqrt(8),
    ]);
  });

  test.each([
    ["raw", 1],
    ["l2", 2],
  ] as const)(
    "theory-maximum: black and white are the latent space's diameter apart (%s: %d)",
    (latent, d) => {
      const options: AlignmentOptions = { ...OFFICIAL, inputNorm: "theory-maximum", latent };
      expect(inputLengths([black, white], options)[0]).toBeCloseTo(d, 12);
      expect(inputLengths([black, half], options)[0]).toBeCloseTo(d * Math.SQRT1_2, 12);
    },
  );

  test("batch-maximum: the two farthest of the batch are the diameter apart", () => {
    const options: AlignmentOptions = { ...OFFICIAL, inputNorm: "batch-maximum" };
    const lengths = inputLengths([[0], [1], [3], [7]], options);
    expect(relativeError(lengths, [1 / 7, 2 / 7, 4 / 7])).toBeLessThan(1e-12);
    expect(inputLengths([[2], [2]], options)).toEqual([0]);
  });

  test("unit-sphere: brightness and contrast of the whole batch do not matter", () => {
    const images = randomPoints(11, 6, 10);
    const changed = images.map((pixels) => pixels.map((value) => 3 * value + 0.5));
    const options: AlignmentOptions = { ...SPHERICAL, inputNorm: "unit-sphere" };
    expect(relativeError(inputLengths(changed, options), inputLengths(images, options))).toBeLessThan(1e-9);
    expect(inputLengths([images[0]!, images[1]!], options)[0]).toBeCloseTo(2, 9); // two centred images are opposite
  });

  test("l2: the length of the embeddings does not matter", () => {
    const images = randomPoints(12, 6, 10);
    const embedding = randomPoints(13, 6, 4);
    const longer = embedding.map((values, i) => values.map((value) => (i + 2) * value));
    expect(lossOf(images, longer, SPHERICAL)).toBeCloseTo(lossOf(images, embedding, SPHERICAL), 9);
  });
});

test("distances by the Gram matrix are those by differences", () => {
  const points = float64(randomPoints(21, 12, 30));
  const gram = numbers(pairwiseDistances(points, "gram"));
  expect(relativeError(gram, numbers(pairwiseDistances(points, "direct")))).toBeLessThan(1e-7);
});

test("gradients in float32 flow only through the chosen edges", () => {
  scope(() => {
    // The far point 3 hangs on point 2 alone, in both spaces.
    const images = tensor([[0], [1], [2], [50]]).reshape([4, 1, 1, 1]);
    const latent = tensor([[0], [1], [2], [40]], { requiresGrad: true });
    structureAlignment(images, latent, PAPER).loss.backward();
    expect(numbers(latent.grad!)).toEqual([0, 0, 20, -20]); // of (48 - 38)²: both directions, halved
  });
});
