// What optimisers share: named parameters, one learning rate, and state that a checkpoint can hold.
import { TopofrError } from "@topofr/formats";
import { noGrad } from "../gradMode.js";
import { scope } from "../scope.js";
import type { Tensor } from "../tensor.js";

export type NamedParameters = Iterable<readonly [name: string, parameter: Tensor]>;

/** Some rows of a parameter (its entries along axis 0), trained in its place: the others and their state rest untouched. */
export interface SampledRows {
  /** [k] int64, each at most once. */
  rows: Tensor;
  /** [k, …] a copy of those rows, with the gradient. `step` updates it and writes it back. */
  values: Tensor;
}

/** State tensors of one kind, in the order of the values to update. */
export type StateOf = (kind: string) => Tensor[];

export abstract class Optimizer {
  /** Learning rate of the next step. */
  lr: number;
  protected readonly names: readonly string[];
  protected readonly parameters: readonly Tensor[];
  /** State tensors by kind, one a parameter, each of its parameter's shape. */
  readonly #state = new Map<string, Tensor[]>();

  constructor(parameters: NamedParameters, lr: number) {
    const entries = [...parameters];
    this.names = entries.map(([name]) => name);
    this.parameters = entries.map(([, parameter]) => parameter);
    this.lr = lr;
  }

  protected addState(kind: string): void {
    this.#state.set(
      kind,
      this.parameters.map((parameter) => parameter.zerosLike()),
    );
  }

  /**
   * One update from the parameters' gradients. A parameter without one is left alone.
   * @param sampled parameters of which only some rows take part
   */
  step(sampled: ReadonlyMap<Tensor, SampledRows> = new Map()): void {
    noGrad(() =>
      scope(() => {
        const active: { index: number; value: Tensor; rows: Tensor | null }[] = [];
        const gradients: Tensor[] = [];
        for (const [index, parameter] of this.parameters.entries()) {
          const { values: value, rows } = sampled.get(parameter) ?? { values: parameter, rows: null };
          const gradient = value.grad;
          if (gradient === null) continue;
          active.push({ index, value, rows });
          gradients.push(gradient);
        }
        if (active.length === 0) return;

        const copies: { whole: Tensor; rows: Tensor; part: Tensor }[] = [];
        const stateOf: StateOf = (kind) =>
          active.map(({ index, rows }) => {
            const whole = this.#state.get(kind)![index]!;
            if (rows === null) return whole;
            const part = whole.indexSelect(0, rows);
            copies.push({ whole, rows, part });
            return part;
          });
        for (const { index, value, rows } of active)
          if (rows !== null) copies.push({ whole: this.parameters[index]!, rows, part: value });
        this.update(
          active.map(({ value }) => value),
          gradients,
          stateOf,
        );
        for (const { whole, rows, part } of copies) whole.indexCopy_(0, rows, part);
      }),
    );
  }

  protected abstract update(values: readonly Tensor[], gradients: readonly Tensor[], stateOf: StateOf): void;

  zeroGrad(): void {
    for (const parameter of this.parameters) parameter.grad = null;
  }

  /** State tensors as "<kind>.<parameter name>": the tensors themselves, not copies. */
  stateDict(): Map<string, Tensor> {
    const state = new Map<string, Tensor>();
    for (const [kind, tensors] of this.#state) {
      for (const [index, value] of tensors.entries()) state.set(`${kind}.${this.names[index]}`, value);
    }
    return state;
  }

  /** @throws E_MODEL when a state tensor is missing or has another shape; nothing is loaded then. */
  loadStateDict(state: ReadonlyMap<string, Tensor>): void {
    const own = [...this.stateDict()];
    for (const [name, value] of own) {
      const given = state.get(name);
      if (given !== undefined && String(given.shape) === String(value.shape)) continue;
      const found =
        given === undefined ? "is missing" : `has shape [${given.shape}], expected [${value.shape}]`;
      throw new TopofrError(
        "E_MODEL",
        `optimiser state "${name}" ${found}; it belongs to another network or optimiser`,
      );
    }
    noGrad(() => {
      for (const [name, value] of own) value.copy_(state.get(name)!).dispose();
    });
  }

  dispose(): void {
    for (const value of this.stateDict().values()) value.dispose();
  }
}
