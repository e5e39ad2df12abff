// Draws progress on standard error: one line rewritten in place on a terminal, a plain line every few seconds
// elsewhere (a log file, CI). What the line says: runs/progress.ts.

import type { LoggedEvent } from "../runs/events.js";
import { advance, formatDuration, formatProgress, NO_PROGRESS } from "../runs/progress.js";

const REDRAW_SECONDS = 0.2;
const LINE_SECONDS = 10; // between two lines where nothing can be rewritten
const BAD_IMAGES_SHOWN = 5;

export interface Screen {
  write(text: string): void;
  isTerminal: boolean;
  columns: number;
  /** Seconds, from any origin. */
  now(): number;
}

export const standardError: Screen = {
  write: (text) => void process.stderr.write(text),
  isTerminal: Boolean(process.stderr.isTTY),
  get columns() {
    return process.stderr.columns || 100; // 0 where a terminal does not say
  },
  now: () => performance.now() / 1000,
};

/** A line that changes, among lines that stay. */
export class StatusLine {
  readonly #screen: Screen;
  #drawnAt = Number.NEGATIVE_INFINITY;
  #visible = false;

  constructor(screen: Screen = standardError) {
    this.#screen = screen;
  }

  /** Shows `text()` unless the last showing was a moment ago; `force` shows it anyway. */
  update(text: (columns: number) => string, { force = false } = {}): void {
    const { isTerminal, columns } = this.#screen;
    const pause = isTerminal ? REDRAW_SECONDS : LINE_SECONDS;
    const now = this.#screen.now();
    if (!force && now - this.#drawnAt < pause) return;
    this.#drawnAt = now;
    this.#screen.write(isTerminal ? `\r\x1b[2K${text(columns - 1)}` : `${text(columns)}\n`);
    this.#visible = isTerminal;
  }

  /** Prints a line that stays, above the changing one. */
  line(text: string): void {
    this.clear();
    this.#screen.write(`${text}\n`);
  }

  /** Takes the changing line away. */
  clear(): void {
    if (this.#visible) this.#screen.write("\r\x1b[2K");
    this.#visible = false;
    if (this.#screen.isTerminal) this.#drawnAt = Number.NEGATIVE_INFINITY;
  }
}

/** Shows the events of a training run. `maxMinutes` limits the time left that is shown. */
export function trainingView({ maxMinutes = null as number | null, screen = standardError } = {}) {
  const line = new StatusLine(screen);
  const limit = maxMinutes === null ? Number.POSITIVE_INFINITY : screen.now() + 60 * maxMinutes;
  let state = NO_PROGRESS;
  let badImages = 0;
  return {
    onEvent(event: LoggedEvent): void {
      state = advance(state, event);
      if (event.type === "badImage") badImages++;
      const text = describeEvent(event, badImages);
      if (text) line.line(text);
      const { progress } = state;
      if (event.type === "step" && progress)
        line.update((width) => formatProgress(progress, { width, secondsToLimit: limit - screen.now() }), {
          force: event.step === progress.totalSteps,
        });
    },
    close(): void {
      if (screen.isTerminal && state.progress) {
        const { progress } = state;
        line.line(formatProgress(progress, { width: screen.columns }));
      }
    },
  };
}

/** Shows a count that grows: "faces: 1200/4000, 310/s, 9 s left". */
export function countView(label: string, unit: string, screen: Screen = standardError) {
  const line = new StatusLine(screen);
  const started = screen.now();
  return {
    onProgress(done: number, total: number): void {
      const perSecond = done / Math.max(1e-3, screen.now() - started);
      const left = formatDuration(done === 0 ? Number.POSITIVE_INFINITY : (total - done) / perSecond);
      const text = `${label}: ${done}/${total} ${unit}  ${perSecond.toFixed(0)}/s  ${left} left`;
      line.update((width) => text.slice(0, width), { force: done === total });
    },
    close: () => line.clear(),
  };
}

function describeEvent(event: LoggedEvent, badImages: number): string | null {
  switch (event.type) {
    case "start":
      return (
        `${event.network} (${(event.parameters / 1e6).toFixed(2)} M parameters), ` +
        `${event.images} images of ${event.identities} people, ` +
        `${event.epochs} epochs of ${event.stepsPerEpoch} steps`
      );
    case "evaluation": {
      const accuracy = event.metrics.accuracy;
      const value = accuracy === undefined ? "" : ` accuracy ${(100 * accuracy).toFixed(2)}%`;
      return `evaluation at step ${event.step}: ${event.name}${value}${event.best ? ", the best so far" : ""}`;
    }
    case "warning":
      return `warning: ${event.message}`;
    case "badImage":
      if (badImages > BAD_IMAGES_SHOWN) return null;
      return (
        `bad image: ${event.path}: ${event.reason}` +
        (badImages === BAD_IMAGES_SHOWN ? " (further ones are only named in events.jsonl)" : "")
      );
    default:
      return null;
  }
}
