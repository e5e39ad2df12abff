// checkpoint(): memory for time. What a function computes is not kept for the backward, but computed again there.
import { noGrad } from "./gradMode.js";
import { native } from "./native.js";
import { scope } from "./scope.js";
import type { Tensor } from "./tensor.js";

export interface CheckpointOptions {
  /** Tensors that `body` changes while it computes, such as running means: the second time leaves them as they are. */
  state?: readonly Tensor[];
}

/**
 * body(input), of which only the input is kept for the backward: there `body` runs a second time, with the same random numbers,
 * and the gradients of its input and of all parameters that it uses are those of body(input) itself, bit for bit.
 *
 * `body` must compute the same both times, from its input and from tensors that live until the backward: parameters, not what a
 * scope() frees before. Errors that it throws come out of backward(). Without gradients (noGrad) it is body(input).
 * @param body synchronous; one tensor in, one out
 * @throws E_TENSOR on a GPU before libtorch 2.0
 */
export function checkpoint(
  body: (input: Tensor) => Tensor,
  input: Tensor,
  { state = [] }: CheckpointOptions = {},
): Tensor {
  const again = (copy: Tensor, gradient: Tensor): void => {
    try {
      scope(() => {
        const kept = noGrad(() => state.map((value) => value.clone()));
        try {
          const output = body(copy);
          if (output.requiresGrad) output.backward(gradient);
        } finally {
          noGrad(() => {
            for (const [index, value] of state.entries()) value.copy_(kept[index]!);
          });
        }
      });
    } finally {
      copy.dispose();
      gradient.dispose();
    }
  };
  return native.checkpoint(input, () => scope(() => body(input)), again);
}
