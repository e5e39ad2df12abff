// What the processor can do that decides how to train on it.
import { readFileSync } from "node:fs";

/**
 * Whether the processor multiplies bfloat16 itself (AVX512_BF16, which every processor with AMX has as well); without,
 * bf16 is slower than fp32.
 *
 * @param cpuinfo as Linux writes it
 * @returns null: not known
 */
export function bfloat16Instructions(cpuinfo = readCpuinfo()): boolean | null {
  return processorFlags(cpuinfo)?.includes("avx512_bf16") ?? null;
}

/** Names of the processor's features, as Linux calls them; null: not known. */
export function processorFlags(cpuinfo = readCpuinfo()): readonly string[] | null {
  return /^flags\s*:(.*)$/m.exec(cpuinfo)?.[1]?.trim().split(/\s+/) ?? null;
}

function readCpuinfo(): string {
  try {
    return readFileSync("/proc/cpuinfo", "utf8");
  } catch {
    return ""; // another system
  }
}
