// Optimisers against PyTorch's formulas, written out again in plain JavaScript (float64).
import { expect, test } from "vitest";
import { manualSeed } from "../generator.js";
import { ones, randn, type Tensor, tensor } from "../tensor.js";
import { errorOf, numbers, relativeError } from "../torch.test.helpers.js";
import { AdamW } from "./adamw.js";
import { clipGradNorm_ } from "./clipGradNorm.js";
import type { Optimizer } from "./optimizer.js";
import { polynomialLearningRate } from "./schedule.js";
import { SGD } from "./sgd.js";

type Update = (parameter: number[], gradient: readonly number[], step: number) => void;

/** Five steps on two parameters with given gradients; the learning rate changes on the way. */
function follow(
  make: (parameters: [string, Tensor][]) => Optimizer,
  references: (lr: () => number) => Update,
) {
  manualSeed(3);
  const parameters: [string, Tensor][] = [
    ["a", randn([3, 2], { requiresGrad: true })],
    ["b", randn([4], { requiresGrad: true })],
  ];
  const optimizer = make(parameters);
  const expected = parameters.map(([, parameter]) => numbers(parameter));
  const updates = parameters.map(() => references(() => optimizer.lr));
  for (let step = 1; step <= 5; ++step) {
    optimizer.lr = 0.1 / step;
    for (const [index, [, parameter]] of parameters.entries()) {
      const gradient = randn(parameter.shape);
      parameter.grad = gradient;
      updates[index]!(expected[index]!, numbers(gradient), step);
    }
    optimizer.step();
    optimizer.zeroGrad();
    for (const [index, [, parameter]] of parameters.entries()) {
      expect(relativeError(parameter, expected[index]!)).toBeLessThan(1e-6);
      expect(parameter.grad).toBeNull();
    }
  }
}

test.each([
  [0, 0],
  [0.9, 0],
  [0, 5e-4],
  [0.9, 5e-4],
])("SGD with momentum %d and weight decay %d", (momentum, weightDecay) => {
  follow(
    (parameters) => new SGD(parameters, { lr: 0, momentum, weightDecay }),
    (lr) => {
      let buffer: number[] | undefined;
      return (parameter, gradient) => {
        const decayed = gradient.map((value, index) => value + weightDecay * parameter[index]!);
        buffer = buffer?.map((value, index) => momentum * value + decayed[index]!) ?? decayed;
        for (const index of parameter.keys()) parameter[index]! -= lr() * buffer[index]!;
      };
    },
  );
});

test.each([
  [0.9, 0.999, 0.01],
  [0.8, 0.95, 0.1],
])("AdamW with betas %d, %d and weight decay %d", (beta1, beta2, weightDecay) => {
  follow(
    (parameters) => new AdamW(parameters, { lr: 0, betas: [beta1, beta2], weightDecay }),
    (lr) => {
      const first: number[] = [];
      const second: number[] = [];
      return (parameter, gradient, step) => {
        for (const [index, g] of gradient.entries()) {
          first[index] = beta1 * (first[index] ?? 0) + (1 - beta1) * g;
          second[index] = beta2 * (second[index] ?? 0) + (1 - beta2) * g * g;
          const corrected = Math.sqrt(second[index]! / (1 - beta2 ** step));
          parameter[index]! *= 1 - lr() * weightDecay;
          parameter[index]! -= (lr() * first[index]!) / (1 - beta1 ** step) / (corrected + 1e-8);
        }
      };
    },
  );
});

test("a parameter without a gradient stays as it is", () => {
  const still = ones([2], { requiresGrad: true });
  const moving = ones([2], { requiresGrad: true });
  moving.grad = ones([2]);
  const named: [string, Tensor][] = [
    ["still", still],
    ["moving", moving],
  ];
  new SGD(named, { lr: 0.5, momentum: 0.9, weightDecay: 0.1 }).step();
  expect(numbers(still)).toEqual([1, 1]);
  expect(relativeError(moving, [0.45, 0.45])).toBeLessThan(1e-6);
});

test("clipping scales all gradients by one factor, and only when their joint norm is too large", () => {
  const parameters = [ones([1], { requiresGrad: true }), ones([2], { requiresGrad: true }), ones([1])];
  const set = () => {
    parameters[0]!.grad = tensor([2]);
    parameters[1]!.grad = tensor([3, 6]);
  };
  const gradients = () => parameters.slice(0, 2).flatMap((parameter) => numbers(parameter.grad!));
  set();
  expect(clipGradNorm_(parameters, 10)).toBe(7);
  expect(gradients()).toEqual([2, 3, 6]);
  expect(clipGradNorm_(parameters, 3.5)).toBe(7);
  expect(relativeError(gradients(), [1, 1.5, 3])).toBeLessThan(1e-6);
  expect(clipGradNorm_([ones([1])], 1)).toBe(0);
});

test.each([Number.NaN, Number.POSITIVE_INFINITY])(
  "a gradient of %d is reported and nothing is scaled",
  (bad) => {
    const parameters = [ones([2], { requiresGrad: true }), ones([1], { requiresGrad: true })];
    parameters[0]!.grad = tensor([1000, 2000]);
    parameters[1]!.grad = tensor([bad]);
    expect(clipGradNorm_(parameters, 1)).toBe(bad);
    expect(numbers(parameters[0]!.grad!)).toEqual([1000, 2000]);
  },
);

test("the polynomial schedule is its closed form, after a linear warm-up", () => {
  const at = polynomialLearningRate({ base: 0.1, totalSteps: 110, warmupSteps: 10 });
  expect([at(0), at(5), at(10), at(60), at(110), at(500)]).toEqual([0, 0.05, 0.1, 0.025, 0, 0]);
  const linear = polynomialLearningRate({ base: 1, totalSteps: 4, power: 1 });
  expect([0, 1, 2, 3, 4].map(linear)).toEqual([1, 0.75, 0.5, 0.25, 0]);
});

test.each([
  [
    "SGD",
    (named: [string, Tensor][]) => new SGD(named, { lr: 0.1, momentum: 0.9, weightDecay: 0.01 }),
    ["momentum.w"],
  ],
  [
    "AdamW",
    (named: [string, Tensor][]) => new AdamW(named, { lr: 0.1 }),
    ["exp_avg.w", "exp_avg_sq.w", "step"],
  ],
] as const)("%s continues bit for bit from its state dict", (_, make, names) => {
  manualSeed(9);
  const start = randn([5]);
  const gradients = Array.from({ length: 6 }, () => randn([5]));
  const copy = (value: Tensor) => {
    const made = value.detach().clone();
    made.requiresGrad = true;
    return made;
  };
  const run = (optimizer: Optimizer, parameter: Tensor, steps: Tensor[]) => {
    for (const gradient of steps) {
      parameter.grad = gradient;
      optimizer.step();
    }
  };
  const whole = copy(start);
  const first = make([["w", whole]]);
  run(first, whole, gradients.slice(0, 3));
  expect([...first.stateDict().keys()]).toEqual(names);
  const resumed = copy(whole);
  const second = make([["w", resumed]]);
  second.loadStateDict(first.stateDict());
  run(first, whole, gradients.slice(3));
  run(second, resumed, gradients.slice(3));
  expect(numbers(resumed)).toEqual(numbers(whole));
});

test("state of another network or optimiser is refused, and nothing is loaded", () => {
  const make = (...shape: number[]) =>
    new AdamW(
      [
        ["v", ones([2], { requiresGrad: true })],
        ["w", ones(shape, { requiresGrad: true })],
      ],
      { lr: 0.1 },
    );
  const own = make(3);
  const other = make(4);
  for (const value of other.stateDict().values()) value.fill_(1);
  const { code, message } = errorOf(() => own.loadStateDict(other.stateDict())) as Error & { code: string };
  expect(code).toBe("E_MODEL");
  expect(message).toContain('"exp_avg.w" has shape [4], expected [3]');
  expect(numbers(own.stateDict().get("exp_avg.v")!)).toEqual([0, 0]);
  const sgd = new SGD([["v", ones([2], { requiresGrad: true })]], { lr: 0.1, momentum: 0.9 });
  expect(errorOf(() => own.loadStateDict(sgd.stateDict())).code).toBe("E_MODEL");
});
