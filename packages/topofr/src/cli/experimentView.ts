// Progress of an experiment on standard error: a line for each run that ends, and one that changes.
import {
  cellEnded,
  cellEvent,
  cellStarted,
  type ExperimentProgress,
  experimentSecondsLeft,
  newProgress,
} from "../experiments/experimentProgress.js";
import type { LoggedEvent } from "../runs/events.js";
import { formatDuration } from "../runs/progress.js";
import { StatusLine } from "./progressView.js";

export function experimentView(cells: number, finished: number, jobs: number) {
  const line = new StatusLine();
  let state = newProgress(cells, finished);
  return {
    onCell(id: string, news: "start" | "done" | "diverged" | "interrupted"): void {
      if (news === "start") {
        state = cellStarted(state, id);
        return;
      }
      state = cellEnded(state, id, news !== "interrupted");
      line.line(`${id}: ${news} (${state.finished} of ${state.cells} runs)`);
    },
    onEvent(id: string, event: LoggedEvent): void {
      state = cellEvent(state, id, event);
      if (event.type === "warning") line.line(`${id}: warning: ${event.message}`);
      if (event.type === "step") line.update((width) => progressText(state, jobs).slice(0, width));
    },
    close: () => line.clear(),
  };
}

/** "3/21 runs  2 h 10 min left  topofr-p-seed2 step 120/1392". */
function progressText(state: ExperimentProgress, jobs: number): string {
  const running = state.running.map(({ id, step, totalSteps }) => `${id} step ${step}/${totalSteps}`);
  const left = formatDuration(experimentSecondsLeft(state, jobs));
  return [`${state.finished}/${state.cells} runs`, `${left} left`, ...running].join("  ");
}
