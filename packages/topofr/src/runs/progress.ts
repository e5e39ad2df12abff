// The progress line as a pure function of the events so far. Drawing it on a terminal: cli/progressView.ts.

import type { EventOfType, RunEvent } from "./events.js";

/** What the line says, once there is a step. */
export interface Progress {
  step: number;
  totalSteps: number;
  /** Counted from 0. */
  epoch: number;
  epochs: number;
  /** Exponential means over about the last 20 steps, so that the line can be read. */
  loss: number;
  imagesPerSecond: number;
  secondsPerStep: number;
  /** Of the last evaluation; null before the first. */
  accuracy: number | null;
}

/** Everything the line needs between two events. */
export interface ProgressState {
  start: EventOfType<"start"> | null;
  progress: Progress | null;
}

export const NO_PROGRESS: ProgressState = { start: null, progress: null };

const SMOOTHING = 0.1; // weight of a new step

/** The state after one more event. */
export function advance(state: ProgressState, event: RunEvent): ProgressState {
  const { start, progress } = state;
  if (event.type === "start") return { start: event, progress };
  if (event.type === "evaluation") {
    const accuracy = event.metrics.accuracy ?? null;
    return { start, progress: progress && { ...progress, accuracy } };
  }
  if (event.type !== "step") return state;
  return {
    start,
    progress: {
      step: event.step,
      totalSteps: start?.totalSteps ?? event.step,
      epoch: event.epoch,
      epochs: start?.epochs ?? event.epoch + 1,
      loss: smooth(progress?.loss, event.loss),
      imagesPerSecond: smooth(progress?.imagesPerSecond, event.imagesPerSecond),
      secondsPerStep: smooth(progress?.secondsPerStep, event.secondsPerStep),
      accuracy: progress?.accuracy ?? null,
    },
  };
}

/** Seconds to the last step at the present speed, or to the time limit where that comes first. */
export function secondsLeft(progress: Progress, secondsToLimit = Number.POSITIVE_INFINITY): number {
  const byStep = (progress.totalSteps - progress.step) * progress.secondsPerStep;
  return Math.max(0, Math.min(byStep, secondsToLimit));
}

/**
 * "step 120/1392  epoch 2/12  loss 23.4  118 img/s  22 min left  accuracy 81.3%", cut at `width` characters with the
 * later parts left out first.
 */
export function formatProgress(
  progress: Progress,
  { width = 100, secondsToLimit }: { width?: number; secondsToLimit?: number } = {},
): string {
  const parts = [
    `step ${progress.step}/${progress.totalSteps}`,
    `epoch ${Math.min(progress.epoch + 1, progress.epochs)}/${progress.epochs}`,
    `loss ${significant(progress.loss)}`,
    `${significant(progress.imagesPerSecond)} img/s`,
    `${formatDuration(secondsLeft(progress, secondsToLimit))} left`,
    ...(progress.accuracy === null ? [] : [`accuracy ${(100 * progress.accuracy).toFixed(1)}%`]),
  ];
  let line = parts[0]!;
  for (const part of parts.slice(1)) {
    if (line.length + 2 + part.length > width) break;
    line += `  ${part}`;
  }
  return line.slice(0, width);
}

/** "42 s", "3 min 20 s", "25 min", "2 h 05 min", "3 d 4 h": two units at most, the second where it still matters. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "unknown time";
  const total = Math.round(seconds);
  const minutes = Math.round(total / 60);
  if (total < 60) return `${total} s`;
  if (total < 600) return `${Math.floor(total / 60)} min ${String(total % 60).padStart(2, "0")} s`;
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
  const hours = Math.round(minutes / 60);
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** Three digits that matter: 0.0123, 1.23, 12.3, 123, 1234. */
function significant(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

function smooth(before: number | undefined, value: number): number {
  if (before === undefined || !Number.isFinite(before)) return value;
  return before + SMOOTHING * (value - before);
}
