// What this package's tests share: catching errors, comparing numbers, and measuring in a process of its own.
import { execFileSync } from "node:child_process";
import type { Tensor } from "./tensor.js";

/** The error that `body` throws. */
export function errorOf(body: () => unknown): Error & { code?: string } {
  try {
    body();
  } catch (error) {
    if (error instanceof Error) return error;
    throw new Error(`something that is no Error was thrown: ${String(error)}`);
  }
  throw new Error("nothing was thrown");
}

export const numbers = (value: Tensor): number[] => Array.from(value.toTypedArray(), Number);

/** Largest |a - b|, relative to the largest |b| (or 1). Infinite when the sizes differ, or only one of a pair is NaN. */
export function relativeError(
  actual: Tensor | readonly number[],
  expected: Tensor | readonly number[],
): number {
  const a = Array.isArray(actual) ? (actual as number[]) : numbers(actual as Tensor);
  const b = Array.isArray(expected) ? (expected as number[]) : numbers(expected as Tensor);
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let scale = 1;
  let worst = 0;
  for (const [index, value] of b.entries()) {
    if (Number.isNaN(value) && Number.isNaN(a[index]!)) continue;
    const difference = Math.abs(value - a[index]!);
    worst = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(worst, difference);
    scale = Math.max(scale, Math.abs(value) || 0);
  }
  return worst / scale;
}

/** Runs `body` (module code that sees everything @topofr/torch exports as `torch`) and parses the JSON it prints. */
export function inProcess(body: string, nodeOptions: readonly string[] = []): unknown {
  const module = new URL("./index.js", import.meta.url).href;
  const code = `import * as torch from ${JSON.stringify(module)};\n${body}`;
  const output = execFileSync(process.execPath, [...nodeOptions, "--input-type=module", "-e", code], {
    encoding: "utf8",
  });
  return JSON.parse(output);
}

/** [n, c, h, w] in the blocked layout [n, c/16, h, w, 16] of `memoryFormat: "blocked"`. */
export const blocked = (value: Tensor): Tensor => {
  const [n, c, h, w] = value.shape as [number, number, number, number];
  return value
    .reshape([n, c / 16, 16, h, w])
    .permute([0, 1, 3, 4, 2])
    .contiguous();
};

/** Back to [n, c, h, w]; any other tensor as it is. */
export const unblocked = (value: Tensor): Tensor =>
  value.shape.length === 5 ? value.permute([0, 1, 4, 2, 3]).flatten({ startDim: 1, endDim: 2 }) : value;
