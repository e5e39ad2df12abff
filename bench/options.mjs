// The options that the benchmarks share. bench/reference/step.py has the same names.
import { parseArgs } from "node:util";

/** Of one side's process, for one row of the suite. */
export const STEP_OPTIONS = {
  network: { type: "string", default: "mobilefacenet" },
  batch: { type: "string", default: "32" },
  classes: { type: "string", default: "1000" },
  precision: { type: "string", default: "fp32" },
  objective: { type: "string", default: "arcface" },
  steps: { type: "string", default: "5" },
  warmup: { type: "string", default: "2" },
  threads: { type: "string" },
  seed: { type: "string", default: "2048" },
  inference: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
};

/** Parsed options; ends the process with a sentence when they are wrong. */
export function parseOptions(options, help) {
  try {
    const { values } = parseArgs({ options });
    if (values.help) {
      process.stdout.write(help);
      process.exit(0);
    }
    return values;
  } catch (error) {
    process.stderr.write(`${error.message}\n${help}`);
    process.exit(2);
  }
}

/** A positive whole number from an option's text. */
export function positive(values, name) {
  const number = Number(values[name]);
  if (Number.isInteger(number) && number > 0) return number;
  process.stderr.write(`--${name} ${values[name]}: a positive whole number is needed\n`);
  process.exit(2);
}

/** The words of an option that is a list, each of which must be one of `known`. */
export function words(values, name, known) {
  const list = values[name].split(",");
  const wrong = list.filter((word) => !known.includes(word));
  if (wrong.length === 0) return list;
  process.stderr.write(`--${name} ${wrong.join(",")}: known are ${known.join(", ")}\n`);
  process.exit(2);
}

export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
