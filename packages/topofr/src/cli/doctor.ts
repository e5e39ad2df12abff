// topofr doctor: what this machine has, what is wrong, and what to do about it.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { arch, availableParallelism, cpus, freemem, platform, release, totalmem } from "node:os";
import { dirname, join } from "node:path";
import type { Command } from "commander";
import { bfloat16Instructions } from "../train/processor.js";
import { addCommand, EXIT_FAILED, print, printJson } from "./command.js";
import { diagnose, formatChecks, type MachineFacts } from "./doctorChecks.js";
import { engineInfo } from "./engine.js";

/** Packages with a native part, which fail in ways of their own. */
const PACKAGES = ["sharp", "@resvg/resvg-js"] as const;

export function addDoctor(program: Command): void {
  addCommand(program, "doctor", "Show what was found on this machine, and what is wrong.", [
    "doctor",
    "doctor --json",
  ])
    .option("--json", "print facts and checks as JSON")
    .action(async ({ json }: { json?: boolean }) => {
      const facts = await gatherFacts();
      const checks = diagnose(facts);
      if (json) printJson({ checks, facts });
      else print(formatChecks(checks));
      if (checks.some(({ status }) => status === "problem")) process.exitCode = EXIT_FAILED;
    });
}

async function gatherFacts(): Promise<MachineFacts> {
  return {
    node: process.version,
    system: `${platform()} ${release()} ${arch()}`,
    processor: cpus()[0]?.model.trim() ?? "unknown processor",
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    freeMemoryBytes: freemem(),
    bfloat16Instructions: bfloat16Instructions(),
    engine: await engineInfo(),
    packages: await Promise.all(PACKAGES.map(packageFacts)),
  };
}

async function packageFacts(name: string): Promise<MachineFacts["packages"][number]> {
  try {
    await import(name);
    return { name, version: await versionOf(name) };
  } catch (error) {
    return { name, problem: (error instanceof Error ? error.message : String(error)).split("\n")[0]! };
  }
}

/** Walks up from the package's entry to its package.json, which `exports` may hide. */
async function versionOf(name: string): Promise<string> {
  const entry = createRequire(import.meta.url).resolve(name);
  for (let folder = dirname(entry); folder !== dirname(folder); folder = dirname(folder)) {
    const text = await readFile(join(folder, "package.json"), "utf8").catch(() => "{}");
    const manifest = JSON.parse(text) as { name?: string; version?: string };
    if (manifest.name === name && manifest.version) return manifest.version;
  }
  return "unknown version";
}
