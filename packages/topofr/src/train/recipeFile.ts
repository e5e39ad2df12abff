// Reads a recipe: a YAML file, then `--set key=value` pairs, then flags, each layer over the one before, then
// one parse. Every error is reported at once, with the line of the file or the argument it came from.

import { readFile } from "node:fs/promises";
import { fileError, TopofrError } from "@topofr/formats";
import { type Document, isMap, isSeq, LineCounter, parse, parseDocument } from "yaml";
import { type Recipe, recipeSchema, recipeWarnings } from "./recipe.js";
import { dotted, type RecipeProblem, recipeProblems, valueAt } from "./recipeErrors.js";

/** Values given outside the file. `path` is dotted, `source` names the argument in errors ("--lr"). */
export interface RecipeOverride {
  path: string;
  value: unknown;
  source: string;
}

export interface LoadedRecipe {
  recipe: Recipe;
  /** What the run folder keeps: the file as given, and the overrides as comments below it. */
  text: string;
  /** Given switches without effect, one line each, with their place. */
  warnings: string[];
}

interface Layer {
  data: Record<string, unknown>;
  /** Where a path of this layer was written: "recipes/my.yaml:14 " and 14, or "--lr: " and 0. */
  place(path: readonly PropertyKey[]): { place: string; line: number };
}

/**
 * Reads, merges and checks a recipe.
 *
 * @param file path of the YAML file; null: the overrides alone, on the defaults
 * @throws TopofrError E_FILE when the file cannot be read, E_RECIPE with every problem, one a line
 */
export async function loadRecipe(
  file: string | null,
  overrides: readonly RecipeOverride[] = [],
): Promise<LoadedRecipe> {
  const yaml = file === null ? "" : await readText(file);
  return parseRecipe(yaml, file ?? "recipe", overrides);
}

/** As `loadRecipe`, of YAML in memory; `name` stands for the file in errors. */
export function parseRecipe(
  yaml: string,
  name: string,
  overrides: readonly RecipeOverride[] = [],
): LoadedRecipe {
  const layers = [fileLayer(yaml, name), ...overrides.map(overrideLayer)];
  const data = layers.reduce<Record<string, unknown>>((merged, layer) => merge(merged, layer.data), {
    data: {},
  });
  const result = recipeSchema.safeParse(data);
  if (!result.success) {
    throw recipeError(sentences(layers, name, recipeProblems(result.error.issues, data)), name);
  }
  const idle = recipeWarnings(data).map(({ path, message }) => ({
    path,
    message: `${dotted(path)} ${message}`,
  }));
  return {
    recipe: result.data,
    text: recordedText(yaml, overrides),
    warnings: sentences(layers, name, idle),
  };
}

/**
 * One `--set` argument: the value is YAML, so `true`, `0.05`, `null` and `[blur, jitter]` mean what they mean
 * in the file.
 *
 * @throws TopofrError E_USAGE when there is no "="
 */
export function parseSetArgument(argument: string): RecipeOverride {
  const at = argument.indexOf("=");
  if (at < 1)
    throw new TopofrError(
      "E_USAGE",
      `--set ${argument}: expected key=value, for example --set optim.lr=0.05`,
    );
  const source = `--set ${argument}`;
  try {
    return { path: argument.slice(0, at), value: parse(argument.slice(at + 1)), source };
  } catch (cause) {
    throw new TopofrError("E_USAGE", `${source}: the value is not YAML: ${firstLine(cause)}`, { cause });
  }
}

function fileLayer(yaml: string, name: string): Layer {
  const lines = new LineCounter();
  const document = parseDocument(yaml, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number) => {
    const { line } = lines.linePos(offset);
    return { place: `${name}:${line} `, line };
  };
  if (document.errors.length > 0)
    throw recipeError(
      document.errors.map((error) => `${at(error.pos[0]).place}not YAML: ${firstLine(error)}`),
      name,
    );
  const data: unknown = document.toJS() ?? {};
  if (typeof data !== "object" || data === null || Array.isArray(data))
    throw recipeError([`${name}:1 expected keys with values, for example "epochs: 20"`], name);
  return {
    data: data as Record<string, unknown>,
    place: (path) => {
      const offset = offsetOf(document, path);
      return offset === undefined ? { place: `${name} `, line: 0 } : at(offset);
    },
  };
}

function overrideLayer({ path, value, source }: RecipeOverride): Layer {
  const keys = path.split(".");
  const data = keys.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
  return { data: data as Record<string, unknown>, place: () => ({ place: `${source}: `, line: 0 }) };
}

/** The problems with their places, in the order in which they were written. */
function sentences(layers: readonly Layer[], name: string, problems: readonly RecipeProblem[]): string[] {
  const located = problems.map((problem) => {
    // The last layer that wrote the path or, failing that, the nearest section above it.
    for (let length = problem.path.length; length > 0; length--) {
      const path = problem.path.slice(0, length);
      const order = layers.findLastIndex(({ data }) => valueAt(data, path) !== undefined);
      if (order >= 0) return { ...layers[order]!.place(path), order, message: problem.message };
    }
    return { place: `${name} `, order: 0, line: 0, message: problem.message };
  });
  located.sort((a, b) => a.order - b.order || a.line - b.line);
  return located.map(({ place, message }) => place + message);
}

function offsetOf(document: Document, path: readonly PropertyKey[]): number | undefined {
  let node: unknown = document.contents;
  let offset: number | undefined;
  for (const key of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => String(item.key) === String(key));
      offset = (pair?.key as { range?: [number, number, number] } | undefined)?.range?.[0] ?? offset;
      node = pair?.value;
    } else if (isSeq(node)) {
      const item = node.items[Number(key)];
      offset = (item as { range?: [number, number, number] } | undefined)?.range?.[0] ?? offset;
      node = item;
    }
  }
  return offset;
}

function merge(base: Record<string, unknown>, over: Record<string, unknown>): Record<string, unknown> {
  const merged = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below = merged[key];
    merged[key] = isRecord(below) && isRecord(value) ? merge(below, value) : value;
  }
  return merged;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function recordedText(yaml: string, overrides: readonly RecipeOverride[]): string {
  if (overrides.length === 0) return yaml;
  const notes = overrides.map(({ path, value }) => `#   ${path}: ${JSON.stringify(value)}\n`).join("");
  const gap = yaml === "" || yaml.endsWith("\n") ? "" : "\n";
  return `${yaml}${gap}# changed on the command line:\n${notes}`;
}

function recipeError(lines: string[], name: string): TopofrError {
  const [only] = lines;
  if (lines.length === 1) return new TopofrError("E_RECIPE", only!);
  return new TopofrError("E_RECIPE", `${lines.length} problems in ${name}\n  ${lines.join("\n  ")}`);
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0]!;
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw fileError(file, "read the recipe (those that come with TopoFR are in recipes/)", error);
  }
}
