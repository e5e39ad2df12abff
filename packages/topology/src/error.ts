// The one error this package throws. It depends on no other package, so that it also runs in a browser.

/**
 * What was wrong with the caller's numbers:
 *
 * - `E_DISTANCES`: a distance matrix or point set that is no such thing (length, NaN, negative, not symmetric);
 * - `E_DIAGRAM`: a persistence diagram the called function cannot take;
 * - `E_OPTION`: an option out of its range;
 * - `E_FORMAT`: text or bytes that are not what they should be; the message names the line or byte;
 * - `E_TOO_LARGE`: more than memory or the numbering of simplices can hold.
 */
export type TopologyErrorCode = "E_DISTANCES" | "E_DIAGRAM" | "E_OPTION" | "E_FORMAT" | "E_TOO_LARGE";

export class TopologyError extends Error {
  readonly code: TopologyErrorCode;

  constructor(code: TopologyErrorCode, message: string) {
    super(message);
    this.name = "TopologyError";
    this.code = code;
  }
}
