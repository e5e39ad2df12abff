// The count of operations beside closed forms.
import { setNumThreads } from "@topofr/torch";
import { beforeAll, expect, test } from "vitest";
import { networkWork } from "./networkWork.js";

beforeAll(() => setNumThreads(1));

/** Multiplications of IResNet-18 for an image of `size`, stage by stage. */
function iresnet18Products(size: number): number {
  const FIRST = 9 * 3 * 64 * size ** 2;
  const stages = [64, 128, 256, 512].map((out, stage) => {
    const [before, after] = [(size / 2 ** stage) ** 2, (size / 2 ** (stage + 1)) ** 2];
    const into = stage === 0 ? 64 : out / 2;
    const firstBlock = 9 * into * out * before + 9 * out * out * after + into * out * after;
    return firstBlock + 2 * 9 * out * out * after;
  });
  const last = 512 * (size / 16) ** 2 * 512;
  return FIRST + stages.reduce((sum, stage) => sum + stage, 0) + last;
}

test.each(["fp32", "bf16"] as const)("%s: IResNet-18's convolutions and linear layer", (precision) => {
  const { layers, inference, training } = networkWork("iresnet18", { precision, inputSize: 32 });
  expect(layers).toHaveLength(1 + 4 * 5 + 1);
  expect(inference).toBe(2 * iresnet18Products(32));
  // Forward and two gradients, without the one of the images.
  expect(training).toBe(6 * iresnet18Products(32) - 2 * 9 * 3 * 64 * 32 ** 2);
});

test("grouped convolutions count what they multiply: MobileFaceNet has 0.44 billion products", () => {
  expect(networkWork("mobilefacenet", { precision: "fp32" }).inference / 2e9).toBeCloseTo(0.4375, 3);
});
