// From which similarity two faces are one person's: a number, or what an evaluation measured. For the commands that recognise.

import { readFile } from "node:fs/promises";
import { fileError, TopofrError } from "@topofr/formats";
import type { Calibration } from "@topofr/recognizer";
import type { Command } from "commander";
import { realNumber } from "./command.js";

/** False accept rates that reports have. */
const RATES = [1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6];
/** Where a report is given and no rate. */
const DEFAULT_FAR = 1e-3;

export interface ThresholdFlags {
  threshold?: number;
  report?: string;
  far?: number;
  benchmark?: string;
}

export function addThresholdFlags(command: Command): Command {
  return command
    .option(
      "--threshold <cosine>",
      "from which two faces are one person's",
      realNumber("--threshold", { min: -1, max: 1 }),
    )
    .option("--report <file>", "what topofr evaluate --json printed for this model, for its thresholds")
    .option(
      "--far <rate>",
      `take the threshold of --report at this false accept rate (default: ${DEFAULT_FAR})`,
      realNumber("--far", { max: 1 }),
    )
    .option("--benchmark <name>", "which evaluation of --report, where it has several");
}

export interface Thresholds {
  /** Null: none was asked for. */
  threshold: number | null;
  /** Every threshold that the report has, most lenient first. */
  rates: Calibration[];
}

/** @throws E_USAGE for flags that contradict; E_FILE, E_FORMAT for a report that cannot be read */
export async function readThresholds(flags: ThresholdFlags): Promise<Thresholds> {
  const { threshold, report: path, far, benchmark } = flags;
  if (threshold !== undefined && far !== undefined)
    throw new TopofrError("E_USAGE", "--threshold and --far contradict each other; leave one out");
  if (path === undefined) {
    if (far !== undefined || benchmark !== undefined)
      throw new TopofrError("E_USAGE", `${far === undefined ? "--benchmark" : "--far"}: goes with --report`);
    return { threshold: threshold ?? null, rates: [] };
  }
  const report = await readReport(path);
  const { thresholdOfReport } = await import("@topofr/recognizer");
  const choice = benchmark === undefined ? {} : { benchmark };
  const measure = (rate: number) => inFile(path, () => thresholdOfReport(report, { far: rate, ...choice }));
  const chosen = threshold ?? measure(far ?? DEFAULT_FAR).threshold;
  let problem: unknown;
  const rates = RATES.flatMap((rate) => {
    try {
      return [measure(rate)];
    } catch (error) {
      problem = error; // most reports have some of the rates
      return [];
    }
  });
  if (rates.length === 0) throw problem;
  const distinct = new Map(rates.map((rate) => [rate.threshold, rate]));
  return { threshold: chosen, rates: [...distinct.values()] };
}

async function readReport(path: string): Promise<unknown> {
  const text = await readFile(path, "utf8").catch((error) => {
    throw fileError(path, "read the report", error);
  });
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new TopofrError("E_FORMAT", `${path}: not JSON; expected what topofr evaluate --json prints`, {
      cause,
    });
  }
}

/** Errors name the file. */
function inFile<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof TopofrError)
      throw new TopofrError(error.code, `${path}: ${error.message}`, { cause: error });
    throw error;
  }
}
