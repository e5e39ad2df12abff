// Reads five landmarks an image from a text file, in the forms that detectors write:
//   - `path x1 y1 … x5 y5`, separated by spaces, tabs or commas, with or without a score at the end (as IJB's name_5pts_score.txt);
//   - JSON lines: {"path": "a/1.jpg", "landmarks": [x1, y1, …, x5, y5]} or [[x1, y1], …, [x5, y5]].
// The points' order is ARCFACE_TEMPLATE's (@topofr/recognizer/align). Whether they are those of a face is not checked.
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { fileError, printable, TopofrError } from "@topofr/formats";
import type { Landmarks } from "./imageSource.js";

const NUMBERS = 10;
const MOST_LINE_CHARACTERS = 10_000;

export interface LandmarkFile {
  /** By path, with "/" and without "./" in front. */
  byPath: Map<string, Landmarks>;
  /** One sentence for each line that cannot be used, with its number. */
  invalid: string[];
  /** One sentence for each line about an image that an earlier line is about; the first counts. */
  duplicates: string[];
}

/** @throws E_FILE; E_FORMAT when no line can be used */
export async function readLandmarkFile(path: string): Promise<LandmarkFile> {
  const file: LandmarkFile = { byPath: new Map(), invalid: [], duplicates: [] };
  const lineOf = new Map<string, number>();
  const lines = createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY });
  let number = 0;
  try {
    for await (const text of lines) {
      number++;
      const line = text.replace(/^\uFEFF/, "").trim();
      if (line === "" || line.startsWith("#")) continue;
      const found = parseLandmarkLine(line);
      if (typeof found === "string") {
        file.invalid.push(`${path}:${number}: ${found}`);
        continue;
      }
      const first = lineOf.get(found.path);
      if (first === undefined) {
        lineOf.set(found.path, number);
        file.byPath.set(found.path, found.landmarks);
      } else {
        file.duplicates.push(
          `${path}:${number}: ${printable(found.path)} is on line ${first} already, which counts`,
        );
      }
    }
  } catch (error) {
    throw fileError(path, "read the landmarks", error);
  }
  if (file.byPath.size > 0) return file;
  const why = file.invalid[0] ?? `${path}: the file is empty`;
  throw new TopofrError("E_FORMAT", `${why}; no line of the file can be used`);
}

/** The path and the ten numbers, or what is wrong. Any text may be given. */
export function parseLandmarkLine(line: string): { path: string; landmarks: Landmarks } | string {
  if (line.length > MOST_LINE_CHARACTERS) return `a line of ${line.length} characters`;
  const parsed = line.startsWith("{") ? parseJson(line) : parseFields(line);
  if (typeof parsed === "string") return parsed;
  const path = parsed.path.replaceAll("\\", "/").replace(/^(?:\.\/+)+/, "");
  const [x0, y0] = parsed.landmarks;
  if (path === "") return "no path";
  if (!parsed.landmarks.every((value) => Number.isFinite(value)))
    return `a coordinate that is no number: ${printable(line)}`;
  if (parsed.landmarks.every((value, i) => value === (i % 2 === 0 ? x0 : y0)))
    return "all five points are in one place";
  return { path, landmarks: parsed.landmarks };
}

type Parsed = { path: string; landmarks: number[] } | string;

function parseFields(line: string): Parsed {
  const separator = ["\t", ","].find((character) => line.includes(character)) ?? /\s+/;
  const fields = line.split(separator).map((field) => field.trim());
  // Paths may have spaces, so the numbers are counted from the end; a path's last word is no number, it has an ending.
  let numbers = 0;
  while (numbers < fields.length - 1 && isNumber(fields[fields.length - 1 - numbers]!)) numbers++;
  if (numbers !== NUMBERS && numbers !== NUMBERS + 1)
    return `expected "path x1 y1 … x5 y5", found ${numbers} numbers at the end of ${printable(line)}`;
  const path = fields.slice(0, -numbers).join(" ");
  const first = fields.length - numbers;
  return { path, landmarks: fields.slice(first, first + NUMBERS).map(Number) };
}

function isNumber(field: string): boolean {
  return /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$|^nan$|^[-+]?inf$/i.test(field);
}

function parseJson(line: string): Parsed {
  const wanted = '{"path": "…", "landmarks": [x1, y1, …, x5, y5]}';
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return `broken JSON, expected ${wanted}: ${printable(line)}`;
  }
  const { path, landmarks } = value as { path?: unknown; landmarks?: unknown };
  const numbers = Array.isArray(landmarks) ? (landmarks as unknown[]).flat() : [];
  const isComplete = numbers.length === NUMBERS && numbers.every((number) => typeof number === "number");
  if (typeof path !== "string" || !isComplete) return `expected ${wanted}, found ${printable(line)}`;
  return { path, landmarks: numbers as number[] };
}
