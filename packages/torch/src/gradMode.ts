// Whether operators record what backward() needs.
import { native } from "./native.js";
import { refusePromise } from "./refusePromise.js";

function withGradMode<T>(what: string, enabled: boolean, body: () => T): T {
  const previous = native.setGradEnabled(enabled);
  try {
    const result = body();
    refusePromise(what, result);
    return result;
  } finally {
    native.setGradEnabled(previous);
  }
}

/** Runs `body`, which must be synchronous, without recording gradients. */
export const noGrad = <T>(body: () => T): T => withGradMode("noGrad()", false, body);
/** Runs `body`, which must be synchronous, with gradients recorded, inside a noGrad too. */
export const enableGrad = <T>(body: () => T): T => withGradMode("enableGrad()", true, body);
