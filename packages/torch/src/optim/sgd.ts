// Stochastic gradient descent with momentum and weight decay, with PyTorch's update.
import { ops } from "../operators.js";
import type { Tensor } from "../tensor.js";
import { type NamedParameters, Optimizer } from "./optimizer.js";

export interface SgdOptions {
  lr: number;
  momentum?: number;
  weightDecay?: number;
}

/** d = gradient + weightDecay · p; buffer = momentum · buffer + d; p -= lr · buffer. */
export class SGD extends Optimizer {
  readonly #momentum: number;
  readonly #weightDecay: number;
  readonly #buffers: Tensor[] | null;

  constructor(parameters: NamedParameters, { lr, momentum = 0, weightDecay = 0 }: SgdOptions) {
    super(parameters, lr);
    this.#momentum = momentum;
    this.#weightDecay = weightDecay;
    this.#buffers = momentum === 0 ? null : this.stateTensors("momentum");
  }

  protected override update(active: readonly number[], gradients: readonly Tensor[]): void {
    const parameters = active.map((index) => this.parameters[index]!);
    let direction = gradients;
    if (this.#weightDecay !== 0)
      direction = ops._foreachAdd(gradients, parameters, { alpha: this.#weightDecay });
    if (this.#buffers !== null) {
      const buffers = active.map((index) => this.#buffers![index]!);
      ops._foreachMul_(buffers, this.#momentum);
      ops._foreachAdd_(buffers, direction);
      direction = buffers;
    }
    ops._foreachAdd_(parameters, direction, { alpha: -this.lr });
  }
}
