// Benchmarks' child processes: a Python that has what a reference needs, and one run of a script that prints JSON.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The first Python that can import `module` (PYTHON=/path names the only candidate), or null. */
export function findPython(module) {
  const candidates =
    process.env.PYTHON === undefined ? ["python3", "/usr/bin/python3"] : [process.env.PYTHON];
  const found = candidates.find(
    (path) =>
      (!path.startsWith("/") || existsSync(path)) && spawnSync(path, ["-c", `import ${module}`]).status === 0,
  );
  return found ?? null;
}

/**
 * Runs a script of this folder and parses the last line that it prints.
 *
 * @param env added to this process's environment
 * @throws Error with the command and what it wrote on standard error, when it fails
 */
export function runScript(command, script, args, env = {}) {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const { status, signal, stdout, stderr } = spawnSync(command, [path, ...args], {
    encoding: "utf8",
    env: { ...process.env, ...env },
    maxBuffer: 2 ** 28,
  });
  if (status === 0) return JSON.parse(stdout.trim().split("\n").at(-1));
  const end = signal === null ? `status ${status}` : `signal ${signal}`;
  throw new Error(`${command} ${script} ${args.join(" ")} ended with ${end}:\n${stderr}`);
}
