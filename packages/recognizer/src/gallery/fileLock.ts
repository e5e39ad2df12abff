// One writer at a time: a file `<path>.lock` beside the gallery, with the process that holds it. Node has no flock. A lock whose
// process has ended (on this machine), or that was not touched for a minute (any machine), is taken over.
import { randomUUID } from "node:crypto";
import { open, readFile, rm, stat, utimes } from "node:fs/promises";
import { hostname } from "node:os";
import { fileError, isSystemError, TopofrError } from "@topofr/formats";
import { z } from "zod";

const TOUCH_MS = 15_000;
const STALE_MS = 60_000;
const ATTEMPTS = 3;

const holderSchema = z.object({ token: z.string(), pid: z.int(), host: z.string() });
type Holder = z.infer<typeof holderSchema>;

export interface FileLock {
  /** @throws E_FILE when another process has taken the lock, believing that this one was gone */
  check(): Promise<void>;
  release(): Promise<void>;
}

/** Locks of this process: another process may have had the same number before. */
const held = new Set<string>();

/** @throws E_FILE when another process, or this one, holds the lock, or the folder cannot be written to */
export async function lockFile(path: string): Promise<FileLock> {
  const file = `${path}.lock`;
  const holder: Holder = { token: randomUUID(), pid: process.pid, host: hostname() };
  for (let attempt = 1; ; attempt++) {
    try {
      const handle = await open(file, "wx", 0o600);
      await handle.writeFile(JSON.stringify(holder)).finally(() => handle.close());
      break;
    } catch (error) {
      if (!isSystemError(error) || error.code !== "EEXIST")
        throw fileError(path, "lock the gallery for writing", error);
      const other = await readHolder(file);
      const untouchedMs = await untouchedFor(file);
      if (attempt === ATTEMPTS || !isGone(other, untouchedMs))
        throw heldError(path, file, other, untouchedMs);
      await rm(file, { force: true });
    }
  }
  held.add(holder.token);
  const timer = setInterval(() => void touch(file, holder), TOUCH_MS);
  timer.unref();
  const isOurs = async () => (await readHolder(file))?.token === holder.token;
  return {
    async check() {
      if (await isOurs()) return;
      throw new TopofrError(
        "E_FILE",
        `${path}: another process has taken over the gallery (${file}); close it and open it again`,
      );
    },
    async release() {
      clearInterval(timer);
      held.delete(holder.token);
      if (await isOurs()) await rm(file, { force: true });
    },
  };
}

async function touch(file: string, { token }: Holder): Promise<void> {
  if ((await readHolder(file))?.token !== token) return;
  const now = new Date();
  await utimes(file, now, now).catch(() => undefined); // `check` says so when the lock is lost
}

/** Null when there is none, or it is just being written. */
async function readHolder(file: string): Promise<Holder | null> {
  try {
    return holderSchema.safeParse(JSON.parse(await readFile(file, "utf8"))).data ?? null;
  } catch {
    return null;
  }
}

async function untouchedFor(file: string): Promise<number> {
  return stat(file).then(
    ({ mtimeMs }) => Date.now() - mtimeMs,
    () => 0, // released meanwhile
  );
}

function isGone(holder: Holder | null, untouchedMs: number): boolean {
  if (untouchedMs > STALE_MS) return true;
  if (holder === null || holder.host !== hostname()) return false;
  if (holder.pid === process.pid) return !held.has(holder.token);
  try {
    process.kill(holder.pid, 0); // asks whether it is there
    return false;
  } catch (error) {
    return isSystemError(error) && error.code === "ESRCH";
  }
}

function heldError(path: string, file: string, holder: Holder | null, untouchedMs: number): TopofrError {
  const who =
    holder === null
      ? "another process"
      : holder.token !== "" && held.has(holder.token)
        ? "this process"
        : `process ${holder.pid} on ${holder.host}`;
  const wait = Math.max(1, Math.ceil((STALE_MS - untouchedMs) / 1000));
  return new TopofrError(
    "E_FILE",
    `${path}: ${who} has the gallery open for writing; end it, or open the gallery with readOnly. ` +
      `If it is gone, try again in ${wait} s, or delete ${file}`,
  );
}
