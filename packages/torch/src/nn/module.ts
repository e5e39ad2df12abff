// A network is a tree of modules whose parameters carry PyTorch's names, so that state dicts fit by construction.
import { TopofrError } from "@topofr/formats";
import { noGrad } from "../gradMode.js";
import { scope } from "../scope.js";
import type { Device, DType, Tensor } from "../tensor.js";

/**
 * How activations lie in memory between layers. `blocked`: float32 ones on the CPU as [n, c/16, h, w, 16], in which oneDNN
 * computes fastest, and all others channels-last; between the first convolution and `Flatten`, layers see that shape.
 */
export type ModuleFormat = "contiguous" | "channelsLast" | "blocked";

/**
 * Build a module outside of scope(): one that is made inside loses its parameters at the scope's end. Outside, they live
 * until `dispose()`.
 */
export abstract class Module {
  /** True while training: batch norm uses the batch's statistics, dropout drops. */
  training = true;

  /** Set by `to`. */
  memoryFormat: ModuleFormat = "contiguous";

  readonly #parameters = new Map<string, Tensor>();
  readonly #buffers = new Map<string, Tensor>();
  readonly #children = new Map<string, Module>();

  abstract forward(input: Tensor): Tensor;

  /** Registers a trainable tensor under its PyTorch name. */
  protected parameter(name: string, value: Tensor): Tensor {
    value.requiresGrad = true;
    this.#parameters.set(name, value);
    return value;
  }

  /** Registers a tensor that is saved but not trained. */
  protected buffer(name: string, value: Tensor): Tensor {
    this.#buffers.set(name, value);
    return value;
  }

  protected child<M extends Module>(name: string, module: M): M {
    this.#children.set(name, module);
    return module;
  }

  /** This module and all below it, depth first. */
  *modules(): Generator<Module> {
    yield this;
    for (const child of this.#children.values()) yield* child.modules();
  }

  *namedParameters(prefix = ""): Generator<[name: string, parameter: Tensor]> {
    for (const [name, value] of this.#parameters) yield [prefix + name, value];
    for (const [name, child] of this.#children) yield* child.namedParameters(`${prefix}${name}.`);
  }

  parameters(): Tensor[] {
    return [...this.namedParameters()].map(([, parameter]) => parameter);
  }

  /** Parameters and buffers by PyTorch name, in PyTorch's order. The tensors themselves, not copies. */
  stateDict(): Map<string, Tensor> {
    const state = new Map<string, Tensor>();
    this.#collect("", state);
    return state;
  }

  #collect(prefix: string, state: Map<string, Tensor>): void {
    for (const [name, value] of this.#parameters) state.set(prefix + name, value);
    for (const [name, value] of this.#buffers) state.set(prefix + name, value);
    for (const [name, child] of this.#children) child.#collect(`${prefix}${name}.`, state);
  }

  /**
   * Copies `state` into the parameters and buffers.
   * @throws E_MODEL listing every missing and unexpected key and every shape that differs; nothing is loaded then.
   */
  loadStateDict(state: ReadonlyMap<string, Tensor>, source = "state dict"): void {
    const own = this.stateDict();
    const missing = [...own.keys()].filter((name) => !state.has(name));
    const unexpected = [...state.keys()].filter((name) => !own.has(name));
    const mismatched = [...own].flatMap(([name, value]) => {
      const given = state.get(name);
      if (given === undefined || String(given.shape) === String(value.shape)) return [];
      return [`${name}: [${given.shape}] in the file, [${value.shape}] in the network`];
    });
    if (missing.length + unexpected.length + mismatched.length > 0) {
      throw new TopofrError(
        "E_MODEL",
        `${source} is not of this network:${list("missing keys", missing)}${list("unexpected keys", unexpected)}` +
          list("different shapes", mismatched),
      );
    }
    noGrad(() => {
      for (const [name, value] of own) value.copy_(state.get(name)!).dispose();
    });
  }

  train(training = true): this {
    for (const module of this.modules()) module.training = training;
    return this;
  }

  eval(): this {
    return this.train(false);
  }

  zeroGrad(): void {
    for (const parameter of this.parameters()) parameter.grad = null;
  }

  /** Moves parameters and buffers (floating-point ones also to `dtype`); call before an optimiser takes them. */
  to(options: { device?: Device; dtype?: DType; memoryFormat?: ModuleFormat }): this {
    for (const module of this.modules()) {
      if (options.memoryFormat !== undefined) module.memoryFormat = options.memoryFormat;
      for (const tensors of [module.#parameters, module.#buffers]) {
        for (const value of tensors.values()) moveInPlace(value, options);
      }
    }
    return this;
  }

  dispose(): void {
    for (const value of this.stateDict().values()) value.dispose();
  }
}

const ofWeights = (format: ModuleFormat) => (format === "contiguous" ? "contiguous" : "channelsLast");

// The tensor object keeps its identity, as fields and optimisers hold it: only its storage is replaced.
function moveInPlace(value: Tensor, { device, dtype, memoryFormat }: Parameters<Module["to"]>[0]): void {
  const isFloat = value.dtype.startsWith("float") || value.dtype === "bfloat16";
  scope(() => {
    const moved = value.detach().to({
      ...(device !== undefined && { device }),
      ...(dtype !== undefined && isFloat && { dtype }),
      ...(memoryFormat !== undefined &&
        value.shape.length === 4 && { memoryFormat: ofWeights(memoryFormat) }),
    });
    value.setData(moved);
  });
}

function list(title: string, names: readonly string[]): string {
  if (names.length === 0) return "";
  const shown = names.slice(0, 12).join(", ");
  return `\n  ${title} (${names.length}): ${shown}${names.length > 12 ? ", …" : ""}`;
}
