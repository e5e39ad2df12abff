// A piece of a network whose activations can be computed again in the backward instead of being kept.
import { checkpoint, nn, type Tensor } from "@topofr/torch";

export abstract class ResidualBlock extends nn.Module {
  /** True: of a training step, only the block's input is kept for the backward. */
  checkpointing = false;
  #running: Tensor[] | null = null;

  /** What the block computes. */
  protected abstract compute(input: Tensor): Tensor;

  override forward(input: Tensor): Tensor {
    if (!(this.checkpointing && this.training)) return this.compute(input);
    this.#running ??= [...this.stateDict().values()].filter(({ requiresGrad }) => !requiresGrad);
    return checkpoint((value) => this.compute(value), input, { state: this.#running });
  }
}

/** Turns checkpointing on in all blocks of a network. */
export function checkpointBlocks(network: nn.Module): void {
  for (const module of network.modules()) if (module instanceof ResidualBlock) module.checkpointing = true;
}
