// Whether operators record what backward() needs.
import { native } from "./native.js";

function withGradMode<T>(enabled: boolean, body: () => T): T {
  const previous = native.setGradEnabled(enabled);
  try {
    return body();
  } finally {
    native.setGradEnabled(previous);
  }
}

/** Runs `body` without recording gradients. */
export const noGrad = <T>(body: () => T): T => withGradMode(false, body);
/** Runs `body` with gradients recorded, inside a noGrad too. */
export const enableGrad = <T>(body: () => T): T => withGradMode(true, body);
