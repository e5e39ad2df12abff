// Reads a plan: one of the paper's by name, or a YAML file, with changes from the command line. Every problem has its line and key.
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { fileError, TopofrError } from "@topofr/formats";
import { LineCounter, parseDocument } from "yaml";
import { type BenchmarkChoice, levelsOf, type Plan, planIssues, planSchema } from "./plan.js";
import { PAPER_PLANS } from "./plans/paperPlans.js";

export interface PlanChanges {
  recipe?: string;
  data?: readonly string[];
  benchmarks?: readonly BenchmarkChoice[];
  /** How many: 1, 2, 3 … */
  seeds?: number;
  /** Dotted recipe keys. */
  set?: Readonly<Record<string, unknown>>;
  /** By axis, the levels to keep: labels, or for an axis with a key any values. */
  levels?: Readonly<Record<string, readonly string[]>>;
}

/** @throws E_USAGE when there is no such plan, E_FILE, E_RECIPE with every problem, one a line */
export async function loadPlan(nameOrFile: string, changes: PlanChanges = {}): Promise<Plan> {
  const own = PAPER_PLANS.find(({ name }) => name === nameOrFile);
  if (own) return changePlan(planSchema.parse({ ...own, recipe: recipeOfRepository(own.recipe) }), changes);
  if (!/\.ya?ml$/i.test(nameOrFile))
    throw new TopofrError(
      "E_USAGE",
      `${nameOrFile}: no such experiment; there are ${PAPER_PLANS.map(({ name }) => name).join(", ")}; or give a plan file (.yaml)`,
    );
  const yaml = await readFile(nameOrFile, "utf8").catch((error) => {
    throw fileError(nameOrFile, "read the plan", error);
  });
  const plan = parsePlan(yaml, nameOrFile);
  const near = (path: string) => resolve(dirname(nameOrFile), path);
  return changePlan({ ...plan, recipe: plan.recipe && near(plan.recipe) }, changes);
}

/** @throws E_RECIPE with every problem, one a line: "plan.yaml:7 axes[0].values: …" */
export function parsePlan(yaml: string, name: string): Plan {
  const lines = new LineCounter();
  const document = parseDocument(yaml, { lineCounter: lines, prettyErrors: false });
  const [syntax] = document.errors;
  if (syntax)
    throw new TopofrError(
      "E_RECIPE",
      `${name}:${lines.linePos(syntax.pos[0]).line} not YAML: ${syntax.message}`,
    );
  const parsed = planSchema.safeParse(document.toJS() ?? {});
  if (parsed.success) return parsed.data;
  const lineOf = (path: readonly PropertyKey[]): string => {
    for (let length = path.length; length > 0; length--) {
      const node = document.getIn(path.slice(0, length), true) as
        | { range?: [number, number, number] }
        | undefined;
      if (node?.range) return `:${lines.linePos(node.range[0]).line}`;
    }
    return "";
  };
  const problems = planIssues(parsed.error.issues).map(
    ({ path, message }) => `${name}${lineOf(path)} ${message}`,
  );
  throw new TopofrError(
    "E_RECIPE",
    problems.length === 1
      ? problems[0]!
      : `${problems.length} problems in ${name}\n  ${problems.join("\n  ")}`,
  );
}

/** @throws E_USAGE for an axis or level that the plan has not, or a key that is an axis of it */
export function changePlan(plan: Plan, changes: PlanChanges): Plan {
  const { recipe, data, benchmarks, seeds, set = {}, levels = {} } = changes;
  const axes = plan.axes.map((axis) => {
    const wanted = levels[axis.name];
    if (!wanted) return axis;
    if (axis.key !== undefined)
      return {
        ...axis,
        values: wanted.map((word) =>
          word.trim() !== "" && Number.isFinite(Number(word)) ? Number(word) : word,
        ),
      };
    const kept = wanted.map((label) => {
      const level = levelsOf(axis).find((one) => one.label.toLowerCase() === label.toLowerCase());
      if (level) return level;
      throw new TopofrError(
        "E_USAGE",
        `--levels ${axis.name}: "${label}" is none of ${levelsOf(axis)
          .map((one) => one.label)
          .join(", ")}`,
      );
    });
    return { ...axis, levels: kept };
  });
  for (const name of Object.keys(levels))
    if (!axes.some((axis) => axis.name === name))
      throw new TopofrError(
        "E_USAGE",
        `--levels ${name}: plan ${plan.name} has the axes ${axes.map((axis) => axis.name).join(", ")}`,
      );
  for (const key of Object.keys(set)) {
    const axis = axes.find((one) => levelsOf(one).some((level) => key in level.set));
    if (axis)
      throw new TopofrError(
        "E_USAGE",
        `--set ${key}: what plan ${plan.name} varies (axis "${axis.name}"); choose its levels with --levels ${axis.name}=…`,
      );
  }
  return planSchema.parse({
    ...plan,
    axes,
    baseline: Object.entries(plan.baseline ?? {}).every(([axis, label]) =>
      axes.some((one) => one.name === axis && levelsOf(one).some((level) => level.label === label)),
    )
      ? plan.baseline
      : null, // left out by --levels: nothing to compare with
    set: { ...plan.set, ...set },
    ...(recipe !== undefined && { recipe }),
    ...(data && { data }),
    ...(benchmarks && { benchmarks }),
    ...(seeds !== undefined && { seeds: Array.from({ length: seeds }, (_, i) => i + 1) }),
  });
}

/** recipes/ lies beside packages/, four folders above dist/experiments/. */
function recipeOfRepository(name: string | null | undefined): string | null {
  return name ? fileURLToPath(new URL(`../../../../recipes/${name}`, import.meta.url)) : null;
}
