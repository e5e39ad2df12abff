// How far an experiment is and how long it will take, from the events of its runs. Pure; drawing it: cli/experimentView.ts.
import type { LoggedEvent } from "../runs/events.js";

export interface ExperimentProgress {
  cells: number;
  /** Finished, in this session or before. */
  finished: number;
  running: readonly RunningCell[];
  /** Seconds of all runs of this session together, and how many whole runs they make. */
  spentSeconds: number;
  gained: number;
}

export interface RunningCell {
  id: string;
  step: number;
  totalSteps: number;
  /** Where this session began. */
  firstStep: number;
  secondsPerStep: number;
}

export const newProgress = (cells: number, finished: number): ExperimentProgress => ({
  cells,
  finished,
  running: [],
  spentSeconds: 0,
  gained: 0,
});

export function cellStarted(state: ExperimentProgress, id: string): ExperimentProgress {
  const cell = { id, step: 0, totalSteps: 0, firstStep: 0, secondsPerStep: 0 };
  return { ...state, running: [...state.running, cell] };
}

export function cellEnded(state: ExperimentProgress, id: string, isFinished: boolean): ExperimentProgress {
  return {
    ...state,
    running: state.running.filter((cell) => cell.id !== id),
    finished: state.finished + (isFinished ? 1 : 0),
  };
}

export function cellEvent(state: ExperimentProgress, id: string, event: LoggedEvent): ExperimentProgress {
  const running = state.running.map((cell) => {
    if (cell.id !== id) return cell;
    if (event.type === "start")
      return { ...cell, step: event.step, firstStep: event.step, totalSteps: event.totalSteps };
    return event.type === "step" ? { ...cell, step: event.step, secondsPerStep: event.secondsPerStep } : cell;
  });
  if (event.type !== "step") return { ...state, running };
  const before = state.running.find((cell) => cell.id === id);
  if (before === undefined || before.totalSteps === 0) return { ...state, running };
  const steps = event.step - before.step; // several where not every step is logged
  return {
    ...state,
    running,
    spentSeconds: state.spentSeconds + steps * event.secondsPerStep,
    gained: state.gained + steps / before.totalSteps,
  };
}

/** For all cells, `jobs` at a time, if the rest takes as long as what was done; evaluations are not counted. Infinity: not known. */
export function experimentSecondsLeft(state: ExperimentProgress, jobs: number): number {
  if (state.gained === 0) return Number.POSITIVE_INFINITY;
  const done = state.running.reduce(
    (sum, { step, totalSteps }) => sum + (totalSteps > 0 ? step / totalSteps : 0),
    state.finished,
  );
  return ((state.cells - done) * (state.spentSeconds / state.gained)) / jobs;
}
