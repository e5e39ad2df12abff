// What a run ran on, for env.json: enough to repeat it or to explain a difference. No host or user names.

import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { arch, availableParallelism, cpus, platform, release, totalmem } from "node:os";
import { promisify } from "node:util";

export interface Environment {
  /** ISO 8601, UTC. */
  startedAt: string;
  /** The command as typed, argument by argument. */
  commandLine: string[];
  seed: number;
  /** Version of this package. */
  topofr: string;
  node: string;
  /** "linux 6.1.0 x64" */
  system: string;
  processor: string;
  cores: number;
  memoryBytes: number;
  /** What the engine says of itself (version, threads, instruction set, device); null when it was not asked. */
  torch: unknown;
  /** The checked-out commit of the working directory; null outside a repository. */
  git: { commit: string; changed: boolean } | null;
}

export interface EnvironmentOptions {
  seed: number;
  commandLine: readonly string[];
  torch: unknown;
  now?: Date;
  /** Where to look for a git repository. Default: the working directory. */
  folder?: string;
}

export async function describeEnvironment(options: EnvironmentOptions): Promise<Environment> {
  const { seed, commandLine, torch, now = new Date(), folder = process.cwd() } = options;
  return {
    startedAt: now.toISOString(),
    commandLine: [...commandLine],
    seed,
    topofr: await packageVersion(),
    node: process.version,
    system: `${platform()} ${release()} ${arch()}`,
    processor: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    torch,
    git: await gitCommit(folder),
  };
}

/** Version of the topofr package, from its package.json. */
export async function packageVersion(): Promise<string> {
  const file = new URL("../../package.json", import.meta.url); // from dist/runs/
  return (JSON.parse(await readFile(file, "utf8")) as { version: string }).version;
}

async function gitCommit(folder: string): Promise<Environment["git"]> {
  const git = async (...args: string[]) =>
    (await promisify(execFile)("git", args, { cwd: folder })).stdout.trim();
  try {
    const commit = await git("rev-parse", "HEAD");
    return { commit, changed: (await git("status", "--porcelain")) !== "" };
  } catch {
    return null; // no git, or no repository: neither is needed to train
  }
}
