// AdamW (Loshchilov and Hutter, 2019), with PyTorch's update and defaults.
import { TopofrError } from "@topofr/formats";
import { ops } from "../operators.js";
import { type Tensor, zeros } from "../tensor.js";
import { type NamedParameters, Optimizer, type StateOf } from "./optimizer.js";

export interface AdamWOptions {
  lr: number;
  betas?: readonly [number, number];
  eps?: number;
  weightDecay?: number;
}

export class AdamW extends Optimizer {
  readonly #betas: readonly [number, number];
  readonly #eps: number;
  readonly #weightDecay: number;
  /** Number of updates so far, for the bias correction. */
  readonly #steps: Tensor;

  constructor(
    parameters: NamedParameters,
    { lr, betas = [0.9, 0.999], eps = 1e-8, weightDecay = 0.01 }: AdamWOptions,
  ) {
    super(parameters, lr);
    this.#betas = betas;
    this.#eps = eps;
    this.#weightDecay = weightDecay;
    this.addState("exp_avg");
    this.addState("exp_avg_sq");
    this.#steps = zeros([], { dtype: "int64" });
  }

  protected override update(values: readonly Tensor[], gradients: readonly Tensor[], stateOf: StateOf): void {
    const [beta1, beta2] = this.#betas;
    const first = stateOf("exp_avg");
    const second = stateOf("exp_avg_sq");
    const step = this.#steps.add_(1).item();

    ops._foreachMul_(values, 1 - this.lr * this.#weightDecay);
    ops._foreachMul_(first, beta1);
    ops._foreachAdd_(first, gradients, { alpha: 1 - beta1 });
    ops._foreachMul_(second, beta2);
    ops._foreachAddcmul_(second, gradients, gradients, { value: 1 - beta2 });
    const denominators = ops._foreachSqrt(second);
    ops._foreachDiv_(denominators, Math.sqrt(1 - beta2 ** step));
    ops._foreachAdd_(denominators, this.#eps);
    ops._foreachAddcdiv_(values, first, denominators, { value: -this.lr / (1 - beta1 ** step) });
  }

  override stateDict(): Map<string, Tensor> {
    return super.stateDict().set("step", this.#steps);
  }

  override loadStateDict(state: ReadonlyMap<string, Tensor>): void {
    if (!state.has("step"))
      throw new TopofrError("E_MODEL", 'optimiser state "step" is missing; it is not AdamW\'s');
    super.loadStateDict(state);
  }
}
