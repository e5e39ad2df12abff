// PartialFC against the whole classifier: the sampled rows train as they would alone, all others rest.
import { liveTensors, manualSeed, optim, scope, type Tensor, tensor } from "@topofr/torch";
import { describe, expect, test } from "vitest";
import { RandomStream } from "../random/stream.js";
import { CosineClassifier, cosineLogits } from "./classifier.js";
import { numbers, relativeError, settledLiveTensors } from "./method.test.support.js";
import { PartialClassifier } from "./partialClassifier.js";

const CLASSES = 40;
const SIZE = 4;

const partial = (sampleRate: number, seed = 1) => {
  manualSeed(2);
  return new PartialClassifier(CLASSES, SIZE, { sampleRate, seed });
};
const rowsOf = (matrix: Tensor): number[][] => {
  const values = numbers(matrix);
  return Array.from({ length: values.length / SIZE }, (_, row) => values.slice(row * SIZE, (row + 1) * SIZE));
};
const labelsOf = (...labels: number[]) => BigInt64Array.from(labels, BigInt);

/** Which class each of the centres is. */
function classesOf(classifier: CosineClassifier, centres: Tensor): number[] {
  const all = rowsOf(classifier.weight).map(String);
  return rowsOf(centres).map((row) => all.indexOf(String(row)));
}

describe("a selection", () => {
  test("has the batch's classes and a share of the others, each once, and labels that point to them", () => {
    const classifier = partial(0.25);
    const { centres, labels } = classifier.select(labelsOf(7, 3, 7, 39));
    const classes = classesOf(classifier, centres);
    expect(classes).toHaveLength(10);
    expect(new Set(classes).size).toBe(10);
    expect(Array.from(labels, (row) => classes[Number(row)])).toEqual([7, 3, 7, 39]);
    classifier.dispose();
  });

  test("is as large as the batch's classes when those are more than the share", () => {
    const classifier = partial(0.01);
    expect(classifier.compared).toBe(1);
    expect(classesOf(classifier, classifier.select(labelsOf(5, 1, 5)).centres)).toEqual([5, 1]);
    classifier.dispose();
  });

  test("takes every other class equally often", () => {
    const classifier = partial(0.25);
    const counts = new Float64Array(CLASSES);
    const rounds = 2000;
    for (let round = 0; round < rounds; round++) {
      for (const own of classesOf(classifier, classifier.select(labelsOf(0)).centres)) counts[own]! += 1;
      classifier.endStep();
    }
    expect(counts[0]).toBe(rounds);
    // 9 of 39 each time; 5 standard deviations
    const share = 9 / 39;
    const deviation = Math.sqrt(rounds * share * (1 - share));
    for (const count of counts.slice(1)) expect(Math.abs(count - rounds * share)).toBeLessThan(5 * deviation);
    classifier.dispose();
  });

  test("is that of the seed, and goes on from a saved state", () => {
    const [first, second] = [partial(0.25), partial(0.25)];
    const draw = (classifier: PartialClassifier) => {
      const found = classesOf(classifier, classifier.select(labelsOf(1)).centres);
      classifier.endStep();
      return found;
    };
    const drawn = [draw(first), draw(first)];
    second.restore(JSON.parse(JSON.stringify(first.state())) as Record<string, number[]>);
    const next = draw(first);
    expect(draw(second)).toEqual(next);
    expect(drawn).not.toContainEqual(next);
    for (const each of [first, second]) each.dispose();
  });

  test.each([-1, CLASSES])("of a label %d is an error", (label) => {
    const classifier = partial(0.25);
    expect(() => classifier.select(labelsOf(1, label))).toThrow(
      expect.objectContaining({ code: "E_TENSOR", message: expect.stringContaining("0 .. 39") as string }),
    );
    classifier.dispose();
  });

  test("of the whole classifier is all classes", () => {
    const classifier = new CosineClassifier(CLASSES, SIZE);
    const labels = labelsOf(3);
    expect(classifier.select(labels)).toEqual({ centres: classifier.weight, labels });
    expect([classifier.sampled().size, classifier.compared]).toEqual([0, CLASSES]);
    classifier.dispose();
  });
});

const stream = new RandomStream(4, "embeddings");
const embeddings = (count: number) =>
  tensor(
    Float32Array.from({ length: count * SIZE }, () => stream.normal()),
    { shape: [count, SIZE] },
  );

/** Cross-entropy of the batch's cosines. */
function backward(classifier: CosineClassifier, embedding: Tensor, labels: BigInt64Array): Tensor {
  const selection = classifier.select(labels);
  scope(() => {
    const cosine = cosineLogits(embedding, selection.centres);
    cosine.mul(8).crossEntropyLoss(tensor(selection.labels)).backward();
  });
  return selection.centres;
}

describe.each([
  ["SGD", (named: [string, Tensor][]) => new optim.SGD(named, { lr: 0.5, momentum: 0.9, weightDecay: 0.1 })],
  ["AdamW", (named: [string, Tensor][]) => new optim.AdamW(named, { lr: 0.1, weightDecay: 0.1 })],
] as const)("%s", (_, make) => {
  test("moves the sampled rows as a classifier of only those, and leaves the others and their state", () => {
    const classifier = partial(0.25);
    const optimizer = make([["weight", classifier.weight]]);
    scope(() => {
      for (let step = 0; step < 3; step++) {
        const before = rowsOf(classifier.weight);
        const states = () => [...optimizer.stateDict()].filter(([name]) => name !== "step");
        const stateBefore = new Map(states().map(([name, value]) => [name, rowsOf(value)]));
        const centres = backward(classifier, embeddings(3), labelsOf(2, 4 + step, 2));
        const classes = classesOf(classifier, centres);

        // The same rows as a parameter of their own, with the state that they had.
        const rows = tensor(classes, { dtype: "int64" });
        const alone = centres.detach().clone();
        alone.requiresGrad = true;
        alone.grad = centres.grad;
        const other = make([["weight", alone]]);
        other.loadStateDict(
          new Map(
            [...optimizer.stateDict()].map(([name, value]) => [
              name,
              name === "step" ? value : value.indexSelect(0, rows),
            ]),
          ),
        );
        other.step();
        expect(classifier.weight.grad).toBeNull();
        optimizer.step(classifier.sampled());
        classifier.endStep();

        const after = rowsOf(classifier.weight);
        expect(classes.map((own) => after[own])).toEqual(rowsOf(alone));
        const others = [...before.keys()].filter((own) => !classes.includes(own));
        expect(others.map((own) => after[own])).toEqual(others.map((own) => before[own]));
        for (const [name, value] of states()) {
          const found = rowsOf(value);
          expect(classes.map((own) => found[own])).toEqual(rowsOf(other.stateDict().get(name)!));
          expect(others.map((own) => found[own])).toEqual(others.map((own) => stateBefore.get(name)![own]));
        }
        other.dispose();
      }
    });
    optimizer.dispose();
    classifier.dispose();
  });
});

test("all classes sampled, training is that of the whole classifier", () => {
  const part = partial(0.999);
  expect(part.compared).toBe(CLASSES);
  manualSeed(2);
  const whole = new CosineClassifier(CLASSES, SIZE);
  const optimizers = [part, whole].map(
    ({ weight }) => new optim.SGD([["weight", weight]], { lr: 0.5, momentum: 0.9, weightDecay: 0.1 }),
  );
  for (let step = 0; step < 3; step++) {
    const batch = embeddings(4);
    for (const [index, classifier] of [part, whole].entries()) {
      backward(classifier, batch, labelsOf(1, 5, 39, step));
      optimizers[index]!.step(classifier.sampled());
      optimizers[index]!.zeroGrad();
      classifier.endStep();
    }
  }
  expect(relativeError(numbers(part.weight), numbers(whole.weight))).toBeLessThan(1e-6);
  for (const each of [part, whole, ...optimizers]) each.dispose();
});

test("several batches of one step: their classes together, the gradients of common ones added", () => {
  const classifier = partial(0.25);
  scope(() => {
    const pieces = [labelsOf(1, 2), labelsOf(2, 30)].map((labels) => {
      const centres = backward(classifier, embeddings(2), labels);
      return { classes: classesOf(classifier, centres), gradient: rowsOf(centres.grad!) };
    });
    const [[parameter, { rows, values }]] = [...classifier.sampled()] as [[Tensor, optim.SampledRows]];
    expect(parameter).toBe(classifier.weight);
    const classes = numbers(rows);
    expect([...classes].sort((a, b) => a - b)).toEqual(
      [...new Set(pieces.flatMap((piece) => piece.classes))].sort((a, b) => a - b),
    );
    const expected = classes.map((own) =>
      Array.from({ length: SIZE }, (_, k) =>
        pieces.reduce((sum, piece) => sum + (piece.gradient[piece.classes.indexOf(own)]?.[k] ?? 0), 0),
      ),
    );
    expect(relativeError(numbers(values.grad!), expected.flat())).toBeLessThan(1e-6);
    expect(classesOf(classifier, values)).toEqual(classes);
  });
  classifier.dispose();
});

test("100 steps leave as many tensors alive as one", async () => {
  const classifier = partial(0.25);
  const optimizer = new optim.SGD([["weight", classifier.weight]], { lr: 0.5, momentum: 0.9 });
  const step = (batches: number) => {
    scope(() => {
      for (let i = 0; i < batches; i++) backward(classifier, embeddings(2), labelsOf(1, 2));
      optimizer.step(classifier.sampled());
    });
    classifier.endStep();
  };
  step(1);
  const before = await settledLiveTensors();
  for (let i = 0; i < 100; i++) step(1 + (i % 2));
  expect(liveTensors()).toBe(before);
  optimizer.dispose();
  classifier.dispose();
});
