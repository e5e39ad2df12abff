// The objective as a whole: equation 10 from its parts, parts that are off, and random streams that continue.
import { liveTensors, scope, type Tensor, tensor } from "@topofr/torch";
import { describe, expect, test } from "vitest";
import { RandomStream } from "../random/stream.js";
import { cosineLogits } from "./classifier.js";
import { classLabels, numbers, relativeError, settledLiveTensors } from "./method.test.support.js";
import { Objective, type ObjectiveInput } from "./objective.js";
import { objectiveOptions } from "./objectiveComposition.js";
import { type ObjectiveChoice, PRESET_NAMES } from "./objectiveOptions.js";

const LABELS = [0, 2, 1, 0, 2];

function input(): ObjectiveInput & { centres: Tensor } {
  const stream = new RandomStream(1, "objective test");
  const normal = (...shape: number[]) =>
    tensor(
      Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => stream.normal()),
      { shape },
    );
  const embedding = normal(LABELS.length, 6);
  embedding.requiresGrad = true;
  const centres = normal(3, 6);
  return {
    images: normal(LABELS.length, 3, 12, 12).clamp({ min: -1, max: 1 }),
    embedding,
    centres,
    cosine: cosineLogits(embedding, centres),
    labels: classLabels(LABELS),
  };
}

const objective = (choice: ObjectiveChoice, seed = 3) => new Objective(objectiveOptions(choice), seed);

test.each(PRESET_NAMES)(
  "%s: the loss is mean(omega · margin cross-entropy) + alpha · alignment",
  (preset) => {
    scope(() => {
      const given = input();
      const { loss, classificationLoss, alignment, damage } = objective({ preset }).loss(given);
      const { margin, options } = objective({ preset });
      const logits = numbers(margin.logits(given.cosine, given.labels));
      const omega = numbers(damage!.omega);
      const weighted = LABELS.map((label, i) => {
        const row = logits.slice(3 * i, 3 * i + 3);
        const largest = Math.max(...row);
        const logSum = largest + Math.log(row.reduce((sum, value) => sum + Math.exp(value - largest), 0));
        return omega[i]! * (logSum - row[label]!);
      });
      const expected = weighted.reduce((sum, value) => sum + value, 0) / LABELS.length;
      expect(relativeError([classificationLoss.item()], [expected])).toBeLessThan(1e-5);
      const total = expected + options.alignment!.weight * alignment!.loss.item();
      expect(relativeError([loss.item()], [total])).toBeLessThan(1e-5);
      loss.backward();
      expect(numbers(given.embedding.grad!).every(Number.isFinite)).toBe(true);
    });
  },
);

describe("parts that are off", () => {
  test("arcface is plain margin cross-entropy", () => {
    scope(() => {
      const given = input();
      const arcface = objective({ variant: "arcface" });
      const { loss, classificationLoss, alignment, damage } = arcface.loss(given);
      const crossEntropy = arcface.margin.logits(given.cosine, given.labels).crossEntropyLoss(given.labels);
      expect(relativeError([loss.item()], [crossEntropy.item()])).toBeLessThan(1e-6);
      expect(classificationLoss.item()).toBe(loss.item());
      expect([alignment, damage]).toEqual([null, null]);
      expect(arcface.perturb(given.images)).toBe(given.images);
    });
  });

  test("topofr-p has alignment and no damage", () => {
    scope(() => {
      const { alignment, damage } = objective({ variant: "topofr-p" }).loss(input());
      expect(alignment).not.toBeNull();
      expect(damage).toBeNull();
    });
  });
});

test("the loss leaves no tensor behind but its own parts", async () => {
  const given = input();
  const before = await settledLiveTensors();
  scope(() => void objective({ preset: "paper" }).loss(given).loss.backward());
  given.embedding.grad = null;
  expect(liveTensors()).toBe(before);
});

test("restored streams perturb and sign as the original would have", () => {
  const { images } = input();
  const first = objective({ preset: "paper", perturbation: { probability: 1 } });
  const draw = (of: Objective) =>
    scope(() => ({ pixels: numbers(of.perturb(images)), omega: numbers(of.loss(input()).damage!.omega) }));
  draw(first);
  const state = JSON.parse(JSON.stringify(first.state())) as Record<string, number[]>;
  const next = draw(first);
  const other = objective({ preset: "paper", perturbation: { probability: 1 } }, 99);
  expect(draw(other)).not.toEqual(next);
  other.restore(state);
  expect(draw(other)).toEqual(next);
});

test("a label out of range is an error with a code, not a crash", () => {
  const { images, embedding, cosine } = input();
  for (const label of [3, -1]) {
    const labels = classLabels([0, label, 1, 0, 2]);
    expect(() => objective({}).loss({ images, embedding, cosine, labels })).toThrow(
      expect.objectContaining({ code: "E_TENSOR" }),
    );
  }
});
