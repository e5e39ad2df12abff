// What the evaluation benchmarks share: two programs that read the same files, taking turns in processes of their own, and a table.
import { mkdtempSync, rmSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { findPython, runScript } from "./children.mjs";
import { median, positive } from "./options.mjs";

/** The options that they all have. */
export const COMPARISON_OPTIONS = {
  dimension: { type: "string", default: "512" },
  seed: { type: "string", default: "2048" },
  rounds: { type: "string", default: "1" },
  only: { type: "string" },
  json: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
};

/**
 * Writes the data into a folder that is removed afterwards, lets both sides take turns on it, and prints the comparison. `sizes` names
 * the options that are numbers; `writeData(folder, sizes)` gets their values.
 */
export async function compareOnData({ name, values, sizes: names, writeData, reference, ours }) {
  const sizes = Object.fromEntries(names.map((size) => [size, positive(values, size)]));
  const rounds = positive(values, "rounds");
  const folder = mkdtempSync(join(tmpdir(), `topofr-bench-${name}-`));
  try {
    process.stderr.write("writing the data …");
    await writeData(folder, sizes);
    const args = [folder, String(sizes.dimension)];
    const report = takeTurns({ reference, ours, args, rounds, only: values.only });
    process.stdout.write(values.json ? `${JSON.stringify({ ...sizes, ...report })}\n` : comparison(report));
  } catch (error) {
    process.stderr.write(`\n${error.message}\n`);
    process.exitCode = 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Runs `reference` (a Python script here) and `ours` (a script here) on `folder`, `rounds` times each in turn. Both print one JSON line
 * { seconds, peakResidentBytes, parts, result }.
 */
function takeTurns({ reference, ours, args, rounds, only }) {
  const python = findPython("numpy") ?? "python3"; // whose own message then says what is missing
  const sides = { reference: [python, reference], topofr: [process.execPath, ours] };
  const load = loadavg()[0]; // of the last minute: more than a few tenths means that others use the machine
  const runs = {};
  for (let round = 0; round < rounds; round++) {
    for (const [side, [command, script]] of Object.entries(sides)) {
      if (only !== undefined && side !== only) continue;
      process.stderr.write(`\rround ${round + 1} of ${rounds}, ${side} …          `);
      runs[side] ??= [];
      runs[side].push(runScript(command, script, args));
    }
  }
  process.stderr.write("\r\x1b[K");
  const merged = Object.fromEntries(Object.entries(runs).map(([side, list]) => [side, merge(list)]));
  const ratio = merged.reference && merged.topofr ? merged.reference.seconds / merged.topofr.seconds : null;
  return { processor: cpus()[0]?.model, cores: cpus().length, load, rounds, ratio, ...merged };
}

function merge(runs) {
  const parts = Object.keys(runs[0].parts).map((name) => [name, median(runs.map((run) => run.parts[name]))]);
  return {
    implementation: runs[0].implementation,
    seconds: median(runs.map((run) => run.seconds)),
    fastestSeconds: Math.min(...runs.map((run) => run.seconds)),
    peakResidentBytes: Math.max(...runs.map((run) => run.peakResidentBytes)),
    parts: Object.fromEntries(parts),
    result: runs[0].result,
  };
}

/** The report as text. */
function comparison(report) {
  const lines = [];
  for (const side of ["reference", "topofr"]) {
    const run = report[side];
    if (run === undefined) continue;
    const parts = Object.entries(run.parts).map(([name, seconds]) => `${name} ${seconds.toFixed(2)}`);
    lines.push(
      `${run.implementation}: ${run.seconds.toFixed(2)} s, ${(run.peakResidentBytes / 2 ** 30).toFixed(2)} GiB (${parts.join(", ")})`,
      `  ${JSON.stringify(run.result)}`,
    );
  }
  if (report.ratio !== null) lines.push(`${report.ratio.toFixed(1)}x faster`);
  return `${lines.join("\n")}\nmedian of ${report.rounds}; load before ${report.load.toFixed(1)}\n`;
}
