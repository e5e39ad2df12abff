// What optimisers share: named parameters, one learning rate, and state that a checkpoint can hold.
import { TopofrError } from "@topofr/formats";
import { noGrad } from "../gradMode.js";
import { scope } from "../scope.js";
import type { Tensor } from "../tensor.js";

export type NamedParameters = Iterable<readonly [name: string, parameter: Tensor]>;

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

  protected stateTensors(kind: string): Tensor[] {
    const tensors = this.parameters.map((parameter) => parameter.zerosLike());
    this.#state.set(kind, tensors);
    return tensors;
  }

  /** One update from the parameters' gradients. A parameter without one is left alone. */
  step(): void {
    noGrad(() =>
      scope(() => {
        const active: number[] = [];
        const gradients: Tensor[] = [];
        for (const [index, parameter] of this.parameters.entries()) {
          const gradient = parameter.grad;
          if (gradient === null) continue;
          active.push(index);
          gradients.push(gradient);
        }
        if (active.length > 0) this.update(active, gradients);
      }),
    );
  }

  protected abstract update(active: readonly number[], gradients: readonly Tensor[]): void;

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
