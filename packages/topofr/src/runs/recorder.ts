// One call per event: into the log, into TensorBoard, and to whoever watches. The training loop opens it.

import { EventLog } from "./eventLog.js";
import type { LoggedEvent, RunEvent } from "./events.js";
import type { RunFolder } from "./runFolder.js";
import { openTensorBoard } from "./tensorboard.js";

export interface RecorderOptions {
  /** The step of the checkpoint that the run resumes from; leave out for a new run. */
  resumeAtStep?: number;
  /** Told of every event once it is logged. */
  onEvent?: (event: LoggedEvent) => void;
  /** Seconds since 1970, for the events' time. Default: the system clock. */
  clock?: () => number;
}

export interface Recorder {
  /**
   * The log before this session. After a resume it may lack the checkpoint resumed from (a kill between the save and
   * the line): `checkpointLogged` is then false, and the loop records that checkpoint event again.
   */
  readonly kept: readonly LoggedEvent[];
  readonly checkpointLogged: boolean;
  /** Logs an event. A `start` in a resumed run only goes to `onEvent`: the log has one already. */
  record(event: RunEvent): void;
  close(): void;
}

/** @throws TopofrError E_FILE or E_FORMAT when the log or the TensorBoard folder cannot be opened */
export async function openRecorder(run: RunFolder, options: RecorderOptions = {}): Promise<Recorder> {
  const { onEvent, ...logOptions } = options;
  const log = new EventLog(run.events, logOptions);
  const tensorboard = await openTensorBoard(run.tensorboard, log.kept);
  const started = log.kept.find((event) => event.type === "start");
  return {
    kept: log.kept,
    checkpointLogged: log.checkpointLogged,
    record(event) {
      if (event.type === "start" && started) {
        onEvent?.({ ...event, time: started.time });
        return;
      }
      const logged = log.append(event);
      tensorboard.write(logged);
      onEvent?.(logged);
    },
    close() {
      log.close();
      tensorboard.close();
    },
  };
}
