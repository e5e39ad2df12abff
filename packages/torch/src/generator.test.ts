// Random numbers: the same seed gives the same ones, and a saved state continues exactly.
import { expect, test } from "vitest";
import { Generator, manualSeed } from "./generator.js";
import { ops } from "./operators.js";
import { rand, randn } from "./tensor.js";
import { errorOf, numbers } from "./torch.test.helpers.js";

const draw = (generator: Generator, count = 100) =>
  numbers(ops.randn([count], { generator: generator.native }));

test("a seed gives one sequence", () => {
  expect(draw(new Generator(5))).toEqual(draw(new Generator(5)));
  expect(draw(new Generator(5))).not.toEqual(draw(new Generator(6)));
  manualSeed(1);
  const first = [numbers(rand([10])), numbers(randn([33]))];
  manualSeed(1);
  expect([numbers(rand([10])), numbers(randn([33]))]).toEqual(first);
});

test("a restored state continues exactly, in another generator too", () => {
  const generator = new Generator(7);
  draw(generator, 3);
  const state = generator.state();
  const expected = [draw(generator, 5), draw(generator)];
  generator.restore(state);
  expect([draw(generator, 5), draw(generator)]).toEqual(expected);
  const other = new Generator(0);
  other.restore(Uint8Array.from(state));
  expect([draw(other, 5), draw(other)]).toEqual(expected);
});

test("the default generator is the one that operators use", () => {
  manualSeed(3);
  const state = Generator.default().state();
  const expected = numbers(randn([20]));
  randn([5]);
  Generator.default().restore(state);
  expect(numbers(randn([20]))).toEqual(expected);
});

test("a generator of its own leaves the default one alone", () => {
  manualSeed(4);
  const expected = numbers(randn([10]));
  manualSeed(4);
  draw(new Generator(9));
  expect(numbers(randn([10]))).toEqual(expected);
});

test("bytes that are no state, and objects that are no generator, are refused", () => {
  const generator = new Generator(1);
  const before = generator.state();
  expect(errorOf(() => generator.restore(new Uint8Array(3))).code).toBe("E_TENSOR");
  expect(generator.state()).toEqual(before);
  const fake = { generator: {} } as unknown as { generator: Generator["native"] };
  expect(errorOf(() => ops.randn([1], fake)).code).toBe("E_TENSOR");
});
