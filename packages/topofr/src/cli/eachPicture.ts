// Work on many pictures: a few at a time, results in order, progress on standard error. A picture that fails is reported and the rest
// goes on; the exit status says that there was one.
import { TopofrError } from "@topofr/formats";
import { EXIT_FAILED, note } from "./command.js";
import { interruptible } from "./interrupt.js";
import { countView } from "./progressView.js";

/** Pictures that are read while another one is computed. */
const AHEAD = 4;

export interface Failure {
  path: string;
  code: string;
  reason: string;
}

/**
 * @param work may fail with a TopofrError
 * @param use gets the results, one after another, and a function that takes the progress line away, to be called before printing
 * @throws AbortError after Ctrl-C, when `use` is done with what was ready; what `use` throws
 */
export async function eachPicture<Picture extends { path: string }, Result>(
  pictures: readonly Picture[],
  work: (picture: Picture) => Promise<Result>,
  use: (picture: Picture, result: Result, clearLine: () => void) => void | Promise<void>,
): Promise<Failure[]> {
  const interrupt = interruptible("stopping");
  const view = countView("recognizing", "pictures");
  const failures: Failure[] = [];
  const ahead: Promise<Result>[] = [];
  const start = (picture: Picture | undefined): void => {
    if (picture === undefined) return;
    const result = work(picture);
    result.catch(() => undefined); // looked at when its turn comes
    ahead.push(result);
  };
  for (const picture of pictures.slice(0, AHEAD)) start(picture);
  try {
    for (const [k, picture] of pictures.entries()) {
      interrupt.signal.throwIfAborted();
      start(pictures[k + AHEAD]);
      const outcome = await settled(ahead.shift()!);
      if ("error" in outcome) {
        const { code, message } = outcome.error;
        failures.push({ path: picture.path, code, reason: message });
        view.close();
        note(`${code} ${message}`);
      } else {
        await use(picture, outcome.result, view.close);
      }
      if (pictures.length > 1) view.onProgress(k + 1, pictures.length);
    }
  } finally {
    view.close();
    interrupt.release();
  }
  if (failures.length > 0) process.exitCode = EXIT_FAILED;
  if (failures.length > 0 && pictures.length > 1)
    note(`${failures.length} of ${pictures.length} pictures failed`);
  return failures;
}

async function settled<Result>(
  result: Promise<Result>,
): Promise<{ result: Result } | { error: TopofrError }> {
  try {
    return { result: await result };
  } catch (error) {
    if (error instanceof TopofrError) return { error };
    throw error; // a bug
  }
}
