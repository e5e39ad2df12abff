// TensorBoard event files: scalars and images, one TFRecord an event. It draws nothing and averages nothing.
import { closeSync, ftruncateSync, mkdirSync, openSync, writeSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { TopofrError } from "./error.js";
import { decodeEvent, type EventMessage, encodeEvent, type SummaryValue } from "./eventMessage.js";
import { fileError, isSystemError } from "./fileError.js";
import { openInputFile } from "./inputFile.js";
import { pngHeader } from "./pngHeader.js";
import { encodeRecord, readRecords } from "./tfRecord.js";

const FILE_VERSION = "brain.Event:2";
const SESSION_START = 1;
const BUFFER_BYTES = 64 * 1024; // flushed by itself beyond this
const MAX_FILES_PER_SECOND = 1000;

/** Writes synchronously: a call costs microseconds, a flush one write. Times are seconds since 1970. */
export interface TfEventsWriter {
  readonly path: string;
  /** Adds a scalar (kept as float32; NaN and infinities are allowed). Errors: E_USAGE, E_FILE. */
  scalar(tag: string, value: number, step: number, wallTimeSeconds: number): void;
  /** Adds a picture of `width` x `height` pixels, encoded as PNG. Errors: E_USAGE, E_FILE. */
  image(
    tag: string,
    png: Uint8Array,
    width: number,
    height: number,
    step: number,
    wallTimeSeconds: number,
  ): void;
  /**
   * Hands everything to the operating system. Errors: E_FILE (full disk …): the file then ends with a whole record,
   * and what could not be written is tried again by the next flush.
   */
  flush(): void;
  /** Flushes and closes; further calls but `close` are E_USAGE. */
  close(): void;
}

export interface TfEventsOptions {
  /** Creation time, default now; it is also part of the file's name. */
  readonly wallTimeSeconds?: number;
  /** Host part of the file's name, default this machine's name. */
  readonly host?: string;
  /** Of a resumed run: TensorBoard then drops what earlier files say about this step and later ones. */
  readonly resumeStep?: number;
}

/**
 * Opens a new file `events.out.tfevents.<seconds>.<host>.<n>` in `folder`, which is made when missing. Existing files
 * are never appended to: TensorBoard reads all files of a folder in the order of their names, so a resumed run just
 * opens another. Errors: E_FILE.
 */
export function openTfEvents(folder: string, options: TfEventsOptions = {}): TfEventsWriter {
  const wallTime = options.wallTimeSeconds ?? Date.now() / 1000;
  const { descriptor, path } = createEventFile(folder, wallTime, options.host ?? hostname());
  let pending: Uint8Array[] = [];
  let pendingBytes = 0;
  let writtenBytes = 0;
  let open = true;

  const flush = () => {
    if (pending.length === 0) return;
    const bytes = Buffer.concat(pending);
    try {
      for (let done = 0; done < bytes.length; )
        done += writeSync(descriptor, bytes, done, null, writtenBytes + done);
    } catch (error) {
      truncateTo(descriptor, writtenBytes);
      throw fileError(path, "write events", error);
    }
    writtenBytes += bytes.length;
    pending = [];
    pendingBytes = 0;
  };
  const add = (event: EventMessage) => {
    if (!open)
      throw new TopofrError("E_USAGE", `${path}: the event file is closed; open another by openTfEvents`);
    if (!Number.isSafeInteger(event.step)) {
      throw new TopofrError("E_USAGE", `${path}: step ${event.step} is not an integer`);
    }
    const record = encodeRecord(encodeEvent(event));
    pending.push(record);
    pendingBytes += record.length;
    if (pendingBytes > BUFFER_BYTES) flush();
  };
  const addValue = (value: SummaryValue, step: number, wallTimeSeconds: number) =>
    add({ wallTime: wallTimeSeconds, step, summary: { value: [value] } });

  add({ wallTime, step: 0, fileVersion: FILE_VERSION });
  if (options.resumeStep !== undefined) {
    add({ wallTime, step: options.resumeStep, sessionLog: { status: SESSION_START } });
  }
  return {
    path,
    scalar: (tag, value, step, wallTimeSeconds) =>
      addValue({ tag, simpleValue: value }, step, wallTimeSeconds),
    image(tag, png, width, height, step, wallTimeSeconds) {
      const found = pngHeader(png);
      if (!found || found.width !== width || found.height !== height) {
        const what = found ? `a PNG of ${found.width} x ${found.height}` : "no PNG";
        throw new TopofrError(
          "E_USAGE",
          `${path}: image "${tag}" is ${what}, expected a PNG of ${width} x ${height}`,
        );
      }
      const image = { height, width, colorspace: found.channels, encodedImageString: png };
      addValue({ tag, image }, step, wallTimeSeconds);
    },
    flush,
    close() {
      if (!open) return;
      open = false;
      try {
        flush();
      } finally {
        closeSync(descriptor);
      }
    },
  };
}

/**
 * The events of a file, in order. Errors: E_FILE; E_FORMAT with record number and byte, after the events before the
 * damage have been given out (a run that still writes may end in half a record).
 */
export async function* readTfEvents(path: string): AsyncGenerator<EventMessage> {
  const file = await openInputFile(path);
  try {
    for await (const { data, position } of readRecords(file)) {
      yield decodeEvent(data, `${path}: record at byte ${position}`);
    }
  } finally {
    await file.close();
  }
}

/** Makes a file of a name that did not exist. */
function createEventFile(
  folder: string,
  wallTime: number,
  host: string,
): { descriptor: number; path: string } {
  const seconds = Math.floor(wallTime).toString().padStart(10, "0");
  const safeHost = host.replace(/[^A-Za-z0-9.-]/g, "_");
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw fileError(folder, "make the folder", error);
  }
  for (let n = 0; n < MAX_FILES_PER_SECOND; n++) {
    const path = join(folder, `events.out.tfevents.${seconds}.${safeHost}.${n}`);
    try {
      return { descriptor: openSync(path, "wx"), path };
    } catch (error) {
      if (!isSystemError(error) || error.code !== "EEXIST")
        throw fileError(path, "make the event file", error);
    }
  }
  throw new TopofrError(
    "E_FILE",
    `${folder}: has ${MAX_FILES_PER_SECOND} event files of second ${seconds} already`,
  );
}

function truncateTo(descriptor: number, length: number): void {
  try {
    ftruncateSync(descriptor, length);
  } catch {
    // The write error is the one to report; the next flush writes over the same place.
  }
}
