// Where the time goes: every operator that a piece of work calls, forward and backward.
import { native } from "./native.js";

export interface OperatorTime {
  /** As libtorch calls it, such as `aten::convolution_backward`. */
  name: string;
  /** Dtypes and shapes of its tensors, such as `Float[32, 64, 56, 56] Float[64, 64, 3, 3]`. */
  shapes: string;
  calls: number;
  /** Seconds in it, operators that it called included. */
  seconds: number;
  /** Seconds in it alone. */
  selfSeconds: number;
}

/**
 * Runs `work` and returns what it returned, with the time of every operator in it, most self time first. One at a time.
 *
 * @throws E_TENSOR when a profile is already being taken
 */
export function profile<T>(work: () => T): { result: T; operators: OperatorTime[] } {
  native.startProfile();
  let result: T;
  let operators: OperatorTime[];
  try {
    result = work();
  } finally {
    operators = native.stopProfile();
  }
  return { result, operators: operators.sort((a, b) => b.selfSeconds - a.selfSeconds) };
}
