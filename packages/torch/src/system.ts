// What this build is, and the two knobs of the machine: threads and cached memory.
import { readFileSync } from "node:fs";
import { addonPath, native } from "./native.js";

export interface BuildInfo {
  /** libtorch version the addon was compiled against. */
  version: string;
  /** Folder of that libtorch, as the set-up found it; null when unknown. */
  libtorchPath: string | null;
  compiler: string;
  /** Instruction set of libtorch's own kernels. */
  cpuCapability: string;
  threads: number;
  cuda: boolean;
  mkldnn: boolean;
  addonPath: string;
  /** libtorch's own description of its build. */
  configuration: string;
}

export function buildInfo(): BuildInfo {
  const { torchVersion, configuration, ...rest } = native.buildInfo();
  return {
    ...rest,
    version: torchVersion,
    configuration,
    cpuCapability: /CPU capability usage: (\S+)/.exec(configuration)?.[1] ?? "unknown",
    libtorchPath: readLibtorchPath(),
    addonPath,
  };
}

function readLibtorchPath(): string | null {
  try {
    const build: unknown = JSON.parse(readFileSync(new URL("../build/build.json", import.meta.url), "utf8"));
    const path = (build as { libtorchPath?: unknown }).libtorchPath;
    return typeof path === "string" ? path : null;
  } catch {
    return null;
  }
}

/** Threads that operators use; set it explicitly (Debian's default is 1). */
export const setNumThreads = (count: number): void => native.setNumThreads(count);

/** Bytes in use, and bytes that the CPU allocator keeps for reuse. */
export const allocatorStats = () => native.allocatorStats();
/** Gives the cached memory back to the system. */
export const releaseCachedMemory = (): void => native.releaseCachedMemory();
/** Bound on the memory kept for reuse (default: half of the machine's). */
export const setCacheLimit = (bytes: number): void => native.setCacheLimit(bytes);
