// Networks that compute their blocks again in the backward, against the same networks that keep them: bit for bit.
import { manualSeed, randn, scope, setNumThreads } from "@topofr/torch";
import { beforeAll, expect, test } from "vitest";
import type { Backbone } from "./backbone.js";
import { IResNet } from "./iresnet.js";
import { MobileFaceNet } from "./mobileFaceNet.js";
import { checkpointBlocks, ResidualBlock } from "./residualBlock.js";

beforeAll(() => setNumThreads(1));

const small = { embeddingSize: 8, inputSize: 32 };
const NETWORKS: Record<string, () => Backbone> = {
  "IResNet-18 with dropout": () => new IResNet(18, { ...small, dropout: 0.4 }),
  MobileFaceNet: () => new MobileFaceNet({ ...small, blocks: [1, 2, 1, 1] }),
};

/** All numbers after a training step: embedding, gradients, weights and running means. */
function step(
  create: () => Backbone,
  dtype: "float32" | "bfloat16",
  checkpointing: boolean,
): Map<string, Buffer> {
  manualSeed(6);
  const network = create().to({ memoryFormat: "blocked" });
  if (checkpointing) checkpointBlocks(network);
  const found = scope(() => {
    const embedding = network.forward(randn([3, 3, 32, 32]).to(dtype));
    embedding.square().mean().backward();
    const gradients = [...network.namedParameters("gradient.")].map(
      ([name, { grad }]) => [name, grad!] as const,
    );
    const all = [["embedding", embedding] as const, ...gradients, ...network.stateDict()];
    return new Map(all.map(([name, value]) => [name, Buffer.from(value.toBytes())]));
  });
  network.dispose();
  return found;
}

test.each(
  Object.entries(NETWORKS).flatMap(([name, create]) => [
    [name, "float32", create] as const,
    [name, "bfloat16", create] as const,
  ]),
)("%s, %s: embedding, gradients and running means are the same", (_, dtype, create) => {
  const [plain, again] = [step(create, dtype, false), step(create, dtype, true)];
  expect([...again.keys()]).toEqual([...plain.keys()]);
  for (const [name, bytes] of plain) expect(again.get(name)!.equals(bytes), name).toBe(true);
});

test("every residual block of a network takes part", () => {
  const network = new IResNet(18, small);
  const blocks = [...network.modules()].filter((module) => module instanceof ResidualBlock);
  expect(blocks).toHaveLength(8);
  checkpointBlocks(network);
  expect(blocks.every(({ checkpointing }) => checkpointing)).toBe(true);
  network.dispose();
});
