// One training step on small numbers: gradients by closed forms, accumulation, what a bad gradient does, and that nothing leaks.
import { liveTensors, manualSeed, nn, optim, scope, setNumThreads, type Tensor, zeros } from "@topofr/torch";
import { beforeAll, describe, expect, test } from "vitest";
import { CosineClassifier } from "../method/classifier.js";
import { numbers, relativeError, settledLiveTensors } from "../method/method.test.support.js";
import { Objective } from "../method/objective.js";
import { objectiveOptions } from "../method/objectiveComposition.js";
import { type ObjectiveChoice, VARIANT_NAMES } from "../method/objectiveOptions.js";
import { PartialClassifier } from "../method/partialClassifier.js";
import { Backbone } from "../models/backbone.js";
import { createBackbone } from "../models/registry.js";
import { RandomStream } from "../random/stream.js";
import { disposeLearner } from "./learner.js";
import { accumulateGradients, type LabelledPixels, type Learner, update } from "./step.js";

const SIZE = 12;
const CLASSES = 3;

beforeAll(() => setNumThreads(1));

/** A linear layer on all pixels: no batch norm, so that a batch's gradient is the mean of its halves'. */
class LinearBackbone extends Backbone {
  override readonly embeddingSize = 4;
  readonly fc = this.child("fc", new nn.Linear(3 * SIZE * SIZE, 4));
  override forward(images: Tensor): Tensor {
    return this.fc.forward(images.flatten({ startDim: 1 })).to({ dtype: "float32" });
  }
}

function learnerOf(
  backbone: Backbone,
  choice: ObjectiveChoice,
  changes: Partial<Learner> = {},
  classifier = new CosineClassifier(CLASSES, backbone.embeddingSize),
): Learner {
  const objective = new Objective(objectiveOptions(choice), { seed: 1, classes: classifier.compared });
  const parameters = [
    ...backbone.namedParameters("backbone."),
    ...classifier.namedParameters("classifier."),
    ...(objective.learned?.namedParameters("objective.") ?? []),
  ];
  return {
    backbone,
    classifier,
    objective,
    optimizer: new optim.SGD(parameters, { lr: 0.1, momentum: 0.9 }),
    precision: "fp32",
    clipNorm: null,
    ...changes,
  };
}

function linearLearner(choice: ObjectiveChoice, changes: Partial<Learner> = {}): Learner {
  manualSeed(3);
  return learnerOf(new LinearBackbone(), choice, changes);
}

function batch(count: number, { seed = 1, size = SIZE } = {}): LabelledPixels {
  const stream = new RandomStream(seed, "pixels");
  return {
    images: Uint8Array.from({ length: count * size * size * 3 }, () => stream.integer(256)),
    labels: BigInt64Array.from({ length: count }, (_, i) => BigInt(i % CLASSES)),
  };
}

const part = ({ images, labels }: LabelledPixels, from: number, to: number): LabelledPixels => {
  const bytes = images.length / labels.length;
  return { images: images.slice(from * bytes, to * bytes), labels: labels.slice(from, to) };
};

const parametersOf = ({ backbone, classifier }: Learner) => [
  ...backbone.namedParameters(),
  ...classifier.namedParameters("classifier."),
];
const gradientsOf = (learner: Learner): number[] =>
  scope(() => parametersOf(learner).flatMap(([, parameter]) => numbers(parameter.grad!)));
const weightsOf = (learner: Learner): number[] =>
  parametersOf(learner).flatMap(([, parameter]) => numbers(parameter));

describe("accumulation", () => {
  test("two halves of a batch, each with share 1/2, add up to the batch's gradient (without what couples samples)", () => {
    const learner = linearLearner({ variant: "arcface" });
    const whole = batch(6);
    const lossOfWhole = accumulateGradients(learner, whole).loss;
    const expected = gradientsOf(learner);
    learner.optimizer.zeroGrad();
    const halves = [part(whole, 0, 3), part(whole, 3, 6)].map(
      (half) => accumulateGradients(learner, half, 0.5).loss,
    );
    expect(relativeError(gradientsOf(learner), expected)).toBeLessThan(1e-5);
    expect((halves[0]! + halves[1]!) / 2).toBeCloseTo(lossOfWhole, 4);
    disposeLearner(learner);
  });

  test("the share scales the gradient and not the reported loss", () => {
    const learner = linearLearner({ preset: "spherical", perturbation: null });
    const whole = accumulateGradients(learner, batch(6));
    const expected = gradientsOf(learner);
    learner.optimizer.zeroGrad();
    const quarter = accumulateGradients(learner, batch(6), 0.25);
    expect(quarter).toEqual(whole);
    expect(
      relativeError(
        gradientsOf(learner).map((value) => 4 * value),
        expected,
      ),
    ).toBeLessThan(1e-6);
    disposeLearner(learner);
  });
});

describe("update", () => {
  test("is one step of SGD with the given learning rate on clipped gradients, which it clears", () => {
    const learner = linearLearner({ variant: "cosface" }, { clipNorm: 0.5 });
    accumulateGradients(learner, batch(6));
    const [before, gradient] = [weightsOf(learner), gradientsOf(learner)];
    const norm = update(learner, 0.2);
    const length = Math.hypot(...gradient);
    expect(length).toBeGreaterThan(0.5);
    expect(relativeError([norm], [length])).toBeLessThan(1e-4);
    const expected = before.map((weight, i) => weight - (0.2 * 0.5 * gradient[i]!) / length);
    expect(relativeError(weightsOf(learner), expected)).toBeLessThan(1e-5);
    scope(() => expect(parametersOf(learner).every(([, { grad }]) => grad === null)).toBe(true));
    disposeLearner(learner);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY])(
    "a gradient of %d changes neither weights nor momentum",
    (bad) => {
      const learner = linearLearner({ variant: "arcface" });
      accumulateGradients(learner, batch(6));
      update(learner, 0.1);
      const state = () => [...learner.optimizer.stateDict().values()].flatMap(numbers);
      const [weights, momentum] = [weightsOf(learner), state()];
      accumulateGradients(learner, batch(6));
      scope(() => {
        const { weight } = learner.classifier;
        weight.grad = zeros(weight.shape).add(bad);
      });
      expect(Number.isFinite(update(learner, 0.1))).toBe(false);
      expect([weightsOf(learner), state()]).toEqual([weights, momentum]);
      scope(() => expect(learner.classifier.weight.grad).toBeNull());
      disposeLearner(learner);
    },
  );

  test("repeated on one batch, the loss falls", () => {
    const learner = linearLearner({ preset: "spherical", perturbation: null }, { clipNorm: 5 });
    const losses = Array.from({ length: 30 }, () => {
      const { loss } = accumulateGradients(learner, batch(6));
      update(learner, 0.02);
      return loss;
    });
    expect(losses.at(-1)!).toBeLessThan(losses[0]! / 2);
    disposeLearner(learner);
  });
});

test("what is reported: parts of the loss, accuracy, norm; null for what is off", () => {
  const whole = linearLearner({ preset: "official" });
  const losses = accumulateGradients(whole, batch(6));
  expect(losses.loss).toBeCloseTo(losses.classificationLoss + 0.1 * losses.alignmentLoss!, 3);
  expect(losses.omegaMean).toBeGreaterThan(0);
  expect(losses.embeddingNorm).toBeGreaterThan(0);
  expect([0, 1, 2, 3, 4, 5, 6].map((right) => Math.fround(right / 6))).toContain(losses.accuracy);
  disposeLearner(whole);
  const plain = linearLearner({ variant: "arcface" });
  expect(accumulateGradients(plain, batch(6))).toMatchObject({ alignmentLoss: null, omegaMean: null });
  disposeLearner(plain);
});

test("a label out of range is an error with a code, and the batch's tensors are freed", async () => {
  const learner = linearLearner({ preset: "official" });
  const before = await settledLiveTensors();
  const { images } = batch(3);
  const labels = BigInt64Array.of(0n, BigInt(CLASSES), 1n);
  expect(() => accumulateGradients(learner, { images, labels })).toThrow(
    expect.objectContaining({ code: "E_TENSOR" }),
  );
  expect(liveTensors()).toBe(before);
  disposeLearner(learner);
});

async function expectNoLeak(learner: Learner, data: LabelledPixels, steps: number): Promise<void> {
  const step = () => {
    accumulateGradients(learner, data);
    update(learner, 0.01);
  };
  step();
  const before = await settledLiveTensors();
  for (let i = 0; i < steps; i++) step();
  expect(liveTensors()).toBe(before);
  disposeLearner(learner);
}

test.each(["paper", "official", "spherical"] as const)(
  "%s: 20 steps leave as many tensors alive as one",
  async (preset) => {
    await expectNoLeak(linearLearner({ preset }), batch(6), 20);
  },
);

test.each(VARIANT_NAMES)(
  "%s: 2 steps have finite losses, move every parameter, and leak nothing",
  async (variant) => {
    const learner = linearLearner({ preset: "spherical", variant }, { clipNorm: 5 });
    const own = learner.objective.learned?.parameters() ?? [];
    const before = [...weightsOf(learner), ...own.flatMap(numbers)];
    const losses = [0, 1].map((seed) => {
      const found = accumulateGradients(learner, batch(6, { seed }));
      expect(Number.isFinite(update(learner, 0.02))).toBe(true);
      return found.loss;
    });
    expect(losses.every(Number.isFinite)).toBe(true);
    const after = [...weightsOf(learner), ...own.flatMap(numbers)];
    expect(after.every(Number.isFinite)).toBe(true);
    expect(after.filter((weight, i) => weight !== before[i]).length).toBeGreaterThan(0.9 * after.length);
    if (own.length > 0) expect(after.at(-1)).not.toBe(before.at(-1));
    await expectNoLeak(learner, batch(6), 2);
  },
);

describe("with a random share of the classes", () => {
  const sampling = (choice: ObjectiveChoice, changes: Partial<Learner> = {}) => {
    manualSeed(3);
    const classifier = new PartialClassifier(30, 4, { sampleRate: 0.2, seed: 1 });
    return learnerOf(new LinearBackbone(), choice, changes, classifier);
  };
  const rowsOf = (values: number[]) =>
    Array.from({ length: 30 }, (_, row) => values.slice(4 * row, 4 * row + 4));

  test.each(VARIANT_NAMES)(
    "%s: a step moves only the centres of the share, and leaks nothing",
    async (variant) => {
      const learner = sampling({ preset: "spherical", variant }, { clipNorm: 5 });
      const before = rowsOf(numbers(learner.classifier.weight));
      expect(Number.isFinite(accumulateGradients(learner, batch(4)).loss)).toBe(true);
      expect(Number.isFinite(update(learner, 0.02))).toBe(true);
      const after = rowsOf(numbers(learner.classifier.weight));
      const moved = after.flatMap((row, own) => (row.join() === before[own]!.join() ? [] : [own]));
      // Without the inter-class constraint the other classes have no gradient (and there is no weight decay here).
      expect(moved).toHaveLength(variant.endsWith("no-inter") ? 3 : 6);
      expect(moved).toEqual(expect.arrayContaining([0, 1, 2]));
      await expectNoLeak(learner, batch(4), 2);
    },
  );

  const centresOf = ({ classifier }: Learner) =>
    [...classifier.sampled().values()].map(({ values }) => values);

  test("its gradient counts in the norm, and one that is not finite changes nothing", () => {
    const learner = sampling({ variant: "arcface" });
    accumulateGradients(learner, batch(4));
    const trained = [...learner.backbone.parameters(), ...centresOf(learner)];
    const gradient = scope(() => trained.flatMap(({ grad }) => numbers(grad!)));
    expect(relativeError([update(learner, 0.1)], [Math.hypot(...gradient)])).toBeLessThan(1e-4);
    const state = () => [...learner.optimizer.stateDict().values()].flatMap(numbers);
    const [weights, momentum] = [weightsOf(learner), state()];
    accumulateGradients(learner, batch(4));
    const centres = centresOf(learner);
    scope(() => {
      for (const values of centres) values.grad = zeros(values.shape).add(Number.NaN);
    });
    expect(update(learner, 0.1)).toBeNaN();
    expect([weightsOf(learner), state()]).toEqual([weights, momentum]);
    disposeLearner(learner);
  });
});

describe("MobileFaceNet", () => {
  const mobileFaceNet = (precision: "fp32" | "bf16") => {
    manualSeed(3);
    const backbone = createBackbone("mobilefacenet", { embeddingSize: 8 });
    return learnerOf(
      backbone.to({ memoryFormat: "channelsLast" }),
      { preset: "paper" },
      { precision, clipNorm: 5 },
    );
  };

  test("5 steps leave as many tensors alive as one", async () => {
    await expectNoLeak(mobileFaceNet("fp32"), batch(2, { size: 112 }), 5);
  });

  test("in bf16 the losses are near those of fp32, and weights and momentum stay float32", () => {
    const [full, half] = (["fp32", "bf16"] as const).map((precision) => {
      const learner = mobileFaceNet(precision);
      const { loss } = accumulateGradients(learner, batch(4, { size: 112 }));
      update(learner, 0.01);
      const tensors = [...learner.backbone.parameters(), ...learner.optimizer.stateDict().values()];
      expect(new Set(tensors.map(({ dtype }) => dtype))).toEqual(new Set(["float32"]));
      expect(weightsOf(learner).every(Number.isFinite)).toBe(true);
      disposeLearner(learner);
      return loss;
    });
    expect(Math.abs(half! - full!) / full!).toBeLessThan(0.1);
  });
});
