// Ctrl-C: the first asks the work to stop where it can go on later, the second ends the process.

import { EXIT_INTERRUPTED, note } from "./command.js";

export interface Interrupt {
  signal: AbortSignal;
  /** Stops listening; call it when the work is over. */
  release(): void;
}

/** @param message what to say at the first signal */
export function interruptible(message: string): Interrupt {
  const controller = new AbortController();
  const stop = () => {
    if (controller.signal.aborted) process.exit(EXIT_INTERRUPTED);
    controller.abort();
    note(`\n${message}; once more to quit at once`);
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  return {
    signal: controller.signal,
    release() {
      process.off("SIGINT", stop);
      process.off("SIGTERM", stop);
    },
  };
}
