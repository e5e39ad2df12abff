// Whether a run was made with the settings that a plan asks for now.
import { isDeepStrictEqual } from "node:util";
import { RESUMABLE_KEYS, type Recipe } from "../train/recipe.js";
import { valueAt } from "../train/recipeErrors.js";

/** "optim.lr was 0.1, is 0.2" for each key that differs; keys that a resumed run may change are left out. */
export function changedSettings(config: unknown, recipe: Recipe): string[] {
  const asked: unknown = JSON.parse(JSON.stringify(recipe)); // as it would be read from a config.json
  const all = new Map([...paths(config, []), ...paths(asked, [])].map((path) => [path.join("."), path]));
  const free: readonly string[] = RESUMABLE_KEYS;
  return [...all].flatMap(([name, path]) => {
    const [was, is] = [valueAt(config, path), valueAt(asked, path)];
    if (free.includes(name) || isDeepStrictEqual(was, is)) return [];
    return [`${name} was ${JSON.stringify(was)}, is ${JSON.stringify(is)}`];
  });
}

const paths = (value: unknown, path: string[]): string[][] =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.entries(value).flatMap(([key, inner]) => paths(inner, [...path, key]))
    : [path];
