// The one error this package throws. It depends on no other package, so that it also runs in a browser.

/**
 * What was wrong with the caller's numbers:
 *
 * - `E_DISTANCES`: a distance matrix or point set that is no such thing (length, NaN, negative, not symmetric);
 * - `E_DIAGRAM`: a persistence diagram the called function cannot take.
 */
export type TopologyErrorCode = "E_DISTANCES" | "E_DIAGRAM";

export class TopologyError extends Error {
  readonly code: TopologyErrorCode;

  constructor(code: TopologyErrorCode, message: string) {
    super(message);
    this.name = "TopologyError";
    this.code = code;
  }
}
