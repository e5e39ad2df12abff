// One set-up at a time in one checkout. The lock is a file with the owner's process id; a dead owner's is taken over.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { SetupError } from "./host.mjs";

const POLL_SECONDS = 0.5;
const PATIENCE_SECONDS = 30 * 60; // Longer than any step takes; a build that hangs should not hang others for good.

/**
 * Runs `work` while holding the lock of the checkout; waits for another set-up to finish first.
 * @template T
 * @param {import("./host.mjs").Host} host
 * @param {() => T} work
 * @returns {T}
 */
export function withLock(host, work) {
  const folder = join(host.root, ".setup");
  const path = join(folder, "lock");
  mkdirSync(folder, { recursive: true });
  const deadline = Date.now() + PATIENCE_SECONDS * 1000;
  let said = false;
  while (!tryLock(path)) {
    const owner = lockOwner(path);
    if (owner !== null && !isRunning(owner)) {
      rmSync(path, { force: true });
      continue;
    }
    if (Date.now() > deadline) {
      throw new SetupError(
        `another set-up (process ${owner}) holds ${path} for over 30 minutes; end it or delete the file.`,
      );
    }
    if (!said) host.say(`setup: waiting for another set-up (process ${owner ?? "unknown"}) to finish\n`);
    said = true;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, POLL_SECONDS * 1000);
  }
  try {
    return work();
  } finally {
    rmSync(path, { force: true });
  }
}

function tryLock(path) {
  try {
    writeFileSync(path, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  }
}

/** Process id in the lock file; null while its owner is between creating and writing it. */
function lockOwner(path) {
  try {
    const owner = Number(readFileSync(path, "utf8"));
    return Number.isInteger(owner) && owner > 0 ? owner : null;
  } catch {
    return null;
  }
}

function isRunning(processId) {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}
