// Lines of numbers, the common ground of the text formats: a scanner that checks each number and names the line of a
// bad one. Numbers are separated by spaces, tabs, commas or semicolons, as Ripser reads them.

import { TopologyError } from "../error.js";

export interface NumberLine {
  /** From 1. */
  readonly line: number;
  readonly values: readonly number[];
}

/** Text of one number that is quoted in an error. */
const SHOWN = 24;

const NUMBER = /^[+-]?(\d+\.?\d*([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?|inf(inity)?|nan)$/i;

/**
 * The lines that hold numbers; empty ones and those that begin with `#` are left out.
 *
 * @param source names the text in errors.
 * @throws TopologyError `E_FORMAT` for anything that is no number.
 */
export function* numberLines(text: string, source: string): Generator<NumberLine> {
  let line = 0;
  for (let start = 0; start < text.length; ) {
    let end = text.indexOf("\n", start);
    if (end < 0) end = text.length;
    line++;
    const content = text.slice(start, end).trim();
    start = end + 1;
    if (content === "" || content.startsWith("#")) continue;
    const words = content.split(/[\s,;]+/);
    if (words.at(-1) === "") words.pop(); // a comma at the end of a line, as Ripser's own output has
    yield { line, values: words.map((word) => parseNumber(word, source, line)) };
  }
}

/** @throws TopologyError `E_FORMAT` unless the word is a number, `inf` or `nan`. */
export function parseNumber(word: string, source: string, line: number): number {
  if (!NUMBER.test(word)) throw formatError(source, line, `${quoted(word)} is no number`);
  const lower = word.toLowerCase();
  if (lower.includes("n")) return lower.includes("nan") ? NaN : lower.startsWith("-") ? -Infinity : Infinity;
  return Number(word);
}

export function formatError(source: string, line: number, message: string): TopologyError {
  return new TopologyError("E_FORMAT", `${source}, line ${line}: ${message}`);
}

/** Part of the input as an error may show it: short, and without control characters. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text);
}

/** `inf` for Infinity, as Python and Ripser read it; else the shortest digits that give the number back. */
export function numberText(value: number): string {
  return value === Infinity
    ? "inf"
    : value === -Infinity
      ? "-inf"
      : Number.isNaN(value)
        ? "nan"
        : String(value);
}
