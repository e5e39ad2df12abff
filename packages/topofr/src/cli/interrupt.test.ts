import { afterEach, expect, test, vi } from "vitest";
import { interruptible } from "./interrupt.js";

afterEach(() => vi.restoreAllMocks());

test("the first signal asks to stop, the second ends the process, and release gives the signal back", () => {
  const said = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  const exit = vi.spyOn(process, "exit").mockReturnValue(undefined as never);
  const before = process.listenerCount("SIGINT");
  const { signal, release } = interruptible("stopping after this step and saving");
  expect(signal.aborted).toBe(false);
  process.emit("SIGINT");
  expect(signal.aborted).toBe(true);
  expect(said).toHaveBeenCalledWith("\nstopping after this step and saving; once more to quit at once\n");
  expect(exit).not.toHaveBeenCalled();
  process.emit("SIGINT");
  expect(exit).toHaveBeenCalledWith(130);
  release();
  expect(process.listenerCount("SIGINT")).toBe(before);
});
