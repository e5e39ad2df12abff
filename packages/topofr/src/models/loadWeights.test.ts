// Weights from the files that hold them, into a small backbone: which tensors are taken, and what is said of a wrong file.
import { mkdtempSync, rmSync, statSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { liveTensors, nn, saveTensors, type Tensor, zeros } from "@topofr/torch";
import { afterAll, afterEach, beforeEach, expect, test } from "vitest";
import { Backbone } from "./backbone.js";
import { backboneTensors, loadWeights } from "./loadWeights.js";

class TinyBackbone extends Backbone {
  override readonly embeddingSize = 2;
  readonly fc = this.child("fc", new nn.Linear(3, 2));
  readonly features = this.child("features", new nn.BatchNorm1d(2));
  override forward(images: Tensor): Tensor {
    return this.features.forward(this.fc.forward(images.mean([2, 3])));
  }
}

const folder = mkdtempSync(join(tmpdir(), "topofr-weights-"));
afterAll(() => rmSync(folder, { recursive: true }));

const CENTRES = zeros([10, 2]);
const STRANGE = { key: zeros([1]), shape: zeros([2, 4]) };

let source: TinyBackbone;
let target: TinyBackbone;
beforeEach(() => {
  source = new TinyBackbone();
  target = new TinyBackbone();
});
afterEach(() => {
  source.dispose();
  target.dispose();
});

const values = (backbone: Backbone) =>
  [...backbone.stateDict()].map(([name, value]) => [name, ...Array.from(value.toTypedArray(), Number)]);

const withPrefix = (prefix: string, state: ReadonlyMap<string, Tensor>) =>
  new Map([...state].map(([name, value]) => [prefix + name, value]));

async function load(state: ReadonlyMap<string, Tensor>): Promise<void> {
  const path = join(folder, "weights.safetensors");
  await saveTensors(path, state);
  await loadWeights(target, path);
}

test("a plain state dict", async () => {
  const live = liveTensors();
  await load(source.stateDict());
  expect(values(target)).toEqual(values(source));
  expect(liveTensors()).toBe(live);
});

test("names with the prefix of DataParallel", async () => {
  await load(withPrefix("module.", source.stateDict()));
  expect(values(target)).toEqual(values(source));
});

test("the published code's state dict, with the classifier's centres among the weights", async () => {
  await load(new Map([["weight", CENTRES], ...source.stateDict()]));
  expect(values(target)).toEqual(values(source));
  await load(withPrefix("module.", new Map([["weight", CENTRES], ...source.stateDict()])));
  expect(values(target)).toEqual(values(source));
});

test("a run's checkpoint, with classifier and optimiser beside the backbone", async () => {
  const state = new Map([
    ...withPrefix("backbone.", source.stateDict()),
    ["classifier.weight", CENTRES] as const,
    ...withPrefix("optimizer.momentum.backbone.", source.stateDict()),
  ]);
  await load(state);
  expect(values(target)).toEqual(values(source));
  expect([...backboneTensors(state).keys()]).toEqual([...source.stateDict().keys()]);
});

test("another network's file lists what is missing, unexpected and of another shape, and changes nothing", async () => {
  const state = new Map(source.stateDict());
  state.delete("fc.bias");
  state.set("layer1.0.conv1.weight", STRANGE.key);
  state.set("fc.weight", STRANGE.shape);
  const before = values(target);
  const live = liveTensors();
  await expect(load(state)).rejects.toMatchObject({
    code: "E_MODEL",
    message: expect.stringMatching(
      /weights\.safetensors is not of this network:.*missing keys.*fc\.bias.*unexpected keys.*layer1\.0\.conv1\.weight.*fc\.weight: \[2,4\] in the file, \[2,3\] in the network/s,
    ) as string,
  });
  expect(values(target)).toEqual(before);
  expect(liveTensors()).toBe(live);
});

test("a truncated file, a missing one and one of another kind", async () => {
  const path = join(folder, "cut.safetensors");
  await saveTensors(path, source.stateDict());
  truncateSync(path, statSync(path).size - 5);
  await expect(loadWeights(target, path)).rejects.toMatchObject({ code: "E_FORMAT" });
  await expect(loadWeights(target, join(folder, "none.pt"))).rejects.toMatchObject({ code: "E_FILE" });
  await expect(loadWeights(target, join(folder, "weights.h5"))).rejects.toMatchObject({ code: "E_USAGE" });
});
