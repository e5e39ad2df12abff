// Calls by name: arguments, overloads, and above all what happens when they are wrong.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import fc from "fast-check";
import { expect, test } from "vitest";
import { operator, operatorNames, ops } from "./operators.js";
import { buildInfo } from "./system.js";
import { arange, type DType, ones, type Tensor, tensor, zeros } from "./tensor.js";
import { errorOf, numbers } from "./torch.test.helpers.js";

test("options go by camel-case name, in any order, and have libtorch's defaults", () => {
  const x = tensor([
    [1, 2],
    [3, 4],
  ]);
  expect(x.sum({ dim: undefined } as object).item()).toBe(10);
  expect(numbers(x.sum([0]))).toEqual([4, 6]);
  expect(x.sum([1], { keepdim: true }).shape).toEqual([2, 1]);
  expect(numbers(x.add(x, { alpha: 2 }))).toEqual([3, 6, 9, 12]);
  expect(numbers(x.flatten({ endDim: 1, startDim: 0 }))).toEqual([1, 2, 3, 4]);
  expect(x.sum([1], { dtype: "float64", keepdim: true }).dtype).toBe("float64");
});

test("options that are undefined count as not given", () => {
  const x = tensor([1, 2]);
  const passedOn = (options?: { memoryFormat?: "contiguous" }) => x.clone(options);
  expect(numbers(passedOn())).toEqual([1, 2]);
  expect(numbers(x.add(1, undefined))).toEqual([2, 3]);
});

test("a number stands for a whole int[2]", () => {
  const input = ones([1, 1, 4, 4]);
  const kernel = ones([1, 1, 3, 3]);
  expect(ops.conv2d(input, kernel, { stride: 1, padding: 1 }).shape).toEqual([1, 1, 4, 4]);
  expect(ops.conv2d(input, kernel, { padding: [1, 0] }).shape).toEqual([1, 1, 4, 2]);
  expect(ops.conv2d(input, kernel, { padding: "same" }).shape).toEqual([1, 1, 4, 4]);
});

test("overloads are chosen by the arguments' types", () => {
  const x = tensor([1, 2, 3]);
  expect(numbers(x.mul(2))).toEqual([2, 4, 6]);
  expect(numbers(x.mul(x))).toEqual([1, 4, 9]);
  expect(x.max().item()).toBe(3);
  expect(x.max(0).map((part) => part.item())).toEqual([3, 2]);
  expect(numbers(x.max(tensor([2, 2, 2])))).toEqual([2, 2, 3]);
  expect(numbers(x.pow(2))).toEqual([1, 4, 9]);
  expect(numbers(ops.pow(2, x))).toEqual([2, 4, 8]);
  expect(x.to("int64").dtype).toBe("int64");
  expect(x.to("cpu", "float64").dtype).toBe("float64");
  expect(numbers(ops.where(x.gt(1), x, 0))).toEqual([0, 2, 3]);
});

test("a whole number keeps an integer tensor integer, a fraction makes it float", () => {
  const x = arange(3);
  expect(x.mul(2).dtype).toBe("int64");
  expect(x.mul(0.5).dtype).toBe("float32");
  expect(x.add(2n ** 40n).toTypedArray()[0]).toBe(2n ** 40n);
});

test("lists of tensors, and null for an absent one, go in; lists and tuples come out", () => {
  const x = arange(6).reshape([2, 3]);
  expect(ops.cat([x, x], { dim: 1 }).shape).toEqual([2, 6]);
  expect(x.split(1).map((part) => part.shape)).toEqual([
    [1, 3],
    [1, 3],
  ]);
  expect(numbers(x.index([null, tensor([2, 0], { dtype: "int64" })]))).toEqual([2, 0, 5, 3]);
  const [values, indices] = tensor([3, 1, 2]).sort();
  expect([numbers(values), numbers(indices)]).toEqual([
    [1, 2, 3],
    [1, 2, 0],
  ]);
  const list = [zeros([1]), zeros([2])];
  expect(ops._foreachAdd_(list, 1)).toBeUndefined();
  expect(numbers(list[1]!)).toEqual([1, 1]);
});

test("operator(name) reaches what has no typed signature", () => {
  const svd = operator("aten::linalg_svd");
  const [, singular] = svd(
    tensor([
      [3, 0],
      [0, 4],
    ]),
  ) as Tensor[];
  expect(numbers(singular!)[0]).toBeCloseTo(4, 5);
  expect(operatorNames()).toContain("aten::linalg_svd");
  expect(errorOf(() => operator("aten::nope"))).toMatchObject({
    code: "E_TENSOR",
    message: expect.stringContaining('"aten::nope"'),
  });
});

/** Every call here is wrong on purpose, so the types have to look away. */
const loose = (value: unknown) => value as Record<string, (...args: unknown[]) => unknown>;

test("shapes that do not fit: the operator, its arguments' names and shapes, libtorch's reason", () => {
  const { message, code } = errorOf(() => ones([2, 3]).matmul(ones([4, 5], { dtype: "float32" })));
  expect(code).toBe("E_TENSOR");
  expect(message).toContain("aten::matmul(self: float32[2, 3], other: float32[4, 5])");
  expect(message).toContain("cannot be multiplied");
});

test("an unknown option is named", () => {
  const { message } = errorOf(() => loose(ones([2])).sum!([0], { keepDim: true }));
  expect(message).toContain('unknown option "keepDim"');
  expect(message).toContain("keepDim: true");
});

test("a wrong dtype, a missing argument and a wrong type are named", () => {
  const x = loose(ones([2]));
  expect(errorOf(() => x.to!("float")).message).toContain('"float"');
  expect(errorOf(() => x.sum!({ dtype: "double" })).message).toContain('argument "dtype"');
  expect(errorOf(() => x.add!()).message).toContain('missing argument "other"');
  expect(errorOf(() => x.reshape!(2)).message).toContain('argument "shape"');
  expect(errorOf(() => x.add!({ wrapped: 1 })).code).toBe("E_TENSOR");
});

test("a disposed tensor is refused, by operator name", () => {
  const gone = ones([2]);
  gone.dispose();
  gone.dispose();
  expect(gone.disposed).toBe(true);
  for (const body of [() => gone.add(1), () => ones([2]).add(gone), () => ops.cat([gone])]) {
    const { code, message } = errorOf(body);
    expect(code).toBe("E_TENSOR");
    expect(message).toMatch(/aten::(add|cat).*disposed/s);
  }
  for (const body of [() => gone.shape, () => gone.item(), () => gone.toBytes(), () => gone.backward()])
    expect(errorOf(body)).toMatchObject({ code: "E_TENSOR", message: expect.stringContaining("disposed") });
});

test.each<[string, () => unknown]>([
  ["an unknown device", () => zeros([1], { device: "toaster" })],
  ["an absent device", () => zeros([1], { device: "cuda:99" })],
  ["moving to an absent device", () => ones([1]).to({ device: "cuda:99" })],
  ["4 petabytes", () => zeros([1e15])],
  ["16 terabytes", () => zeros([4e12])],
  ["a shape beyond 64 bits", () => zeros([1e10, 1e10])],
  ["a negative size", () => zeros([-1])],
  ["backward of a vector", () => ones([2], { requiresGrad: true }).mul(2).backward()],
  ["backward without a graph", () => ones([1]).backward()],
  ["backward from a number", () => loose(ones([2], { requiresGrad: true }).mul(1)).backward!(1)],
  ["item() of a vector", () => ones([2]).item()],
  ["new Tensor", () => new (ones([1]).constructor as new () => Tensor)()],
  ["a method on another object", () => loose(ones([1])).add!.call({}, 1)],
  ["an object made like a tensor", () => ones([1]).add(Object.create(ones([1])) as Tensor)],
  ["an object without a prototype", () => ones([1]).add(Object.create(null) as Tensor)],
  ["a symbol", () => loose(ones([1])).add!(Symbol("x"))],
  ["a function", () => loose(ones([1])).add!(() => 1)],
  ["a typed array", () => loose(ones([1])).reshape!(new Int32Array(1000))],
  ["an index out of range", () => arange(3).select(0, 7)],
  ["an empty list", () => ops.cat([])],
  ["a list with a hole", () => ops.cat([ones([1]), undefined as unknown as Tensor])],
  ["an in-place change of a leaf", () => ones([1], { requiresGrad: true }).add_(1)],
  [
    "a gradient of another shape",
    () => Object.assign(ones([2], { requiresGrad: true }), { grad: ones([3]) }),
  ],
  ["labels out of range", () => ones([1, 2]).crossEntropyLoss(tensor([5], { dtype: "int64" }))],
  ["float labels as an index", () => ones([2]).indexSelect(0, ones([1]))],
  ["a sparse tensor's elements", () => (operator("aten::to_sparse")(ones([2, 2])) as Tensor).toTypedArray()],
  ["a tensor without data", () => zeros([2], { device: "meta" }).toTypedArray()],
])("%s: E_TENSOR, short, without C++ frames", (_, body) => {
  const { code, message } = errorOf(body);
  expect(code).toBe("E_TENSOR");
  expect(message).not.toContain("Exception raised from");
  expect(message).not.toContain("registered at");
  expect(message.length).toBeLessThan(1500);
});

test("no argument that JavaScript can pass ends the process", () => {
  const names = ["add", "reshape", "sum", "index", "to", "clamp", "narrow", "where", "topk", "norm"];
  const arbitrary = fc.array(
    fc.oneof(
      fc.anything({ withBigInt: true, withTypedArray: true, withNullPrototype: true }),
      fc.constant(ones([2])),
    ),
    { maxLength: 4 },
  );
  fc.assert(
    fc.property(fc.constantFrom(...names), arbitrary, (name, args) => {
      try {
        loose(ones([2]))[name]?.(...args);
      } catch (error) {
        expect(error).toBeInstanceOf(Error);
        expect(String((error as Error).message)).not.toContain("Exception raised from");
      }
    }),
    { seed: 2048, numRuns: 1000 },
  );
});

test("a worker has tensors of its own, and may end while they live", async () => {
  const module = new URL("./index.js", import.meta.url).href;
  const code = `import(${JSON.stringify(module)}).then(({ ones, liveTensors }) => {
    globalThis.kept = ones([1000]);
    require("node:worker_threads").parentPort.postMessage([kept.sum().item(), liveTensors()]);
  });`;
  const worker = new Worker(code, { eval: true });
  const message = await new Promise((resolve, reject) =>
    worker.once("message", resolve).once("error", reject),
  );
  await worker.terminate();
  expect(message).toEqual([1000, 2]);
  expect(ones([2]).sum().item()).toBe(2);
});

test.runIf(buildInfo().version.startsWith("1.13."))(
  "operators.generated.ts is what the generator writes",
  () => {
    const script = fileURLToPath(new URL("../scripts/generateOperators.mjs", import.meta.url));
    execFileSync(process.execPath, [script, "--check"], { encoding: "utf8" });
  },
);

test("all dtypes that the types promise exist", () => {
  const names: DType[] = ["float32", "float64", "bfloat16", "float16", "int64", "int32", "uint8", "bool"];
  for (const dtype of names) expect(zeros([1], { dtype }).dtype).toBe(dtype);
});
