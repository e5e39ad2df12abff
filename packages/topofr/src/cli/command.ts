// What all commands share: how one is declared, how results are printed, and how errors leave the process.

import { TopofrError } from "@topofr/formats";
import { Command, CommanderError } from "commander";

export const EXIT_FAILED = 1;
export const EXIT_USAGE = 2;
/** 128 + SIGINT, as shells expect. */
export const EXIT_INTERRUPTED = 130;

/** The program with its error behaviour, before any command is added. */
export function createProgram(version: string): Command {
  return new Command("topofr")
    .description("Train and evaluate face recognition with topological structure alignment (TopoFR).")
    .version(version, "-V, --version")
    .exitOverride()
    .showHelpAfterError("(add --help for usage)")
    .showSuggestionAfterError()
    .configureOutput({
      outputError: (text, write) => write(text.replace(/^error: /, "topofr: E_USAGE ")),
    });
}

/** A command of `parent` with an example under its help and a `--verbose` of its own. */
export function addCommand(parent: Command, name: string, description: string, examples: string[]): Command {
  const lines = examples.map((example) => `  $ topofr ${example}\n`).join("");
  return parent
    .command(name)
    .description(description)
    .addHelpText("after", `\nExample${examples.length > 1 ? "s" : ""}:\n${lines}`)
    .option("--verbose", "show the stack of an error");
}

/**
 * Runs the program on arguments (without node and script) and returns the exit status: 0, 1 failed, 2 called
 * wrongly, 130 interrupted. Never throws.
 */
export async function runProgram(program: Command, args: readonly string[]): Promise<number> {
  try {
    await program.parseAsync(args, { from: "user" });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE; // printed by commander
    if (error instanceof Error && error.name === "AbortError") return EXIT_INTERRUPTED;
    const verbose = args.includes("--verbose") || Boolean(process.env.DEBUG);
    process.stderr.write(`${describeError(error, verbose)}\n`);
    return error instanceof TopofrError && error.code === "E_USAGE" ? EXIT_USAGE : EXIT_FAILED;
  }
}

/** The engine's errors come from C++ and carry a code, but are no TopofrError. */
function codeOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : null;
  return error instanceof TopofrError || code === "E_TENSOR" ? String(code) : "E_INTERNAL";
}

/** "topofr: E_CODE message", with the stack and causes when `verbose`. */
export function describeError(error: unknown, verbose: boolean): string {
  const code = codeOf(error);
  const message = error instanceof Error ? error.message : String(error);
  const hint = code === "E_INTERNAL" && !verbose ? "\n(this is a bug; --verbose shows where)" : "";
  const lines = [`topofr: ${code} ${message}${hint}`];
  for (let cause = error; verbose && cause instanceof Error; cause = cause.cause)
    lines.push(cause.stack ?? cause.message);
  return lines.join("\n");
}

/** A line of a command's result. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** A result for scripts: one JSON document on standard output. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}

/** A remark that is not part of the result. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

/**
 * Parser of an option that is a whole number.
 *
 * @throws TopofrError E_USAGE naming the flag, what was expected and what was found
 */
export function wholeNumber(flag: string, { min = 0, max = Number.MAX_SAFE_INTEGER } = {}) {
  return (text: string): number => number(flag, text, min, max, "a whole number", Number.isSafeInteger);
}

/** Parser of an option that is a number. */
export function realNumber(flag: string, { min = 0, max = Number.MAX_VALUE } = {}) {
  return (text: string): number => number(flag, text, min, max, "a number", Number.isFinite);
}

/** For an option that may be given several times: `--set a=1 --set b=2`. */
export function collect(value: string, before: string[]): string[] {
  return [...before, value];
}

function number(
  flag: string,
  text: string,
  min: number,
  max: number,
  kind: string,
  isKind: (value: number) => boolean,
): number {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (isKind(value) && value >= min && value <= max) return value;
  const limit = max >= Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
  throw new TopofrError("E_USAGE", `${flag}: expected ${kind} ${limit}, found "${text}"`);
}
