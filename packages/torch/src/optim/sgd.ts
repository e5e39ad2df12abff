// Stochastic gradient descent with momentum and weight decay, with PyTorch's update.
import { ops } from "../operators.js";
import type { Tensor } from "../tensor.js";
import { type NamedParameters, Optimizer, type StateOf } from "./optimizer.js";

export interface SgdOptions {
  lr: number;
  momentum?: number;
  weightDecay?: number;
}

/** d = gradient + weightDecay · p; buffer = momentum · buffer + d; p -= lr · buffer. */
export class SGD extends Optimizer {
  readonly #momentum: number;
  readonly #weightDecay: number;

  constructor(parameters: NamedParameters, { lr, momentum = 0, weightDecay = 0 }: SgdOptions) {
    super(parameters, lr);
    this.#momentum = momentum;
    this.#weightDecay = weightDecay;
    if (momentum !== 0) this.addState("momentum");
  }

  protected override update(values: readonly Tensor[], gradients: readonly Tensor[], stateOf: StateOf): void {
    let direction = gradients;
    if (this.#weightDecay !== 0) direction = ops._foreachAdd(gradients, values, { alpha: this.#weightDecay });
    if (this.#momentum !== 0) {
      const buffers = stateOf("momentum");
      ops._foreachMul_(buffers, this.#momentum);
      ops._foreachAdd_(buffers, direction);
      direction = buffers;
    }
    ops._foreachAdd_(values, direction, { alpha: -this.lr });
  }
}
