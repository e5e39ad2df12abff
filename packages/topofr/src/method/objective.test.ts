// The objective as a whole: equation 10 from its parts, parts that are off, and random streams that continue.
import { liveTensors, scope, type Tensor, tensor } from "@topofr/torch";
import { describe, expect, test } from "vitest";
import { RandomStream } from "../random/stream.js";
import { cosineLogits, rowNorms } from "./classifier.js";
import { classLabels, numbers, relativeError, settledLiveTensors } from "./method.test.support.js";
import { Objective, type ObjectiveInput } from "./objective.js";
import { objectiveOptions } from "./objectiveComposition.js";
import { type ObjectiveChoice, PRESET_NAMES, VARIANT_NAMES } from "./objectiveOptions.js";

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

const objective = (choice: ObjectiveChoice, seed = 3) =>
  new Objective(objectiveOptions(choice), { seed, classes: 3 });

test.each(PRESET_NAMES)(
  "%s: the loss is mean(omega · margin cross-entropy) + alpha · alignment",
  (preset) => {
    scope(() => {
      const given = input();
      const { loss, classificationLoss, alignment, damage } = objective({ preset }).loss(given);
      const { margin, options } = objective({ preset });
      const logits = numbers(margin.logits(given.cosine, given.labels, rowNorms(given.embedding)));
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

describe("rivals take the place of the mean margin cross-entropy", () => {
  /** Margin logits of a variant, one row a sample, and cross-entropies of such rows. */
  function valuesOf(choice: ObjectiveChoice) {
    const given = input();
    const own = objective(choice);
    const { classificationLoss } = own.loss(given);
    const flat = numbers(own.logits("margin", given));
    const rows = LABELS.map((_, i) => flat.slice(3 * i, 3 * i + 3));
    return { loss: classificationLoss.item(), rows, norms: numbers(rowNorms(given.embedding)) };
  }
  const crossEntropies = (rows: readonly number[][]) =>
    rows.map((row, i) => {
      const largest = Math.max(...row);
      const total = row.reduce((sum, value) => sum + Math.exp(value - largest), 0);
      return largest + Math.log(total) - row[LABELS[i]!]!;
    });
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const scale = { margin: { scale: 4 } };

  test("magface adds its regulariser of the lengths", () => {
    scope(() => {
      const { loss, rows, norms } = valuesOf({ variant: "magface", margin: { scale: 4, smallestNorm: 1 } });
      const lengths = norms.map((norm) => Math.min(110, Math.max(1, norm)));
      const expected = mean(crossEntropies(rows)) + mean(lengths.map((a) => 35 * (a / 110 ** 2 + 1 / a)));
      expect(relativeError([loss], [expected])).toBeLessThan(1e-5);
    });
  });

  test("focal weighs each loss by (1 - p)², atk takes the largest half", () => {
    scope(() => {
      const focal = valuesOf({ variant: "focal", ...scale });
      const weighted = crossEntropies(focal.rows).map((loss) => (1 - Math.exp(-loss)) ** 2 * loss);
      expect(relativeError([focal.loss], [mean(weighted)])).toBeLessThan(1e-5);
      const atk = valuesOf({ variant: "atk", ...scale });
      const largest = crossEntropies(atk.rows).sort((a, b) => b - a);
      expect(relativeError([atk.loss], [mean(largest.slice(0, 3))])).toBeLessThan(1e-5); // of 5
    });
  });

  test("mv-softmax changes the logits that the loss sees", () => {
    scope(() => {
      const arcface = valuesOf({ variant: "arcface", ...scale });
      const changed = arcface.rows.map((row, i) =>
        row.map((value) => (value > row[LABELS[i]!]! ? 1.12 * value + 4 * 0.12 : value)),
      );
      const { loss, rows } = valuesOf({ variant: "mv-softmax", ...scale });
      expect(relativeError(rows.flat(), changed.flat())).toBeLessThan(1e-6);
      expect(rows).not.toEqual(arcface.rows);
      expect(relativeError([loss], [mean(crossEntropies(changed))])).toBeLessThan(1e-5);
    });
  });

  test("without a constraint the loss is ArcFace's, its gradient is not", () => {
    scope(() => {
      const gradients = (["arcface", "arcface-no-intra", "arcface-no-inter"] as const).map((variant) => {
        const given = input();
        const { loss } = objective({ variant, ...scale }).loss(given);
        loss.backward();
        return [loss.item(), ...numbers(given.embedding.grad!)];
      });
      const [whole, inter, intra] = gradients as [number[], number[], number[]];
      expect([inter[0], intra[0]]).toEqual([whole[0], whole[0]]);
      const sum = inter.map((value, i) => value + intra[i]!);
      expect(relativeError(sum.slice(1), whole.slice(1))).toBeLessThan(1e-5);
      expect(Math.max(...intra.slice(1).map(Math.abs))).toBeGreaterThan(0);
    });
  });
});

test("a batch goes into the running means by its loss, not by looking at its logits", () => {
  scope(() => {
    const adaface = objective({ variant: "adaface" });
    const given = input();
    const before = adaface.state().margin;
    adaface.logits("margin", given);
    expect(adaface.state().margin).toEqual(before);
    adaface.loss(given);
    expect(adaface.state().margin).not.toEqual(before);
  });
});

test.each(VARIANT_NAMES)(
  "%s: value and gradient are finite, and a restored state gives the same again",
  (variant) => {
    const own = objective({ preset: "spherical", variant });
    const other = objective({ preset: "spherical", variant }, 99);
    const run = (of: Objective) =>
      scope(() => {
        const given = input();
        const { loss } = of.loss({ ...given, images: of.perturb(given.images) });
        loss.backward();
        return [loss.item(), ...numbers(given.embedding.grad!)];
      });
    expect(run(own).every(Number.isFinite)).toBe(true);
    other.restore(JSON.parse(JSON.stringify(own.state())) as Record<string, number[]>);
    expect(run(other)).toEqual(run(own));
    for (const { learned } of [own, other]) learned?.dispose();
  },
);

describe("parts that are off", () => {
  test("arcface is plain margin cross-entropy", () => {
    scope(() => {
      const given = input();
      const arcface = objective({ variant: "arcface" });
      const { loss, classificationLoss, alignment, damage } = arcface.loss(given);
      const crossEntropy = arcface.margin
        .logits(given.cosine, given.labels, rowNorms(given.embedding))
        .crossEntropyLoss(given.labels);
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
