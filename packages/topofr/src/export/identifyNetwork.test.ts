// Every network is recognised by its shapes, and its layers use all of its tensors.
import { manualSeed } from "@topofr/torch";
import { beforeAll, describe, expect, test } from "vitest";
import { IRESNET_BLOCKS } from "../models/iresnet.js";
import { NETWORKS, type NetworkName } from "../models/names.js";
import { createBackbone } from "../models/registry.js";
import { float32Graph } from "./floatGraph.js";
import { foldBatchNorm } from "./foldBatchNorm.js";
import { identifyNetwork } from "./identifyNetwork.js";
import type { Layer, Weights } from "./layerGraph.js";
import { networkLayers } from "./networkLayers.js";

const states = new Map<NetworkName, Map<string, Weights>>();

/** Ones of the shapes of a network that is built. */
function stateOf(network: NetworkName, embeddingSize: number): Map<string, Weights> {
  manualSeed(0);
  const backbone = createBackbone(network, { embeddingSize });
  const state = new Map(
    [...backbone.stateDict()].map(([name, { shape, size }]) => [
      name,
      { shape, values: new Float32Array(size).fill(1) },
    ]),
  );
  backbone.dispose();
  return state;
}

/** The deeper IResNets have more of the second blocks of IResNet-18; shared, so that IResNet-200 takes no 500 MB. */
function deepened(small: ReadonlyMap<string, Weights>, blocks: readonly number[]): Map<string, Weights> {
  const state = new Map(small);
  blocks.forEach((count, stage) => {
    for (let block = 2; block < count; block++)
      for (const [name, value] of small)
        if (name.startsWith(`layer${stage + 1}.1.`))
          state.set(name.replace(`layer${stage + 1}.1.`, `layer${stage + 1}.${block}.`), value);
  });
  return state;
}

beforeAll(() => {
  states.set("mobilefacenet", stateOf("mobilefacenet", 128));
  states.set("mobilefacenet-large", stateOf("mobilefacenet-large", 128));
  const small = stateOf("iresnet18", 128);
  for (const [depth, blocks] of Object.entries(IRESNET_BLOCKS))
    states.set(`iresnet${depth}` as NetworkName, deepened(small, blocks));
});

const shapesOf = (state: ReadonlyMap<string, Weights>) =>
  new Map([...state].map(([name, { shape }]) => [name, shape]));

describe.each(NETWORKS)("%s", (network) => {
  test("is recognised, with its embedding size", () => {
    expect(identifyNetwork(shapesOf(states.get(network)!), "x.pt")).toEqual({
      network,
      embeddingSize: 128,
      inputSize: 112,
    });
  });

  test("every tensor is in the graph, under its own name when nothing is folded", () => {
    const state = states.get(network)!;
    const layers = networkLayers(network, state);
    const { graph } = float32Graph(layers, { opset: 17, embeddingSize: 128, inputSize: 112, metadata: {} });
    const wanted = [...state.keys()].filter((name) => !name.endsWith("num_batches_tracked"));
    expect(graph.weights.map(({ name }) => name).sort()).toEqual(wanted.sort());
    for (const { name, shape } of graph.weights)
      expect(shape.filter((n) => n !== 1)).toEqual(state.get(name)!.shape.filter((n) => n !== 1));
  });

  test("has as many layers of each kind as its blocks need", () => {
    const layers = networkLayers(network, states.get(network)!);
    const blocks = blocksOf(network);
    const expected =
      blocks === null
        ? { linear: 1, flatten: 1 }
        : {
            conv: 1 + 2 * blocks + 4,
            batchNorm: 1 + 3 * blocks + 4 + 2,
            prelu: 1 + blocks,
            add: blocks,
            linear: 1,
          };
    for (const [op, count] of Object.entries(expected)) expect(countOf(layers, op)).toBe(count);
  });
});

const countOf = (layers: readonly Layer[], op: string) => layers.filter((layer) => layer.op === op).length;

/** Residual blocks of an IResNet. */
function blocksOf(network: NetworkName): number | null {
  if (!network.startsWith("iresnet")) return null;
  const depth = Number(network.slice("iresnet".length)) as keyof typeof IRESNET_BLOCKS;
  return IRESNET_BLOCKS[depth].reduce((sum, count) => sum + count, 0);
}

test.each<NetworkName>(["mobilefacenet", "mobilefacenet-large", "iresnet18", "iresnet34"])(
  "%s: folding leaves the batch norms before padded convolutions: one a block of IResNet, none of MobileFaceNet",
  (network) => {
    const plain = networkLayers(network, states.get(network)!);
    const folded = foldBatchNorm(plain);
    expect(countOf(folded, "batchNorm")).toBe(blocksOf(network) ?? 0);
    for (const op of ["conv", "prelu", "add", "linear"]) expect(countOf(folded, op)).toBe(countOf(plain, op));
  },
);

test("an unknown number of blocks is shown beside those of every network", () => {
  const shapes = shapesOf(states.get("iresnet34")!);
  for (const name of [...shapes.keys()].filter((name) => name.startsWith("layer3.5."))) shapes.delete(name);
  expect(() => identifyNetwork(shapes, "x.pt")).toThrow(
    /x\.pt: IResNet blocks 3, 4, 5, 3 are of none of the known networks:\n {2}iresnet18: IResNet blocks 2, 2, 2, 2\n[\s\S]*mobilefacenet-large: MobileFaceNet blocks 2, 8, 12, 4 with 256 channels/,
  );
});

test("something else is said to be neither, with what it has", () => {
  const shapes = new Map([["blocks.0.attn.qkv.weight", [3, 3]]]);
  expect(() => identifyNetwork(shapes, "vit.pt")).toThrow(
    /vit\.pt: of which network.*1 tensors: blocks\.0\.attn\.qkv\.weight;/s,
  );
});
