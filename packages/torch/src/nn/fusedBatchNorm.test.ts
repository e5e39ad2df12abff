// The addon's fused kernel on channels-last and on blocked data, against libtorch's own operators on the same data in NCHW.
import { expect, test } from "vitest";
import { manualSeed } from "../generator.js";
import { noGrad } from "../gradMode.js";
import { ops } from "../operators.js";
import { scope } from "../scope.js";
import { type DType, full, ones, rand, randn, type Tensor, tensor, zeros } from "../tensor.js";
import { blocked, numbers, relativeError, unblocked } from "../torch.test.helpers.js";

// float32 sums in another order. bfloat16: 8 bits of mantissa, rounded once here and three times in the stock chain.
const TOLERANCE = { float32: 2e-5, bfloat16: 2e-2 };
// The mean itself, about 2e4, is rounded to float32: 2^-11, of a spread of 2.
const OFFSET_TOLERANCE = 5e-4;
const EPS = 1e-5;

interface Case {
  shape: readonly number[];
  prelu?: boolean;
  residual?: boolean;
  training?: boolean;
  dtype?: "float32" | "bfloat16";
  offset?: number;
  isBlocked?: boolean;
}

interface Leaves {
  input: Tensor;
  weight: Tensor;
  bias: Tensor;
  slope: Tensor | null;
  residual: Tensor | null;
}

const differentiable = (value: Tensor): Tensor => {
  const leaf = value.detach().clone({ memoryFormat: "preserve" });
  leaf.requiresGrad = true;
  return leaf;
};

const channelsLast = (value: Tensor) =>
  value.shape.length === 4 ? value.contiguous({ memoryFormat: "channelsLast" }) : value;

function stock(leaves: Leaves, mean: Tensor, variance: Tensor, training: boolean): Tensor {
  const { input, weight, bias, slope, residual } = leaves;
  let output = ops.batchNorm(input, weight, bias, mean, variance, training, 0.1, EPS, false);
  if (slope !== null) output = output.prelu(slope);
  return residual === null ? output : output.add(residual);
}

const fused = (
  { input, weight, bias, ...rest }: Leaves,
  runningMean: Tensor,
  runningVar: Tensor,
  training: boolean,
) =>
  ops.fusedBatchNorm(input, weight, bias, {
    ...rest,
    runningMean,
    runningVar,
    training,
    momentum: 0.1,
    eps: EPS,
  });

/** Largest errors over output, gradients and running statistics, by name. */
function compare({
  shape,
  prelu,
  residual,
  training = true,
  dtype = "float32",
  offset = 0,
  isBlocked = false,
}: Case) {
  return scope(() => {
    const arrange = isBlocked ? blocked : channelsLast;
    manualSeed(shape.reduce((sum, size) => 31 * sum + size, 7));
    const channels = shape[1]!;
    // What both sides start from is exact in `dtype`; the reference computes in float32 (float64 with an offset).
    const wide: DType = offset === 0 ? "float32" : "float64";
    const input = randn(shape).mul(2).add(offset).to(dtype);
    const added = randn(shape).to(dtype);
    const upstream = randn(shape).to(dtype);
    const weight = rand([channels]).add(0.5);
    const bias = randn([channels]);
    const slope = randn([channels]).mul(0.3);

    const side = (name: "fused" | "stock") => {
      const isFused = name === "fused";
      const place = (value: Tensor) => differentiable(isFused ? arrange(value) : value.to(wide));
      const small = (value: Tensor) => differentiable(isFused ? value : value.to(wide));
      const leaves: Leaves = {
        input: place(input),
        weight: small(weight),
        bias: small(bias),
        slope: prelu ? small(slope) : null,
        residual: residual ? place(added) : null,
      };
      const mean = full([channels], offset)
        .add(0.25)
        .to(isFused ? "float32" : wide);
      const variance = full([channels], 3).to(isFused ? "float32" : wide);
      const output = (isFused ? fused : stock)(leaves, mean, variance, training);
      output.backward(isFused ? (isBlocked ? blocked(upstream) : upstream) : upstream.to(wide));
      return {
        output,
        mean,
        variance,
        ...Object.fromEntries(
          Object.entries(leaves).flatMap(([key, leaf]) => (leaf === null ? [] : [[`d${key}`, leaf.grad!]])),
        ),
      } as Record<string, Tensor>;
    };
    const actual = side("fused");
    const expected = side("stock");
    expect(actual.output!.dtype).toBe(dtype);
    expect(Object.keys(actual)).toEqual(Object.keys(expected));
    return Object.fromEntries(
      Object.keys(expected).map((name) => [name, relativeError(unblocked(actual[name]!), expected[name]!)]),
    );
  });
}

function expectWithin(errors: Record<string, number>, tolerance: number): void {
  const wrong = Object.entries(errors).filter(([, error]) => !(error <= tolerance));
  expect(wrong).toEqual([]);
}

const VARIANTS = [{}, { prelu: true }, { residual: true }, { prelu: true, residual: true }];
const SHAPES = [
  [3, 1, 5, 7],
  [2, 3, 1, 1],
  [3, 17, 5, 3],
  [2, 64, 9, 7],
  [5, 3, 31, 33],
  [2, 5],
  [33, 17],
  [1301, 3],
];

for (const shape of SHAPES) {
  for (const training of [true, false]) {
    for (const variant of VARIANTS) {
      const name = ["batch norm", ...Object.keys(variant)].join(" + ");
      test(`${name}, [${shape}], ${training ? "training" : "evaluation with gradients"}`, () => {
        expectWithin(compare({ shape, training, ...variant }), TOLERANCE.float32);
      });
    }
  }
}

for (const shape of [
  [3, 16, 5, 7],
  [2, 64, 9, 7],
  [2, 32, 1, 1],
  [5, 48, 31, 33],
]) {
  for (const training of [true, false]) {
    test.each(VARIANTS)(
      `blocked [${shape}], ${training ? "training" : "evaluation with gradients"}, %o`,
      (variant) => {
        expectWithin(compare({ shape, training, isBlocked: true, ...variant }), TOLERANCE.float32);
      },
    );
  }
}

test.each(VARIANTS)("bfloat16 %o is within 2% of float32", (variant) => {
  expectWithin(compare({ shape: [4, 16, 9, 9], dtype: "bfloat16", ...variant }), TOLERANCE.bfloat16);
});

test("a mean of 10,000 standard deviations costs no more than the rounding of the mean", () => {
  // Against float64 on the same input.
  const errors = compare({ shape: [4, 8, 16, 16], offset: 2e4, prelu: true });
  expectWithin(errors, OFFSET_TOLERANCE);
});

test("evaluation without gradients equals evaluation with them", () => {
  manualSeed(5);
  for (const dtype of ["float32", "bfloat16"] as const) {
    for (const shape of [
      [2, 5, 3, 3],
      [7, 5],
    ]) {
      const input = channelsLast(randn(shape)).to(dtype);
      const residual = channelsLast(randn(shape)).to(dtype);
      const options = {
        slope: full([5], 0.2),
        residual,
        runningMean: randn([5]),
        runningVar: rand([5]),
        training: false,
      };
      const run = () => ops.fusedBatchNorm(input, ones([5]), zeros([5], { requiresGrad: true }), options);
      const withGradients = run();
      const without = noGrad(run);
      expect([withGradients.requiresGrad, without.requiresGrad]).toEqual([true, false]);
      expect(relativeError(without, withGradients)).toBeLessThan(TOLERANCE[dtype]);
    }
  }
});

test.each(["weight", "bias", "slope", "residual", "input"] as const)(
  "evaluation records gradients when only the %s asks for them",
  (name) => {
    const leaves = {
      input: randn([4, 3]),
      weight: ones([3]),
      bias: zeros([3]),
      slope: ones([3]),
      residual: randn([4, 3]),
    };
    leaves[name].requiresGrad = true;
    const output = fused(leaves, zeros([3]), ones([3]), false);
    output.sum().backward();
    expect(leaves[name].grad?.shape).toEqual(leaves[name].shape);
  },
);

test("NaN and infinity reach the output, the gradients and the running statistics, in their channel alone", () => {
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
    for (const position of [0, 4, 11]) {
      const values = Float32Array.from({ length: 12 }, (_, index) => (index === position ? bad : index / 7));
      const input = differentiable(tensor(values, { shape: [6, 2] }));
      const mean = zeros([2]);
      const variance = ones([2]);
      const leaves = { input, weight: ones([2]), bias: zeros([2]), slope: full([2], 0.1), residual: null };
      const output = fused(leaves, mean, variance, true);
      output.backward(ones([6, 2]));
      const channel = position % 2;
      const isBad = (values: number[]) => values.map((value) => !Number.isFinite(value));
      expect(isBad(numbers(variance))).toEqual([channel === 0, channel === 1]);
      expect(isBad(numbers(mean))).toEqual([channel === 0, channel === 1]);
      for (const value of [output, input.grad!])
        expect(isBad(numbers(value))).toEqual(
          Array.from({ length: 12 }, (_, index) => index % 2 === channel),
        );
    }
  }
});

test("a constant channel becomes its bias", () => {
  const output = ops.fusedBatchNorm(full([8, 1], 1234.5), full([1], 3), full([1], 0.5));
  expect(numbers(output)).toEqual(Array(8).fill(0.5));
});

test("a strided weight is read by its strides", () => {
  const input = randn([6, 3]);
  const strided = tensor([1, 9, 2, 9, 3, 9], { shape: [3, 2] }).select(1, 0);
  const run = (weight: Tensor) => {
    const leaf = differentiable(input);
    ops
      .fusedBatchNorm(leaf, weight, zeros([3]), { slope: full([3], 0.1) })
      .pow(2)
      .sum()
      .backward();
    return leaf.grad!;
  };
  expect(relativeError(run(strided), run(strided.contiguous()))).toBeLessThan(1e-6);
});
