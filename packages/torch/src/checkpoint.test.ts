// checkpoint() against the same computation without it: bit for bit the same numbers.
import { expect, test } from "vitest";
import { checkpoint } from "./checkpoint.js";
import { manualSeed } from "./generator.js";
import { noGrad } from "./gradMode.js";
import * as nn from "./nn/index.js";
import { ops } from "./operators.js";
import { liveTensors, scope } from "./scope.js";
import { rand, randn, type Tensor, tensor } from "./tensor.js";
import { errorOf, numbers } from "./torch.test.helpers.js";

/** Batch norm, a convolution, dropout, and the input added. */
class Block extends nn.Module {
  readonly bn = this.child("bn", new nn.BatchNorm2d(16));
  readonly conv = this.child("conv", new nn.Conv2d(16, 16, 3, { padding: 1, bias: false }));
  readonly dropout = this.child("dropout", new nn.Dropout(0.5));
  override forward(input: Tensor): Tensor {
    return this.dropout.forward(this.conv.forward(this.bn.forward(input))).add(input);
  }
}

class Network extends nn.Module {
  readonly first = this.child("first", new nn.Conv2d(3, 16, 3, { bias: false }));
  readonly blocks = this.child("blocks", new nn.Sequential(new Block(), new Block()));

  constructor(readonly checkpointing: boolean) {
    super();
  }

  override forward(input: Tensor): Tensor {
    return this.blocks.layers.reduce((value, block) => {
      if (!this.checkpointing) return block.forward(value);
      const state = [...block.stateDict().values()].filter(({ requiresGrad }) => !requiresGrad);
      return checkpoint((given) => block.forward(given), value, { state });
    }, this.first.forward(input));
  }
}

type Format = NonNullable<Parameters<nn.Module["to"]>[0]["memoryFormat"]>;

/** Loss, gradients, running means and the random numbers after two steps. */
function twoSteps(checkpointing: boolean, memoryFormat: Format, dtype: "float32" | "bfloat16") {
  manualSeed(5);
  const network = new Network(checkpointing).to({ memoryFormat });
  const result = scope(() => {
    const losses = [0, 1].map(() => {
      const loss = network
        .forward(randn([2, 3, 8, 8]).to(dtype))
        .to("float32")
        .square()
        .mean();
      loss.backward();
      return loss.item();
    });
    return {
      losses,
      gradients: network.parameters().map(({ grad }) => numbers(grad!)),
      state: [...network.stateDict().values()].map(numbers),
      random: numbers(rand([4])),
    };
  });
  network.dispose();
  return result;
}

test.each([
  ["contiguous", "float32"],
  ["channelsLast", "bfloat16"],
  ["blocked", "float32"],
] as const)(
  "%s, %s: values, gradients, running means and random numbers are the plain ones",
  (memoryFormat, dtype) => {
    const plain = twoSteps(false, memoryFormat, dtype);
    expect(twoSteps(true, memoryFormat, dtype)).toEqual(plain);
    expect(plain.gradients.flat().some((value) => value !== 0)).toBe(true);
  },
);

test("parameters get gradients when the input has none, and checkpoints nest", () => {
  scope(() => {
    const weight = tensor([2], { requiresGrad: true });
    const output = checkpoint((x) => checkpoint((y) => y.mul(weight), x).mul(weight), tensor([3]));
    output.backward();
    expect(output.item()).toBe(12);
    expect(numbers(weight.grad!)).toEqual([12]);
  });
});

test("a function may return its input or a parameter", () => {
  scope(() => {
    const weight = tensor([2], { requiresGrad: true });
    const input = tensor([3], { requiresGrad: true });
    checkpoint((x) => x, input)
      .add(checkpoint(() => weight, input))
      .backward();
    expect([numbers(input.grad!), numbers(weight.grad!)]).toEqual([[1], [1]]);
    expect(input.isLeaf && weight.isLeaf).toBe(true);
  });
});

test("a graph that leaves the scope it was made in is whole", () => {
  const weight = tensor([2, 3], { requiresGrad: true });
  const loss = scope(() => checkpoint((x) => ops.dropout(x.mul(weight), 0.5, true), weight.mul(2)).sum());
  loss.backward();
  scope(() => expect(weight.grad!.shape).toEqual([2]));
  loss.dispose();
});

test("without gradients it is the function itself, once", () => {
  let calls = 0;
  const body = (x: Tensor) => {
    calls += 1;
    return x.mul(2);
  };
  scope(() =>
    noGrad(() => expect(checkpoint(body, tensor([3], { requiresGrad: true })).requiresGrad).toBe(false)),
  );
  expect(calls).toBe(1);
});

test("an error in either run comes out as it was thrown; random numbers and running means are as before", () => {
  scope(() => {
    const input = tensor([3], { requiresGrad: true });
    const mean = tensor([1]);
    const failing = (run: number) => {
      let calls = 0;
      return (x: Tensor) => {
        mean.add_(1);
        if (++calls === run) throw new RangeError(`run ${run}`);
        return ops.dropout(x, 0.5, true);
      };
    };
    expect(errorOf(() => checkpoint(failing(1), input))).toEqual(new RangeError("run 1"));
    manualSeed(1);
    const expected = numbers(rand([2]));
    const output = checkpoint(failing(2), input, { state: [mean] });
    manualSeed(1);
    expect(errorOf(() => output.backward())).toEqual(new RangeError("run 2"));
    expect(numbers(rand([2]))).toEqual(expected);
    expect(numbers(mean)).toEqual([3]); // one of each first run
    const other = checkpoint((x) => x.matmul(x.t()), randn([2, 3], { requiresGrad: true }));
    expect(errorOf(() => other.backward())).toMatchObject({ code: "E_TENSOR" });
    const disposed = tensor([1]);
    const late = checkpoint((x) => x.mul(disposed), input);
    disposed.dispose();
    expect(errorOf(() => late.backward())).toMatchObject({ code: "E_TENSOR" });
    expect(errorOf(() => checkpoint(() => 3 as never, input))).toMatchObject({ code: "E_TENSOR" });
  });
});

test("nothing is left alive, and recomputing needs no second backward to be right", () => {
  const weight = tensor([2], { requiresGrad: true });
  const step = () =>
    scope(() => {
      const output = checkpoint((x) => x.mul(weight).mul(weight), weight.mul(1));
      output.backward(null, { retainGraph: true });
      output.backward();
      expect(numbers(weight.grad!)).toEqual([24]); // twice 3 w²
      weight.grad = null;
    });
  step();
  const before = liveTensors();
  for (let round = 0; round < 10; round += 1) step();
  expect(liveTensors()).toBe(before);
});
