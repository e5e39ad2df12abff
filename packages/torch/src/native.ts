// Loads the native addon. Everything else in this package reaches libtorch through `native`.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { TopofrError } from "@topofr/formats";
import type { Tensor } from "./tensor.js";

/** A generator object that operators take as `generator`; opaque to JavaScript. */
export type NativeGenerator = { readonly __generator: unique symbol };

/** What the addon says an operator takes and returns: the source of operators.generated.ts. */
export interface OperatorSchema {
  schema: string;
  overload: string;
  arguments: {
    name: string;
    type: string;
    length: number | null;
    keywordOnly: boolean;
    hasDefault: boolean;
    out: boolean;
  }[];
  returns: string[];
}

/** What a computation of native/src/topology may take. */
export interface NativeLimits {
  threads: number;
  /** Bytes; beyond them it fails. */
  memoryLimit: number;
}

/** One that runs off the main thread. */
export interface NativeComputation {
  promise: Promise<unknown>;
  progress(): [stage: number, done: number, total: number];
  cancel(): void;
}

export interface NativeAddon {
  Tensor: { prototype: object };
  operator(name: string): (...args: unknown[]) => unknown;
  schemas(name: string): OperatorSchema[];
  operatorNames(): string[];
  tensorFromBytes(data: NodeJS.TypedArray, dtype: string, shape: readonly number[]): Tensor;
  beginScope(): void;
  endScope(kept: readonly Tensor[]): void;
  liveTensors(): number;
  setGradEnabled(enabled: boolean): boolean;
  checkpoint(input: Tensor, forward: () => Tensor, again: (input: Tensor, gradient: Tensor) => void): Tensor;
  manualSeed(seed: number): void;
  createGenerator(seed: number): NativeGenerator;
  defaultGenerator(): NativeGenerator;
  generatorState(generator: NativeGenerator): Tensor;
  setGeneratorState(generator: NativeGenerator, state: Tensor): void;
  allocatorStats(): { usedBytes: number; cachedBytes: number; limitBytes: number };
  releaseCachedMemory(): void;
  setCacheLimit(bytes: number): void;
  setNumThreads(count: number): void;
  startProfile(): void;
  stopProfile(): { name: string; shapes: string; calls: number; seconds: number; selfSeconds: number }[];
  gramMatrix(points: Tensor): Tensor;
  rips(problem: object, limits: NativeLimits): unknown;
  startRips(problem: object, limits: NativeLimits): NativeComputation;
  startPointTree(points: object, limits: NativeLimits): NativeComputation;
  buildInfo(): {
    torchVersion: string;
    compiler: string;
    threads: number;
    cuda: boolean;
    mkldnn: boolean;
    configuration: string;
  };
}

/** Where the set-up puts the addon. */
export const addonPath = fileURLToPath(new URL("../build/topofr_torch.node", import.meta.url));

function load(): NativeAddon {
  if (!existsSync(addonPath)) {
    throw new TopofrError(
      "E_SETUP",
      `${addonPath} is missing: the native addon was not built yet. Run "npm run setup" in the repository.`,
    );
  }
  try {
    return createRequire(import.meta.url)(addonPath) as NativeAddon;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TopofrError(
      "E_SETUP",
      `${addonPath} could not be loaded: ${reason}. It was built for another libtorch or Node: ` +
        `run "npm run setup -- --force" to build it again ("topofr doctor" shows what it finds).`,
      { cause },
    );
  }
}

export const native: NativeAddon = load();
