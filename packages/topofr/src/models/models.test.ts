// Every registered network, at its real size: names, counts, shapes, memory formats. The reference code's numbers: parity/.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  liveTensors,
  manualSeed,
  noGrad,
  rand,
  saveTensors,
  scope,
  setNumThreads,
  type Tensor,
} from "@topofr/torch";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backbone } from "./backbone.js";
import { inputSizeOf } from "./inputSize.js";
import { IRESNET_BLOCKS } from "./iresnet.js";
import { NETWORKS, type NetworkName, networkName } from "./names.js";
import { openBackbone } from "./openBackbone.js";
import { createBackbone } from "./registry.js";

const folder = mkdtempSync(join(tmpdir(), "topofr-models-"));
afterAll(() => rmSync(folder, { recursive: true }));
beforeAll(() => {
  setNumThreads(1);
  manualSeed(1);
});

/** Parameters without the classifier: of the published code for the first two, else by arithmetic. */
const PARAMETERS: Record<NetworkName, number> = {
  mobilefacenet: 2_059_520,
  iresnet18: 24_025_600,
  "mobilefacenet-large": mobileFaceNetParameters([2, 8, 12, 4], 4),
  iresnet34: iresnetParameters(34),
  iresnet50: iresnetParameters(50),
  iresnet100: iresnetParameters(100),
  iresnet200: iresnetParameters(200),
};

/** Counted from the structure: 3x3 convolutions, batch norms of 2 numbers a channel, one slope a channel, 25,088 x 512. */
function iresnetParameters(depth: keyof typeof IRESNET_BLOCKS): number {
  const block = (from: number, to: number, first: boolean) =>
    2 * from + 9 * from * to + 2 * to + to + 9 * to * to + 2 * to + (first ? from * to + 2 * to : 0);
  const widths = [64, 128, 256, 512];
  const stages = widths.map((to, stage) => {
    const rest = IRESNET_BLOCKS[depth][stage]! - 1;
    return block(widths[Math.max(0, stage - 1)]!, to, true) + rest * block(to, to, false);
  });
  const stem = 9 * 3 * 64 + 3 * 64;
  const head = 2 * 512 + 512 * 49 * 512 + 512 + 2 * 512;
  return stem + stages.reduce((sum, count) => sum + count, 0) + head;
}

/** Counted from insightface's structure, which gives 2,059,520 for ([1, 4, 6, 2], 2). */
function mobileFaceNetParameters(blocks: readonly number[], scale: number): number {
  const norm = (channels: number, prelu = true) => (prelu ? 3 : 2) * channels;
  const depthWise = (from: number, to: number, width: number) =>
    from * width + norm(width) + 9 * width + norm(width) + width * to + norm(to, false);
  const [thin, wide] = [64 * scale, 128 * scale];
  const first =
    blocks[0] === 1 ? 9 * thin * (thin / 64) + norm(thin) : blocks[0]! * depthWise(thin, thin, 128);
  return (
    9 * 3 * thin +
    norm(thin) +
    first +
    depthWise(thin, thin, 128) +
    blocks[1]! * depthWise(thin, thin, 128) +
    depthWise(thin, wide, 256) +
    blocks[2]! * depthWise(wide, wide, 256) +
    depthWise(wide, wide, 512) +
    blocks[3]! * depthWise(wide, wide, 256) +
    (wide * 512 + norm(512)) +
    (49 * 512 + norm(512, false)) +
    (512 * 512 + norm(512, false))
  );
}

test("the count of MobileFaceNet by its structure is the published number", () => {
  expect(mobileFaceNetParameters([1, 4, 6, 2], 2)).toBe(PARAMETERS.mobilefacenet);
});

/** Tensors in the state dict: 7 of the stem, 18 a block, 6 a downsampling, 12 of the head. */
const iresnetTensors = (depth: keyof typeof IRESNET_BLOCKS) =>
  7 + 18 * IRESNET_BLOCKS[depth].reduce((sum, count) => sum + count, 0) + 6 * 4 + 12;

describe.each(NETWORKS)("%s", (name) => {
  test("has the reference's names and number of parameters, and gives all its memory back", () => {
    const before = liveTensors();
    const backbone = createBackbone(name);
    const names = [...backbone.stateDict().keys()];
    const count = backbone.parameters().reduce((sum, { size }) => sum + size, 0);
    backbone.dispose();
    expect(liveTensors()).toBe(before);
    expect(count).toBe(PARAMETERS[name]);
    expect(new Set(names).size).toBe(names.length);
    if (name.startsWith("iresnet")) {
      expect(names).toHaveLength(iresnetTensors(Number(name.slice(7)) as keyof typeof IRESNET_BLOCKS));
      for (const known of [
        "conv1.weight",
        "layer1.0.downsample.0.weight",
        "layer4.1.prelu.weight",
        "fc.bias",
        "features.running_var",
      ])
        expect(names).toContain(known);
    } else {
      for (const known of [
        "layers.0.layers.0.weight",
        "layers.3.layers.0.layers.1.layers.2.weight",
        "conv_sep.layers.1.bias",
        "features.layers.3.num_batches_tracked",
      ])
        expect(names).toContain(known);
    }
  });
});

/** Of images in [-1, 1], in evaluation mode. */
function embed(backbone: Backbone, images: Tensor): number[] {
  const embedding = noGrad(() => backbone.forward(images));
  expect(embedding.dtype).toBe("float32");
  expect(embedding.shape).toEqual([images.shape[0], 512]);
  return Array.from(embedding.toTypedArray() as Float32Array);
}

// The deeper ones are more of the same blocks.
test.each(["mobilefacenet", "iresnet18"] as const)(
  "%s gives [2, 512] in float32, the same in every memory format, and nearly so in bfloat16",
  (name) => {
    const backbone = createBackbone(name).eval();
    scope(() => {
      const images = rand([2, 3, 112, 112]).mul(2).sub(1);
      const plain = embed(backbone, images);
      backbone.to({ memoryFormat: "channelsLast" });
      const lastFormat = images.contiguous({ memoryFormat: "channelsLast" });
      const scale = Math.max(...plain.map(Math.abs));
      const errorOf = (other: number[]) =>
        Math.max(...other.map((value, i) => Math.abs(value - plain[i]!))) / scale;
      expect(scale).toBeGreaterThan(0);
      expect(errorOf(embed(backbone, lastFormat))).toBeLessThan(1e-4);
      expect(errorOf(embed(backbone, lastFormat.to({ dtype: "bfloat16" })))).toBeLessThan(0.1);
      backbone.to({ memoryFormat: "blocked" });
      expect(errorOf(embed(backbone, images))).toBeLessThan(1e-4);
    });
    backbone.dispose();
  },
);

test("mobilefacenet-large gives [1, 512]", () => {
  const backbone = createBackbone("mobilefacenet-large").eval();
  scope(() => expect(embed(backbone, rand([1, 3, 112, 112])).every(Number.isFinite)).toBe(true));
  backbone.dispose();
});

test("training mode uses the batch's statistics, counts it, and reaches every parameter with a gradient", () => {
  const backbone = createBackbone("mobilefacenet", { embeddingSize: 8 });
  const before = liveTensors();
  scope(() =>
    backbone
      .train()
      .forward(rand([2, 3, 112, 112]))
      .square()
      .mean()
      .backward(),
  );
  const parameters = [...backbone.namedParameters()];
  scope(() => expect(parameters.filter(([, { grad }]) => grad === null).map(([name]) => name)).toEqual([]));
  expect(backbone.stateDict().get("layers.0.layers.1.num_batches_tracked")!.item()).toBe(1);
  backbone.zeroGrad();
  expect(liveTensors()).toBe(before);
  backbone.dispose();
});

test("the same seed draws the same weights; the embedding size and dropout are options", () => {
  const weights = (seed: number) => {
    manualSeed(seed);
    const backbone = createBackbone("mobilefacenet", { embeddingSize: 16 });
    const values = backbone.stateDict().get("features.layers.2.weight")!;
    expect(values.shape).toEqual([16, 512]);
    const copy = Array.from(values.toTypedArray() as Float32Array);
    backbone.dispose();
    return copy;
  };
  expect(weights(5)).toEqual(weights(5));
  expect(weights(5)).not.toEqual(weights(6));
});

describe("input size", () => {
  test.each(["mobilefacenet", "iresnet18"] as const)(
    "%s of 64x64 images: its weights say so, and load again",
    async (name) => {
      const backbone = createBackbone(name, { embeddingSize: 8, inputSize: 64 }).eval();
      const images = rand([2, 3, 64, 64]);
      const before = liveTensors();
      scope(() => expect(noGrad(() => backbone.forward(images)).shape).toEqual([2, 8]));
      expect(backbone.inputSize).toBe(64);
      expect(inputSizeOf(backbone.stateDict())).toBe(64);
      const path = join(folder, `${name}.safetensors`);
      await saveTensors(path, backbone.stateDict());
      const again = (await openBackbone(path, name, { embeddingSize: 8 })).eval();
      scope(() => {
        const rows = [backbone, again].map((network) => noGrad(() => network.forward(images)).toTypedArray());
        expect(rows[1]).toEqual(rows[0]);
      });
      expect(again.inputSize).toBe(64);
      again.dispose();
      await expect(openBackbone(path, "iresnet34", { embeddingSize: 8 })).rejects.toMatchObject({
        code: "E_MODEL",
      });
      expect(liveTensors()).toBe(before);
      backbone.dispose();
      images.dispose();
    },
  );

  test("sizes that cannot be halved four times are refused", () => {
    for (const inputSize of [56, 16, 63.5, 0])
      expect(() => createBackbone("mobilefacenet", { inputSize })).toThrow(
        `input size ${inputSize}: expected a multiple of 16, at least 32`,
      );
    expect(inputSizeOf(new Map())).toBeNull();
  });
});

test("an unknown network is named with those that are known", () => {
  expect(() => createBackbone("vgg" as NetworkName)).toThrow(
    expect.objectContaining({
      code: "E_MODEL",
      message: expect.stringContaining("mobilefacenet, ") as string,
    }),
  );
});

test.each([
  ["r50", "iresnet50"],
  ["IResNet18", "iresnet18"],
  ["mbf", "mobilefacenet"],
  ["MobileFaceNet_Large", "mobilefacenet-large"],
  ["vit", "vit"],
  [3, 3],
])("the word %j means %j", (word, name) => {
  expect(networkName(word)).toBe(name);
});
