// The text of a verification pair list, without looking at images (pairs.ts does). Three forms:
//   - LFW `pairs.txt`: first line `folds<TAB>count`, then per fold `count` lines
//     `name n1 n2` (one person) and `count` lines `name1 n1 name2 n2` (two people). A first line with one
//     number (`pairsDevTest.txt`) is one block of that many of each;
//   - the same 3- and 4-column lines without blocks, in any order; lines that start with `#` are comments;
//   - insightface's `pairs_label.txt`: `path1 path2 0|1`, paths relative to the image folder.

import { extname } from "node:path";
import { TopofrError } from "@topofr/formats";

export type PairFormat = "lfw" | "list" | "labelled";

/** Extensions an image may have. LFW lists name none and imply the first. */
export const IMAGE_EXTENSIONS = [".jpg", ".jpeg", ".png", ".webp"];

export interface ListedPair {
  /** Image paths as listed: relative to the image folder. */
  first: string;
  second: string;
  same: boolean;
  /** Line of the list, from 1. */
  line: number;
}

export interface PairList {
  pairs: ListedPair[];
  /** Null when the list has no fold structure. */
  folds: number | null;
}

/**
 * The pairs of a list in its order. The form is recognised from the first line unless given; `name` is the
 * file's name for messages. E_FORMAT for an empty list, a wrong line (with its number) or wrong counts.
 */
export function parsePairs(text: string, name: string, options: { format?: PairFormat } = {}): PairList {
  const lines = text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .map((line, i) => ({ text: line.trimEnd(), number: i + 1 }))
    .filter((line) => line.text.trim() !== "" && !line.text.startsWith("#"));
  const head = lines[0];
  if (head === undefined) throw new TopofrError("E_FORMAT", `${name}: the pair list is empty`);
  switch (options.format ?? recogniseFormat(head.text)) {
    case "lfw":
      return parseBlocks(lines, name);
    case "list":
      return { pairs: lines.map((line) => parseFreeLine(line, name)), folds: null };
    case "labelled":
      return { pairs: lines.map((line) => parseLabelledLine(line, name)), folds: null };
  }
}

interface Line {
  text: string;
  number: number;
}

function recogniseFormat(head: string): PairFormat {
  if (/^\s*\d+(\s+\d+)?$/.test(head)) return "lfw";
  const fields = head.split(/\s+/);
  const namesImages = fields.length >= 3 && isImagePath(fields[0]!) && /^[01]$/.test(fields.at(-1)!);
  return namesImages ? "labelled" : "list";
}

function isImagePath(field: string): boolean {
  return field.includes("/") || IMAGE_EXTENSIONS.includes(extname(field).toLowerCase());
}

/** LFW blocks: `sets` times `count` pairs of one person followed by `count` pairs of two. */
function parseBlocks(lines: Line[], name: string): PairList {
  const head = lines[0]!;
  const numbers = head.text.trim().split(/\s+/).map(Number);
  if (numbers.length > 2 || !numbers.every((value) => Number.isInteger(value) && value > 0)) {
    throw new TopofrError(
      "E_FORMAT",
      `${name}:${head.number}: first line "${head.text}"; expected "folds<TAB>pairs of each kind", like "10\t300"`,
    );
  }
  const count = numbers.at(-1)!;
  const folds = numbers.length === 2 ? numbers[0]! : 1;
  const expected = folds * count * 2;
  if (lines.length - 1 !== expected) {
    throw new TopofrError(
      "E_FORMAT",
      `${name}: the first line announces ${folds} x 2 x ${count} = ${expected} pairs, found ${lines.length - 1}; ` +
        "the list is truncated or its first line is wrong",
    );
  }
  const pairs = lines.slice(1).map((line, i) => {
    const wantSame = i % (2 * count) < count;
    const fields = splitFields(line, name, wantSame ? 3 : 4);
    return pairOfFields(fields, line, name);
  });
  return { pairs, folds };
}

function parseFreeLine(line: Line, name: string): ListedPair {
  return pairOfFields(splitFields(line, name, null), line, name);
}

/**
 * The 3 or 4 columns of a line. Columns are separated by tabs; without tabs by spaces, where a name may
 * hold spaces as long as only one reading remains.
 */
function splitFields(line: Line, name: string, expected: 3 | 4 | null): string[] {
  const text = line.text.trim();
  const readings = text.includes("\t") ? [text.split(/\s*\t\s*/)] : spacedReadings(text.split(/\s+/));
  const fitting = readings.filter((fields) => {
    if (expected !== null && fields.length !== expected) return false;
    return isMatched(fields) || isMismatched(fields);
  });
  if (fitting.length === 1) return fitting[0]!;
  const wanted =
    expected === 3
      ? '"name<TAB>n1<TAB>n2" (a pair of one person)'
      : expected === 4
        ? '"name1<TAB>n1<TAB>name2<TAB>n2" (a pair of two people)'
        : '"name<TAB>n1<TAB>n2" or "name1<TAB>n1<TAB>name2<TAB>n2"';
  const problem = fitting.length === 0 ? "expected" : "more than one reading is possible; use tabs:";
  throw new TopofrError("E_FORMAT", `${name}:${line.number}: "${line.text}": ${problem} ${wanted}`);
}

/** Every way to read space-separated words as `name n n` or `name n name n`. */
function spacedReadings(words: string[]): string[][] {
  const last = words.length - 1;
  const readings: string[][] = [];
  if (words.length >= 3) readings.push([words.slice(0, -2).join(" "), words[last - 1]!, words[last]!]);
  for (let k = 1; k < last - 1; k++) {
    readings.push([words.slice(0, k).join(" "), words[k]!, words.slice(k + 1, last).join(" "), words[last]!]);
  }
  return readings;
}

const isNumber = (field: string | undefined) => field !== undefined && /^\d+$/.test(field);
const isMatched = (fields: string[]) =>
  fields.length === 3 && fields[0] !== "" && isNumber(fields[1]) && isNumber(fields[2]);
const isMismatched = (fields: string[]) =>
  fields.length === 4 && fields[0] !== "" && fields[2] !== "" && isNumber(fields[1]) && isNumber(fields[3]);

function pairOfFields(fields: string[], line: Line, name: string): ListedPair {
  if (fields.length === 3) {
    const person = fields[0]!;
    return {
      first: lfwImage(person, fields[1]!),
      second: lfwImage(person, fields[2]!),
      same: true,
      line: line.number,
    };
  }
  if (fields[0] === fields[2]) {
    throw new TopofrError(
      "E_FORMAT",
      `${name}:${line.number}: "${line.text}": four columns are a pair of two people, but both are "${fields[0]}"`,
    );
  }
  return {
    first: lfwImage(fields[0]!, fields[1]!),
    second: lfwImage(fields[2]!, fields[3]!),
    same: false,
    line: line.number,
  };
}

function lfwImage(person: string, number: string): string {
  return `${person}/${person}_${String(Number(number)).padStart(4, "0")}.jpg`;
}

function parseLabelledLine(line: Line, name: string): ListedPair {
  const text = line.text.trim();
  const fields = text.includes("\t") ? text.split(/\s*\t\s*/) : text.split(/\s+/);
  const [first, second, flag] = fields;
  if (fields.length !== 3 || !first || !second || (flag !== "0" && flag !== "1")) {
    throw new TopofrError(
      "E_FORMAT",
      `${name}:${line.number}: "${line.text}": expected "path1 path2 0|1" (tabs between, if paths hold spaces)`,
    );
  }
  return { first, second, same: flag === "1", line: line.number };
}
