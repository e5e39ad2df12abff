// What the recipe schema knows about its own keys: their paths, docs and expected values in words. Read
// from the schema itself, so that error messages and documentation cannot drift from it.

import type { z } from "zod";
import { recipeSchema } from "./recipe.js";

/** A key of the recipe. `path` is dotted: "optim.lr". */
export interface RecipeKey {
  path: string;
  /** "a number above 0", "one of sgd, adamw" … */
  expected: string;
  /** undefined: none (required, or an override of the preset). */
  default: unknown;
  description: string;
  /** True for a section, whose keys follow it. */
  section: boolean;
}

type Schema = z.core.$ZodTypes;

/** All keys, sections before their keys, in the schema's order. */
export function recipeKeys(): RecipeKey[] {
  return list(recipeSchema as unknown as Schema, []);
}

/** The expected value at a path, in words; undefined where the schema has no such path. */
export function expectedAt(path: readonly PropertyKey[]): string | undefined {
  const schema = schemaAt(path);
  return schema && describe(schema);
}

/** The doc of a key; empty where it has none. */
export function descriptionAt(path: readonly PropertyKey[]): string {
  const schema = schemaAt(path);
  return schema ? descriptionOf(schema) : "";
}

/** Whether the key at a path takes whole numbers only. */
export function takesWholeNumbers(path: readonly PropertyKey[]): boolean {
  const schema = schemaAt(path);
  return schema !== undefined && isWhole(unwrap(schema).schema);
}

/** The words allowed at a path; empty where any value of its type is. */
export function choicesAt(path: readonly PropertyKey[]): string[] {
  const schema = schemaAt(path);
  return schema ? words(unwrap(schema).schema) : [];
}

function list(schema: Schema, path: string[]): RecipeKey[] {
  const { schema: object } = unwrap(schema);
  if (object._zod.def.type !== "object") return [];
  return Object.entries(object._zod.def.shape).flatMap(([name, child]) => {
    const childPath = [...path, name];
    const { schema: inner, default: value } = unwrap(child as Schema);
    const section = inner._zod.def.type === "object";
    const key: RecipeKey = {
      path: childPath.join("."),
      expected: describe(child as Schema),
      default: section ? undefined : value,
      description: descriptionOf(child as Schema),
      section,
    };
    return [key, ...list(child as Schema, childPath)];
  });
}

function schemaAt(path: readonly PropertyKey[]): Schema | undefined {
  let schema = recipeSchema as unknown as Schema;
  for (const key of path) {
    const { schema: inner } = unwrap(schema);
    const { def } = inner._zod;
    if (def.type === "array") schema = def.element as Schema;
    else if (def.type === "object" && Object.hasOwn(def.shape, key))
      schema = def.shape[key as string] as Schema;
    else return undefined;
  }
  return schema;
}

/** The schema inside defaults, optionals, nullables and transforms, and what those said. */
function unwrap(schema: Schema): { schema: Schema; default: unknown; nullable: boolean } {
  const { def } = schema._zod;
  switch (def.type) {
    case "default":
    case "prefault":
      return { ...unwrap(def.innerType as Schema), default: def.defaultValue };
    case "nullable":
      return { ...unwrap(def.innerType as Schema), nullable: true };
    case "optional":
      return unwrap(def.innerType as Schema);
    case "pipe": {
      // preprocess(f, inner) is transform -> inner; inner.transform(f) is inner -> transform
      const first = def.in as Schema;
      return unwrap(first._zod.def.type === "transform" ? (def.out as Schema) : first);
    }
    default:
      return { schema, default: undefined, nullable: false };
  }
}

function descriptionOf(schema: Schema): string {
  const own = (schema as unknown as z.ZodType).description;
  if (own) return own;
  const { def } = schema._zod;
  return "innerType" in def ? descriptionOf(def.innerType as Schema) : "";
}

function describe(schema: Schema): string {
  const { schema: inner, nullable } = unwrap(schema);
  const { def } = inner._zod;
  const or = nullable ? " or null" : "";
  switch (def.type) {
    case "number":
      return number(inner) + or;
    case "string":
      return `text${or}`;
    case "boolean":
      return `true or false${or}`;
    case "enum":
      return `${choice(words(inner))}${or}`;
    case "array":
      return `a list of ${words(def.element as Schema).join(", ")}${or}`;
    case "object":
      return `a section with keys${or}`;
    default:
      return def.type;
  }
}

function choice(options: string[]): string {
  return options.length === 1 ? `"${options[0]}"` : `one of ${options.join(", ")}`;
}

function words(schema: Schema): string[] {
  const { def } = schema._zod;
  return def.type === "enum" ? Object.values(def.entries).map(String) : [];
}

function isWhole({ _zod: { def } }: Schema): boolean {
  return "format" in def && def.format === "safeint";
}

function number(schema: Schema): string {
  const { def } = schema._zod;
  let kind = isWhole(schema) ? "a whole number" : "a number";
  const limits: string[] = [];
  for (const check of ("checks" in def && def.checks) || []) {
    const rule = check._zod.def as { check: string; value?: number; inclusive?: boolean };
    const value = Number(rule.value?.toFixed(4)); // pi/2 as 1.5708
    if (rule.check === "greater_than") limits.push(`${rule.inclusive ? "of at least" : "above"} ${value}`);
    if (rule.check === "multiple_of") kind += ` that is a multiple of ${value}`;
    if (rule.check === "less_than") limits.push(`${rule.inclusive ? "at most" : "below"} ${value}`);
  }
  return [kind, limits.join(" and ")].filter(Boolean).join(" ");
}
