// Preset, variant and overrides to one set of options, with the contradictions and the idle switches named. The
// switches themselves: objectiveOptions.ts.

import { TopofrError } from "@topofr/formats";
import type {
  AlignmentOptions,
  MarginKind,
  MarginOptions,
  ObjectiveChoice,
  ObjectiveOptions,
} from "./objectiveOptions.js";
import { PRESETS } from "./objectivePresets.js";
import { VARIANTS } from "./objectiveVariants.js";

/** One thing wrong, or worth saying, about a choice; `path` is relative to the objective. */
export interface ObjectiveProblem {
  path: string[];
  message: string;
}

export interface ComposedObjective {
  options: ObjectiveOptions;
  /** Contradictions: the options must not be used when there are any. */
  problems: ObjectiveProblem[];
  /** Switches that were given but have no effect. */
  warnings: ObjectiveProblem[];
}

/** The margin options of each kind when nothing else is said: ArcFace 0.5, CosFace 0.4, scale 64. */
export const MARGIN_DEFAULTS = {
  arcface: { kind: "arcface", scale: 64, margin: 0.5, interClassFilter: null },
  cosface: { kind: "cosface", scale: 64, margin: 0.4, interClassFilter: null },
  combined: { kind: "combined", scale: 64, m1: 1, m2: 0.5, m3: 0, interClassFilter: null },
} as const satisfies Record<MarginKind, MarginOptions>;

/**
 * Preset, then variant, then overrides, checked together.
 *
 * A variant says which parts are on. Overrides of a part that it leaves out are kept as a warning, so that
 * one recipe serves a method and its baseline; an override that turns off a part it needs is a problem.
 */
export function composeObjective(choice: ObjectiveChoice): ComposedObjective {
  const problems: ObjectiveProblem[] = [];
  const warnings: ObjectiveProblem[] = [];
  const preset = PRESETS[choice.preset ?? "official"];
  const variant = choice.variant ? VARIANTS[choice.variant] : null;
  const named = `variant "${choice.variant}"`;

  const options: ObjectiveOptions = {
    margin: composeMargin(preset.margin, variant?.margin ?? null, choice.margin ?? {}),
    perturbation: override(preset.perturbation, choice.perturbation),
    alignment: override(preset.alignment, choice.alignment),
    damage: override(preset.damage, choice.damage),
    mixture: { ...preset.mixture, ...defined(choice.mixture ?? {}) },
  };

  if (variant) {
    if (variant.margin && choice.margin?.kind && choice.margin.kind !== variant.margin)
      problems.push({
        path: ["margin", "kind"],
        message: `"${choice.margin.kind}" contradicts ${named}, which means the ${variant.margin} margin`,
      });
    for (const part of ["perturbation", "alignment", "damage"] as const) {
      const wanted = variant[part] !== false;
      if (wanted && options[part] === null)
        problems.push({
          path: [part],
          message: `null contradicts ${named}, which has this part; choose another variant, or none`,
        });
      if (!wanted) {
        if (choice[part])
          warnings.push({ path: [part], message: `has no effect: ${named} leaves this part out` });
        options[part] = null;
      }
    }
    if (variant.damage && options.damage) {
      for (const factor of ["focal", "mixture"] as const) {
        const given = choice.damage?.[factor];
        if (given === false && variant.damage[factor])
          problems.push({ path: ["damage", factor], message: `false contradicts ${named}, which has it` });
        if (given === true && !variant.damage[factor])
          warnings.push({ path: ["damage", factor], message: `has no effect: ${named} leaves it out` });
        options.damage = { ...options.damage, [factor]: variant.damage[factor] };
      }
    }
  }
  return {
    options,
    problems: [...problems, ...objectiveProblems(options)],
    warnings: [...warnings, ...idle(choice, options)],
  };
}

/**
 * Options of a preset, a variant and overrides, for code that has no recipe.
 *
 * @throws TopofrError E_RECIPE naming every contradiction.
 */
export function objectiveOptions(choice: ObjectiveChoice): ObjectiveOptions {
  const { options, problems } = composeObjective(choice);
  if (problems.length > 0) {
    const lines = problems.map(({ path, message }) => `objective.${path.join(".")}: ${message}`);
    throw new TopofrError("E_RECIPE", lines.join("\n"));
  }
  return options;
}

/** Contradictions between switches that each look fine alone. */
export function objectiveProblems(options: ObjectiveOptions): ObjectiveProblem[] {
  const problems: ObjectiveProblem[] = [];
  const refuse = (path: string[], message: string) => problems.push({ path, message });
  const { margin, alignment, damage } = options;
  const allowed = Object.keys(MARGIN_DEFAULTS[margin.kind]);
  for (const key of Object.keys(margin).filter((key) => !allowed.includes(key)))
    refuse(
      ["margin", key],
      `the ${margin.kind} margin has no such number; its keys: ${allowed.slice(1).join(", ")}`,
    );
  if (alignment?.latent === "l2" && alignment.inputNorm === "none")
    refuse(
      ["alignment", "inputNorm"],
      '"none" contradicts latent "l2": distances of unit embeddings end at 2, those of raw 112x112 images at 388, so no embedding could align; use "unit-sphere"',
    );
  if (damage && !damage.focal && !damage.mixture)
    refuse(["damage"], "focal and mixture are both false, so omega is always 1; write `damage: null`");
  if (damage?.truncateProbability && !damage.detach)
    refuse(
      ["damage", "truncateProbability"],
      "true contradicts detach: false: a truncated probability has no gradient; set detach: true",
    );
  return problems;
}

/** The largest distance of the latent space, to which "theory-maximum" and "batch-maximum" scale the inputs. */
export function inputDiameter(alignment: AlignmentOptions): 1 | 2 {
  return alignment.latent === "l2" ? 2 : 1; // unit vectors are at most 2 apart; raw: as the published code
}

function composeMargin(
  base: MarginOptions,
  variantKind: MarginKind | null,
  overrides: NonNullable<ObjectiveChoice["margin"]>,
): MarginOptions {
  const kind = overrides.kind ?? variantKind ?? base.kind;
  const { scale, interClassFilter } = base;
  const start = kind === base.kind ? base : { ...MARGIN_DEFAULTS[kind], scale, interClassFilter };
  // Keys of another kind survive here on purpose: objectiveProblems names them.
  return { ...start, ...defined(overrides) } as MarginOptions;
}

/** Some of T's keys, as a parsed recipe holds them. */
type Some<T> = { [K in keyof T]?: T[K] | undefined };

function override<T extends object>(base: T | null, overrides: Some<T> | null | undefined): T | null {
  if (overrides === null || base === null) return null;
  return { ...base, ...defined(overrides ?? {}) };
}

function defined<T extends object>(overrides: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(overrides).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}

/** Given switches that the rest of the options makes idle. */
function idle(choice: ObjectiveChoice, { damage }: ObjectiveOptions): ObjectiveProblem[] {
  const warnings: ObjectiveProblem[] = [];
  if (choice.mixture && Object.keys(choice.mixture).length > 0 && !damage?.mixture)
    warnings.push({ path: ["mixture"], message: "has no effect: damage.mixture is off" });
  if (choice.damage?.lambda !== undefined && damage && !damage.mixture)
    warnings.push({ path: ["damage", "lambda"], message: "has no effect: damage.mixture is off" });
  if (choice.damage?.truncateProbability && damage && !damage.focal)
    warnings.push({ path: ["damage", "truncateProbability"], message: "has no effect: damage.focal is off" });
  return warnings;
}
