// Runs Ripser (Debian package `ripser`) for tests and for the recorder of fixtures.

import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RipsCase } from "./cases.test.support.js";

export const ripserInstalled = ["ripser", "ripser-coeff"].every(
  (program) => spawnSync(program, ["--help"]).error === undefined,
);

/** Birth and death, six significant digits, of each class of degrees 0 to maxDimension. */
export function ripserBars(
  { maxDimension, modulus = 2 }: Pick<RipsCase, "maxDimension" | "modulus">,
  { n, triangle, threshold }: { n: number; triangle: Float32Array; threshold: number },
): [birth: number, death: number][][] {
  const folder = mkdtempSync(join(tmpdir(), "ripser-"));
  try {
    // Nine digits give every float32 back. What Ripser is told to leave out it must be able to read.
    const largest = Math.min(threshold, 1e29);
    const print = (length: number) => (length <= largest ? length.toPrecision(9) : "1e30");
    const rows = Array.from({ length: n - 1 }, (_, k) =>
      Array.from(triangle.subarray((k * (k + 1)) / 2, ((k + 1) * (k + 2)) / 2), print).join(","),
    );
    const file = join(folder, "distances");
    writeFileSync(file, `${rows.join("\n")}\n`);
    const output = execFileSync(
      modulus === 2 ? "ripser" : "ripser-coeff",
      [
        // Debian's build stops on an assertion for --dim 0.
        ...["--format", "lower-distance", "--dim", String(Math.max(1, maxDimension))],
        ...["--threshold", String(largest)],
        ...(modulus === 2 ? [] : ["--modulus", String(modulus)]),
        file,
      ],
      { encoding: "utf8", maxBuffer: 2 ** 28 },
    );
    return parse(output, maxDimension);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function parse(output: string, maxDimension: number): [birth: number, death: number][][] {
  const degrees: [number, number][][] = Array.from({ length: Math.max(1, maxDimension) + 1 }, () => []);
  let degree = 0;
  for (const line of output.split("\n")) {
    degree = Number(/^persistence intervals in dim (\d)/.exec(line)?.[1] ?? degree);
    const bar = /^ \[([^,]+),([^)]*)\)/.exec(line);
    if (bar) degrees[degree]!.push([Number(bar[1]), bar[2]!.trim() === "" ? Infinity : Number(bar[2])]);
  }
  return degrees.slice(0, maxDimension + 1);
}
