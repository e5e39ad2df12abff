// Preset, variant and overrides to one set of options, with the contradictions and the idle switches named. The
// switches themselves: objectiveOptions.ts.

import { TopofrError } from "@topofr/formats";
import { MARGIN_DEFAULTS, type MarginOptions } from "./margins/marginOptions.js";
import { MINING_DEFAULTS, type MiningOptions } from "./mining/miningOptions.js";
import type { AlignmentOptions, ObjectiveChoice, ObjectiveOptions } from "./objectiveOptions.js";
import { PRESETS } from "./objectivePresets.js";
import { VARIANTS, type Variant } from "./objectiveVariants.js";

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
    mining: composeMining(variant?.mining ?? null, choice.mining ?? {}),
    perturbation: override(preset.perturbation, choice.perturbation),
    alignment: override(preset.alignment, choice.alignment),
    damage: override(preset.damage, choice.damage),
    mixture: { ...preset.mixture, ...defined(choice.mixture ?? {}) },
    constraints: choice.constraints ?? preset.constraints,
  };
  if (!variant && choice.mining && !options.mining)
    problems.push({
      path: ["mining", "kind"],
      message: `is missing; one of ${Object.keys(MINING_DEFAULTS).join(", ")}`,
    });

  if (variant) {
    problems.push(
      ...contradictions("margin", variant.margin, choice.margin, named),
      ...contradictions("mining", variant.mining, choice.mining, named),
      ...contradictions("alignment", variant.alignment || null, choice.alignment, named),
    );
    for (const part of ["perturbation", "alignment", "damage", "mining"] as const) {
      const wanted = variant[part] !== false && variant[part] !== null;
      if (wanted && (options[part] === null || choice[part] === null))
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
    if (variant.alignment && options.alignment)
      options.alignment = { ...options.alignment, ...variant.alignment };
    if (variant.constraints !== "both") {
      if (choice.constraints && choice.constraints !== variant.constraints)
        problems.push({
          path: ["constraints"],
          message: `"${choice.constraints}" contradicts ${named}, which means "${variant.constraints}"`,
        });
      options.constraints = variant.constraints;
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
  const { margin, alignment, damage, mining } = options;
  for (const [part, given, defaults] of [
    ["margin", margin, MARGIN_DEFAULTS[margin.kind]],
    ["mining", mining ?? {}, mining ? MINING_DEFAULTS[mining.kind] : {}],
  ] as const) {
    const allowed = Object.keys(defaults);
    for (const key of Object.keys(given).filter((key) => !allowed.includes(key)))
      refuse(
        [part, key],
        `the ${(given as { kind: string }).kind} ${part} has no such number; its keys: ${allowed.slice(1).join(", ")}`,
      );
  }
  if (margin.kind === "magface") {
    if (margin.smallestNorm >= margin.largestNorm)
      refuse(
        ["margin", "smallestNorm"],
        `${margin.smallestNorm} is not below largestNorm, ${margin.largestNorm}`,
      );
    if (margin.smallestMargin > margin.largestMargin)
      refuse(
        ["margin", "smallestMargin"],
        `${margin.smallestMargin} is above largestMargin, ${margin.largestMargin}`,
      );
  }
  if (mining?.kind === "mv-softmax" && margin.kind === "curricularface")
    refuse(
      ["mining", "kind"],
      '"mv-softmax" contradicts the curricularface margin: both emphasise misleading classes',
    );
  if (mining && mining.kind !== "mv-softmax" && damage)
    refuse(
      ["mining", "kind"],
      `"${mining.kind}" contradicts the damage score: both weigh samples; write \`damage: null\`, or choose variant "${mining.kind}"`,
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
  implied: Variant["margin"],
  overrides: NonNullable<ObjectiveChoice["margin"]>,
): MarginOptions {
  const kind = overrides.kind ?? implied?.kind ?? base.kind;
  const { scale, interClassFilter } = base;
  const start = kind === base.kind ? base : { ...MARGIN_DEFAULTS[kind], scale, interClassFilter };
  // Keys of another kind survive here on purpose: objectiveProblems names them.
  return { ...start, ...(implied?.kind === kind && implied), ...defined(overrides) } as MarginOptions;
}

/** Null when no kind is named. */
function composeMining(
  implied: Variant["mining"],
  overrides: NonNullable<ObjectiveChoice["mining"]>,
): MiningOptions | null {
  const kind = overrides.kind ?? implied?.kind;
  if (kind === undefined) return null;
  const start = { ...MINING_DEFAULTS[kind], ...(implied?.kind === kind && implied) };
  return { ...start, ...defined(overrides) } as MiningOptions;
}

/** Words of a variant's part for which a recipe gives another one. Numbers are only defaults. */
function contradictions(
  part: string,
  implied: object | null,
  given: object | null | undefined,
  named: string,
): ObjectiveProblem[] {
  return Object.entries(implied ?? {}).flatMap(([key, value]) => {
    const found = (given as Record<string, unknown> | null | undefined)?.[key];
    if (typeof value === "number" || found === undefined || found === value) return [];
    const meant = key === "kind" ? `the ${value} ${part}` : JSON.stringify(value);
    return [
      { path: [part, key], message: `${JSON.stringify(found)} contradicts ${named}, which means ${meant}` },
    ];
  });
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
function idle(choice: ObjectiveChoice, { damage, alignment }: ObjectiveOptions): ObjectiveProblem[] {
  const warnings: ObjectiveProblem[] = [];
  if (choice.mixture && Object.keys(choice.mixture).length > 0 && !damage?.mixture)
    warnings.push({ path: ["mixture"], message: "has no effect: damage.mixture is off" });
  if (choice.damage?.lambda !== undefined && damage && !damage.mixture)
    warnings.push({ path: ["damage", "lambda"], message: "has no effect: damage.mixture is off" });
  if (choice.damage?.truncateProbability && damage && !damage.focal)
    warnings.push({ path: ["damage", "truncateProbability"], message: "has no effect: damage.focal is off" });
  const distance = alignment?.match === "bottleneck" || alignment?.match === "wasserstein";
  const unused = alignment?.match === "bottleneck" ? (["half", "reduce"] as const) : (["half"] as const);
  if (distance)
    for (const key of unused)
      if (choice.alignment?.[key] !== undefined)
        warnings.push({ path: ["alignment", key], message: `has no effect: match is ${alignment.match}` });
  return warnings;
}
