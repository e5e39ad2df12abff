// events.jsonl: one event a line, appended. Survives a kill: a line torn by it is dropped, and a resumed run
// first takes back what happened after the checkpoint that it starts from. Not a lock; one writer a run.

import { closeSync, fsyncSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import { fileError, TopofrError } from "@topofr/formats";
import { type LoggedEvent, loggedEventSchema, type RunEvent } from "./events.js";

export interface ReadLog {
  events: LoggedEvent[];
  /** Bytes of the file that hold `events`; anything beyond is a torn line. */
  bytes: number;
  /** True when a last line was cut off by a kill and ignored. */
  torn: boolean;
}

/**
 * All whole events of a log.
 *
 * @throws TopofrError E_FILE when it cannot be read; E_FORMAT naming the line when one before the last is not an event
 */
export function readEventLog(path: string): ReadLog {
  const { lines, bytes, torn } = scan(path);
  return { events: lines.map(({ event }) => event), bytes, torn };
}

export interface EventLogOptions {
  /**
   * The step of the checkpoint that the run resumes from. What the log holds beyond that checkpoint is cut off,
   * so that the finished log reads as that of a run that was never stopped. Leave out to start a new log.
   */
  resumeAtStep?: number;
  /** Seconds since 1970, for the events' time. Default: the system clock. */
  clock?: () => number;
}

export class EventLog {
  /** What the log held when it was opened, after the cut. */
  readonly kept: readonly LoggedEvent[];
  /** Whether the checkpoint that the run resumes from is among `kept`; a kill right after a save can lose it. */
  readonly checkpointLogged: boolean;
  readonly #path: string;
  readonly #clock: () => number;
  #file: number | undefined;

  /** @throws TopofrError E_FILE when the log cannot be opened; E_FORMAT when it is damaged before its last line */
  constructor(path: string, { resumeAtStep, clock = () => Date.now() / 1000 }: EventLogOptions = {}) {
    this.#path = path;
    this.#clock = clock;
    const resuming = resumeAtStep !== undefined;
    const { lines } = resuming ? scan(path) : { lines: [] };
    const { kept, checkpointLogged } = cut(lines, resumeAtStep ?? 0);
    this.kept = kept.map(({ event }) => event);
    this.checkpointLogged = checkpointLogged;
    this.#file = attempt(path, "open", () => {
      const file = openSync(path, resuming ? "r+" : "w");
      if (resuming) ftruncateSync(file, kept.at(-1)?.end ?? 0);
      closeSync(file);
      return openSync(path, "a");
    });
  }

  /**
   * Writes one event and returns it with its time. Checkpoint and end events are flushed to the disk.
   *
   * @throws TopofrError E_FILE when the disk refuses it
   */
  append(event: RunEvent): LoggedEvent {
    const file = this.#file;
    if (file === undefined)
      throw new TopofrError("E_USAGE", `${this.#path}: the log is closed; nothing can be appended`);
    const logged: LoggedEvent = { time: Math.round(this.#clock() * 1000) / 1000, ...event };
    attempt(this.#path, "write", () => {
      writeWhole(file, `${JSON.stringify(logged, finite)}\n`);
      if (event.type === "checkpoint" || event.type === "end") fsyncSync(file);
    });
    return logged;
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }
}

interface Line {
  event: LoggedEvent;
  /** Byte after the line. */
  end: number;
}

/**
 * The lines up to and including the checkpoint event of `step`. Where that event is missing (the kill came between
 * the save and the line), those up to `step`. An end event belongs to the session that is over.
 */
function cut(lines: Line[], step: number): { kept: Line[]; checkpointLogged: boolean } {
  const saved = lines.findLastIndex(({ event }) => event.type === "checkpoint" && event.step === step);
  if (saved >= 0) return { kept: lines.slice(0, saved + 1), checkpointLogged: true };
  const beyond = lines.findIndex(({ event }) => event.step > step || event.type === "end");
  return { kept: beyond < 0 ? lines : lines.slice(0, beyond), checkpointLogged: false };
}

function scan(path: string): { lines: Line[]; bytes: number; torn: boolean } {
  const content = attempt(path, "read", () => readFileSync(path));
  const lines: Line[] = [];
  let start = 0;
  while (start < content.length) {
    const newline = content.indexOf("\n", start);
    const event = newline < 0 ? undefined : parseLine(content.toString("utf8", start, newline));
    if (!event) {
      if (newline >= 0 && newline + 1 < content.length)
        throw new TopofrError(
          "E_FORMAT",
          `${path}:${lines.length + 1} is not a run event, and it is not the last line; restore the file or remove that line`,
        );
      return { lines, bytes: start, torn: true };
    }
    start = newline + 1;
    lines.push({ event, end: start });
  }
  return { lines, bytes: start, torn: false };
}

function parseLine(line: string): LoggedEvent | undefined {
  try {
    const parsed = loggedEventSchema.safeParse(JSON.parse(line));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined; // not JSON: the caller knows the line's number
  }
}

function finite(_key: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
}

function writeWhole(file: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
}

function attempt<T>(path: string, doing: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw fileError(path, `${doing} the event log`, error);
  }
}
