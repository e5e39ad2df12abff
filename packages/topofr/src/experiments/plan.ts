// What an experiment is: a strict schema, and the cells (one training run each) that a plan stands for. Reading YAML: planFile.ts;
// the paper's own plans: plans/.
import { basename } from "node:path";
import { TopofrError } from "@topofr/formats";
import { z } from "zod";
import { VARIANT_NAMES } from "../method/objectiveOptions.js";
import { dotted } from "../train/recipeErrors.js";
import { choicesAt } from "../train/recipeKeys.js";

const text = z.string().min(1);
const settings = z.record(text, z.unknown());

const levelSchema = z.strictObject({
  label: text,
  set: settings.describe("dotted recipe keys and their values; { times: 0.5 }: half of what the recipe has"),
});

const axisSchema = z
  .strictObject({
    name: text,
    key: text.optional().describe("a recipe key that takes each of `values`"),
    values: z
      .array(z.union([z.string(), z.number(), z.boolean()]))
      .min(1)
      .optional(),
    levels: z.array(levelSchema).min(1).optional().describe("instead of key and values"),
  })
  .superRefine(({ key, values, levels }, context) => {
    if ((key === undefined) === (values === undefined) && (levels === undefined) !== (key === undefined))
      return;
    context.issues.push({
      code: "custom",
      input: context.value,
      path: [],
      message: "expected either key and values, or levels",
    });
  });

export const MEASURES = [
  "accuracy",
  "auc",
  "tar",
  "secondsPer100Steps",
  "secondsPerEpoch",
  "discrepancy",
] as const;
export type Measure = (typeof MEASURES)[number];

const figureSchema = z.strictObject({
  kind: z.enum(["bars", "line"]),
  measure: z.enum(MEASURES),
  axis: text
    .optional()
    .describe("of a line: the axis along x; labels end in a number, what stands before it names the line"),
});

const benchmarkSchema = z.union([
  text.transform((path) => ({ path, pairs: null })),
  z.strictObject({
    path: text,
    pairs: text.nullable().default(null).describe("pair list of an image folder"),
  }),
]);

const paperSchema = z.strictObject({
  source: text.describe('such as "table 3"'),
  setting: text,
  columns: z.array(text),
  rows: z.record(text, z.array(z.number().nullable())).describe("by the label of the row"),
  note: text.optional(),
});

export const planSchema = z
  .strictObject({
    name: text.regex(/^[\w][\w.-]*$/, "letters, digits and . _ - only: it names a folder"),
    title: text,
    about: text.describe("what it is for, in a sentence or two"),
    recipe: text.nullable().default(null).describe("YAML recipe that all runs start from"),
    set: settings.default({}).describe("changes to the recipe, for all runs"),
    axes: z.array(axisSchema).min(1),
    seeds: z
      .array(
        z
          .int()
          .min(0)
          .max(2 ** 32 - 1),
      )
      .min(1)
      .default([1, 2, 3]),
    data: z.array(text).default([]).describe("training sets; several are one more axis"),
    benchmarks: z.array(benchmarkSchema).default([]).describe("what every finished run is evaluated on"),
    baseline: z
      .record(text, text)
      .nullable()
      .default(null)
      .describe("by axis, the level that others are compared with"),
    measures: z.array(z.enum(MEASURES)).min(1).default(["accuracy", "tar"]),
    timed: z.boolean().default(false).describe("true: it measures time, so runs go one at a time"),
    discrepancy: z
      .strictObject({
        batchSizes: z.array(z.int().min(2)).min(1).nullable().default(null).describe("null: the recipe's"),
        batches: z.int().min(1),
      })
      .nullable()
      .default(null),
    figures: z.array(figureSchema).default([]),
    paper: paperSchema.nullable().default(null),
  })
  .superRefine(({ axes, baseline, figures, seeds, measures, discrepancy }, context) => {
    const refuse = (path: (string | number)[], message: string) =>
      context.issues.push({ code: "custom", input: context.value, path, message });
    const names = axes.map(({ name }) => name);
    names.forEach((name, i) => {
      if (names.indexOf(name) < i) refuse(["axes", i, "name"], `"${name}" is the name of two axes`);
      const labels = levelsOf(axes[i]!).map(({ label }) => label);
      const twice = labels.find((label, k) => labels.indexOf(label) < k);
      if (twice !== undefined) refuse(["axes", i], `"${twice}" is there twice`);
    });
    if (new Set(seeds).size < seeds.length) refuse(["seeds"], "a seed is there twice");
    for (const [axis, label] of Object.entries(baseline ?? {})) {
      const found = axes.find(({ name }) => name === axis);
      if (!found) refuse(["baseline", axis], `there is no such axis; axes: ${names.join(", ")}`);
      else if (!levelsOf(found).some((level) => level.label === label))
        refuse(
          ["baseline", axis],
          `"${label}" is no level of it: ${levelsOf(found)
            .map(({ label }) => label)
            .join(", ")}`,
        );
    }
    figures.forEach(({ kind, axis }, i) => {
      if (kind === "line" && !names.includes(axis ?? ""))
        refuse(["figures", i, "axis"], `a line needs an axis: ${names.join(", ")}`);
    });
    if (measures.includes("discrepancy") && discrepancy === null)
      refuse(["discrepancy"], "measures name it: give batches, and batchSizes unless they are the recipe's");
  });

export type PlanInput = z.input<typeof planSchema>;
export type Plan = z.output<typeof planSchema>;
export type BenchmarkChoice = Plan["benchmarks"][number];
export type Axis = Plan["axes"][number];

export interface Level {
  label: string;
  set: Record<string, unknown>;
}

/** One row of the table: a level of every axis. */
export interface Row {
  label: string;
  /** By axis, the level's label. */
  levels: Record<string, string>;
  set: Record<string, unknown>;
}

/** In place of a key's value: so many times the one that the recipe has otherwise, whatever its preset's unit is. */
export interface Multiple {
  times: number;
}

export const isMultiple = (value: unknown): value is Multiple =>
  typeof value === "object" && value !== null && typeof (value as Partial<Multiple>).times === "number";

/** One training run. */
export interface Cell {
  /** Name of its run folder. */
  id: string;
  row: Row;
  seed: number;
}

export function levelsOf({ key, values, levels }: Pick<Axis, "key" | "values" | "levels">): Level[] {
  if (levels) return levels;
  return (values ?? []).map((value) => ({ label: String(value), set: { [key!]: value } }));
}

/** The axes, and the training sets when they are several. */
export function allAxes({ axes, data }: Plan): Axis[] {
  if (data.length < 2) return axes;
  return [...axes, { name: "data", key: "data.path", values: data }];
}

export function rowsOf(plan: Plan): Row[] {
  return allAxes(plan).reduce<Row[]>(
    (rows, axis) =>
      rows.flatMap((row) =>
        levelsOf(axis).map(({ label, set }) => ({
          label: row.label === "" ? label : `${row.label}, ${label}`,
          levels: { ...row.levels, [axis.name]: label },
          set: { ...row.set, ...set },
        })),
      ),
    [{ label: "", levels: {}, set: {} }],
  );
}

/** Every row with the first seed, then with the second …: what a stopped experiment has is comparable. */
export function cellsOf(plan: Plan): Cell[] {
  const rows = rowsOf(plan);
  const ids = rows.map(({ levels }) => Object.values(levels).map(folderName).join("_"));
  const unique = ids.map((id, i) => (ids.indexOf(id) === ids.lastIndexOf(id) ? id : `${i + 1}_${id}`));
  return plan.seeds.flatMap((seed) => rows.map((row, i) => ({ id: `${unique[i]}-seed${seed}`, row, seed })));
}

/** What tables call a benchmark: by its pair list, or its path, where two have the same name. */
export function benchmarkName({ benchmarks }: Plan, { path, pairs }: BenchmarkChoice, name: string): string {
  const alike = benchmarks.filter((other) => basename(other.path) === basename(path));
  if (alike.length < 2) return name;
  return pairs === null ? path : `${name}, ${basename(pairs)}`;
}

/** The row that another is compared with; null: it is the baseline, or there is none. */
export function baselineOf(plan: Plan, row: Row): Row | null {
  if (plan.baseline === null) return null;
  const wanted = { ...row.levels, ...plan.baseline };
  const same = (other: Row) => Object.entries(wanted).every(([axis, label]) => other.levels[axis] === label);
  const found = rowsOf(plan).find(same);
  return found === undefined || found.label === row.label ? null : found;
}

/**
 * Checks what the schema cannot: that the method has the variants.
 *
 * @throws E_RECIPE naming each that it has not
 */
export function checkVariants(plan: Plan): void {
  const known: readonly string[] = VARIANT_NAMES;
  const missing = rowsOf(plan).flatMap(({ set }) => {
    const variant = set["objective.variant"];
    return variant === undefined || variant === null || known.includes(String(variant))
      ? []
      : [String(variant)];
  });
  if (missing.length === 0) return;
  throw new TopofrError(
    "E_RECIPE",
    `plan ${plan.name}: no variant ${[...new Set(missing)].map((name) => `"${name}"`).join(", ")} in this version; ` +
      `there are ${choicesAt(["objective", "variant"]).join(", ")}. Leave levels out with --levels`,
  );
}

export const planIssues = (issues: readonly z.core.$ZodIssue[]) =>
  issues.flatMap(({ path, message, ...issue }) =>
    issue.code === "unrecognized_keys"
      ? issue.keys.map((key) => ({
          path: [...path, key],
          message: `unknown key "${dotted([...path, key])}"`,
        }))
      : [{ path: [...path], message: path.length === 0 ? message : `${dotted(path)}: ${message}` }],
  );

const folderName = (label: string): string =>
  label
    .replace(/†/g, "cos")
    .replace(/[^\w.+-]+/g, "-")
    .replace(/^[^\w]+|-+$/g, "")
    .toLowerCase() || "level";
