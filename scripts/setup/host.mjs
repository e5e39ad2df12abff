// What the set-up knows about the machine it runs on: the steps take a Host, so that tests can hand in another one.
// No step logic here.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, statSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

/**
 * @typedef {object} RunResult
 * @property {number} code exit status; 127 when the command could not be started
 * @property {string} output what it printed; empty when `log` took it
 *
 * @typedef {object} Host
 * @property {string} root folder of the repository
 * @property {string} platform `linux`, `darwin`, `win32`, …
 * @property {number} uid user id; 0 is root, -1 where there is none
 * @property {Record<string, string | undefined>} env
 * @property {(path: string) => boolean} exists
 * @property {(path: string) => string | null} read text, or null when there is no such file
 * @property {(path: string) => string[]} list names in a folder, sorted; empty when there is no such folder
 * @property {(path: string) => string} stamp size and time of a file: changes when the file does
 * @property {(command: string) => string | null} which full path of a command on PATH
 * @property {(command: string, args: string[], options?: { log?: string, env?: object }) => RunResult} run
 * @property {(text: string) => void} say
 */

/** A failure whose message is for the user: what is wrong and what to do. No stack is shown. */
export class SetupError extends Error {}

/** @returns {Host} */
export function realHost() {
  const root = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");
  return {
    root,
    platform: process.platform,
    uid: process.getuid?.() ?? -1,
    env: process.env,
    exists: existsSync,
    read: (path) => (existsSync(path) ? readFileSync(path, "utf8") : null),
    list: (path) => (isFolder(path) ? readdirSync(path).sort() : []),
    stamp(path) {
      const found = statSync(path, { throwIfNoEntry: false });
      return found === undefined ? "absent" : `${found.size}:${found.mtimeMs}`;
    },
    which(command) {
      const folders = (process.env.PATH ?? "").split(delimiter);
      return folders.map((folder) => join(folder, command)).find(existsSync) ?? null;
    },
    run(command, args, options = {}) {
      return runCommand(root, command, args, options);
    },
    say: (text) => process.stdout.write(text),
  };
}

const isFolder = (path) => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

function runCommand(root, command, args, { log, env }) {
  const settings = { cwd: root, env: { ...process.env, ...env }, encoding: "utf8" };
  if (log === undefined) {
    const result = spawnSync(command, args, { ...settings, stdio: ["ignore", "pipe", "pipe"] });
    return { code: result.status ?? 127, output: `${result.stdout ?? ""}${result.stderr ?? ""}` };
  }
  mkdirSync(dirname(log), { recursive: true });
  const file = openSync(log, "a");
  try {
    const result = spawnSync(command, args, { ...settings, stdio: ["ignore", file, file] });
    return { code: result.status ?? 127, output: "" };
  } finally {
    closeSync(file);
  }
}

/** Last lines of a step's log, with its path: what a failed step shows. */
export function logTail(host, log, lines = 25) {
  const text = (host.read(log) ?? "").trimEnd().split("\n");
  return `${text.slice(-lines).join("\n")}\n(the whole log: ${log})`;
}

/** A path-safe short key of any JSON value. */
export function shortHash(value) {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 12);
}

/** All files under a folder, relative to it, sorted. */
export function filesUnder(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}
