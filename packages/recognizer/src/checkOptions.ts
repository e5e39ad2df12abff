// Options that a caller without types may get wrong, checked before any file is opened.
import { TopofrError } from "@topofr/formats/error";
import type { Choice, CommonOptions } from "./types.js";

export interface Settings {
  flip: boolean;
  threshold: number | null;
  minScore: number;
  maxPixels: number;
  threads: number | null;
  executionProviders: readonly string[] | null;
}

const MIN_SCORE = 0.6;
const MAX_PIXELS = 64e6;
const CHOICES: readonly Choice[] = ["largest", "best", "only", "center"];
const COMMON: readonly string[] = [
  ...["model", "card", "detector", "flip", "threshold", "minScore", "maxPixels", "threads"],
  "executionProviders",
];

/**
 * The settings with their defaults.
 *
 * @param more names of options besides the common ones
 * @throws E_USAGE naming the option
 */
export function checkOptions(
  options: CommonOptions & { model: unknown },
  more: readonly string[] = [],
): Settings {
  const known = [...COMMON, ...more];
  const unknown = Object.keys(options).find((key) => !known.includes(key));
  if (unknown !== undefined) throw usage(`unknown option "${unknown}"; known: ${known.join(", ")}`);
  if (options.model === undefined) throw usage("model is missing: the embedding network, an ONNX file");
  const { flip = false, minScore = MIN_SCORE, maxPixels = MAX_PIXELS, executionProviders = null } = options;
  const { threads = null } = options;
  if (typeof flip !== "boolean") throw usage(`flip ${flip}: expected true or false`);
  if (!(minScore >= 0 && minScore <= 1)) throw usage(`minScore ${minScore}: expected 0 to 1`);
  if (!(maxPixels >= 1)) throw usage(`maxPixels ${maxPixels}: expected a number of pixels`);
  if (threads !== null && !(Number.isInteger(threads) && threads >= 1))
    throw usage(`threads ${threads}: expected a whole number, 1 or more`);
  if (executionProviders !== null && !isListOfNames(executionProviders))
    throw usage('executionProviders: expected a list of names, such as ["wasm"]');
  const threshold = checkThreshold(options.threshold ?? null);
  return { flip, threshold, minScore, maxPixels, threads, executionProviders };
}

const isListOfNames = (value: unknown): boolean =>
  Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === "string");

/** @throws E_USAGE for what is no cosine */
export function checkThreshold(threshold: number | null): number | null {
  if (threshold === null || (threshold >= -1 && threshold <= 1)) return threshold;
  throw usage(`threshold ${threshold}: expected a cosine, -1 to 1, or null`);
}

/** @throws E_USAGE */
export function checkChoice(choice: Choice): Choice {
  if (CHOICES.includes(choice)) return choice;
  throw usage(`choice "${choice}": expected ${CHOICES.join(", ")}`);
}

/** @throws E_USAGE for what is not a whole number from 1 */
export function checkCount(name: string, value: number): number {
  if (Number.isInteger(value) && value >= 1) return value;
  throw usage(`${name} ${value}: expected a whole number, 1 or more`);
}

const usage = (message: string) => new TopofrError("E_USAGE", message);
