// The one error type of TopoFR. Not a hierarchy: callers branch on `code`, people read `message`.

/**
 * What went wrong, coarse enough to act on:
 * - `E_FORMAT` a file is broken or not what it claims to be
 * - `E_FILE` a file is missing, unreadable, or cannot be written (permissions, full disk)
 * - `E_RECIPE` a configuration is wrong
 * - `E_DATA` a data set has a problem (labels, identities, images)
 * - `E_MODEL` a checkpoint does not fit the model
 * - `E_TENSOR` a tensor operator refused its arguments
 * - `E_USAGE` a function or command was called wrongly
 * - `E_DIVERGED` training produced NaN or infinity
 * - `E_SETUP` the engine or a system package is missing
 */
export type ErrorCode =
  | "E_FORMAT"
  | "E_FILE"
  | "E_RECIPE"
  | "E_DATA"
  | "E_MODEL"
  | "E_TENSOR"
  | "E_USAGE"
  | "E_DIVERGED"
  | "E_SETUP";

/**
 * An error whose message names the thing, the place, what was found against what was expected, and the way
 * out: `new TopofrError("E_FORMAT", "train.rec: record 1841 at byte 9,120,044: bad magic …")`.
 */
export class TopofrError extends Error {
  override readonly name = "TopofrError";
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
