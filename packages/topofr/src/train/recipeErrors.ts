// Turns schema issues into sentences that name the place, the key, what was expected and what was found.

import type { z } from "zod";
import { choicesAt, descriptionAt, expectedAt, recipeKeys } from "./recipeKeys.js";
import { suggestKey, suggestWord } from "./recipeSuggest.js";

/** One wrong thing in a recipe; `path` leads to it from the top. */
export interface RecipeProblem {
  path: PropertyKey[];
  message: string;
}

/** All problems behind a failed parse, one for each wrong key or value, in the schema's order. */
export function recipeProblems(issues: readonly z.core.$ZodIssue[], data: unknown): RecipeProblem[] {
  return issues.flatMap((issue): RecipeProblem[] => {
    const path = [...issue.path];
    if (issue.code === "unrecognized_keys")
      return issue.keys.map((key) => ({ path: [...path, key], message: unknownKey([...path, key]) }));
    if (issue.code === "custom") return [{ path, message: `${dotted(path)}: ${issue.message}` }];
    return [{ path, message: wrongValue(path, valueAt(data, path)) }];
  });
}

/** "optim.lr", "objective.perturbation.operations[1]". */
export function dotted(path: readonly PropertyKey[]): string {
  return path
    .map((key, i) => (typeof key === "number" ? `[${key}]` : `${i > 0 ? "." : ""}${String(key)}`))
    .join("");
}

/** What stands at a path of plain data; undefined where nothing does. */
export function valueAt(data: unknown, path: readonly PropertyKey[]): unknown {
  let value = data;
  for (const key of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}

function unknownKey(path: PropertyKey[]): string {
  const keys = recipeKeys().map((key) => key.path);
  const suggestion = suggestKey(dotted(path), keys);
  if (suggestion) return `unknown key "${dotted(path)}"; did you mean "${suggestion}"?`;
  const section = path.slice(0, -1);
  const siblings = keys.filter((key) => dotted(section) === key.split(".").slice(0, -1).join("."));
  const names = siblings.map((key) => key.split(".").at(-1)).join(", ");
  return `unknown key "${dotted(path)}"; ${section.length > 0 ? `keys of ${dotted(section)}` : "keys"}: ${names}`;
}

function wrongValue(path: PropertyKey[], found: unknown): string {
  if (found === undefined) return `${dotted(path)} is missing: ${descriptionAt(path)}`;
  const expected = expectedAt(path) ?? "another value";
  const suggestion = suggestWord(found, choicesAt(path));
  const hint = suggestion ? `; did you mean "${suggestion}"?` : "";
  return `${dotted(path)}: expected ${expected}, found ${show(found)}${hint}`;
}

function show(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  if (typeof value === "object" && value !== null) return "a section with keys";
  return JSON.stringify(value) ?? String(value);
}
