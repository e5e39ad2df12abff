// scope() and noGrad() end when their body returns: what an async body does after its first await would run outside.
import { TopofrError } from "@topofr/formats";

/** @throws E_USAGE when `result` is a Promise (or another object with `then`). */
export function refusePromise(what: string, result: unknown): void {
  if (typeof result !== "object" || result === null || !("then" in result)) return;
  if (typeof result.then !== "function") return;
  // Nobody will wait for it: its failure must not end the process as an unhandled rejection.
  result.then(undefined, () => {});
  throw new TopofrError(
    "E_USAGE",
    `${what}: the body returned a Promise, and what follows its first await would run after the end; ` +
      `await outside, and pass a synchronous body`,
  );
}
