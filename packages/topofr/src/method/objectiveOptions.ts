// The switches of the training objective: their schema, and how preset + variant + overrides become one
// checked set of options. Only numbers and words: what a switch does is in perturbation.ts, alignment.ts,
// damage.ts, mixture.ts and margins/. The values of the presets: objectivePresets.ts.
// "D1" to "D17" are the differences between the paper's equations and its published code that
// docs/objective.md lists.

import { TopofrError } from "@topofr/formats";
import { z } from "zod";
import { PRESETS } from "./objectivePresets.js";
import { VARIANTS } from "./objectiveVariants.js";

export const PRESET_NAMES = ["paper", "official", "spherical"] as const;
export type PresetName = (typeof PRESET_NAMES)[number];

export const VARIANT_NAMES = [
  "arcface",
  "cosface",
  "topofr",
  "topofr-r",
  "topofr-a",
  "topofr-p",
  "topofr-f",
  "topofr-g",
] as const;
export type VariantName = (typeof VARIANT_NAMES)[number];

export const PERTURBATIONS = ["erasing", "blur", "grayscale", "jitter"] as const;

const scale = z.number().positive().describe("s: what the cosines are multiplied by");
const angle = z
  .number()
  .min(0)
  .max(Math.PI / 2);
const interClassFilter = z
  .number()
  .min(0)
  .max(1)
  .nullable()
  .describe("cosines of other classes above this value are ignored (set to 0); null: none are");

export const marginSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("arcface"),
    scale,
    margin: angle.describe("m, radians: cos(theta + m) for the true class, with the monotone fallback"),
    interClassFilter,
  }),
  z.strictObject({
    kind: z.literal("cosface"),
    scale,
    margin: angle.describe("m: cos(theta) - m for the true class"),
    interClassFilter,
  }),
  z.strictObject({
    kind: z.literal("combined"),
    scale,
    m1: z.number().positive().describe("cos(m1 theta + m2) - m3 for the true class"),
    m2: angle.describe("radians"),
    m3: z.number().min(0),
    interClassFilter,
  }),
]);

export const perturbationSchema = z.strictObject({
  probability: z.number().gt(0).max(1).describe("xi: share of the samples that get one operation"),
  operations: z
    .array(z.enum(PERTURBATIONS))
    .min(1)
    .refine((list) => new Set(list).size === list.length, "an operation is named twice")
    .describe("A: the operations, drawn with equal chance"),
  erasingLeaks: z
    .boolean()
    .describe("true: erased rectangles also show in the clean images that alignment compares (D13)"),
});

export const alignmentSchema = z.strictObject({
  weight: z.number().positive().describe("alpha: weight of the alignment loss in the total"),
  match: z
    .enum(["symmetric", "sorted"])
    .describe("symmetric: edges of each space read in both (eq. 2); sorted: sorted lengths compared (D1)"),
  half: z.boolean().describe("the factor 1/2 of eq. 2 (D2)"),
  reduce: z.enum(["sum", "batch-mean"]).describe("sum over edges, or that divided by the batch size (D2)"),
  inputNorm: z
    .enum(["none", "theory-maximum", "batch-maximum", "unit-sphere"])
    .describe(
      "scale of the image distances (D3): none: raw; theory-maximum: divided by sqrt(4CHW), the largest possible; batch-maximum: divided by the largest of the batch; unit-sphere: of images centred on the batch's mean image and scaled to length 1",
    ),
  latent: z.enum(["raw", "l2"]).describe("embeddings as they are, or scaled to length 1 (D4)"),
  distance: z
    .enum(["gram", "direct"])
    .describe("gram: from the Gram matrix, O(n^2) memory; direct: from differences, O(n^2 d) memory"),
});

export const damageSchema = z.strictObject({
  focal: z.boolean().describe("omega2 = 1 - p_gt"),
  mixture: z.boolean().describe("omega1 = (1 + h)^lambda, h the posterior of being hard"),
  lambda: z.number().positive().describe("the exponent of 1 + h"),
  probability: z
    .enum(["margin", "plain"])
    .describe("softmax that gives p_gt and the entropy: of the margin logits, or of the scaled cosines (D8)"),
  truncateProbability: z.boolean().describe("p_gt rounded down to 0 or 1, as the published code does (D6)"),
  detach: z
    .boolean()
    .describe("false: gradients also flow through 1 - p_gt (D7); h, an estimate, is constant in any case"),
});

export const mixtureSchema = z.strictObject({
  sign: z
    .enum(["random", "alternate"])
    .describe("sign flip of the entropies: a fair coin each, or every even position negative (D9)"),
  standardise: z.boolean().describe("zero mean and unit variance before EM (D10)"),
  mixingCap: z.number().gt(0).max(1).nullable().describe("upper bound of pi; null: none (D12)"),
  omega: z
    .enum(["paper", "code"])
    .describe("uniform half-width: sqrt(3(eta2 - eta1^2)), or the code's sqrt(3 eta2 - eta1^2) (D11)"),
  maxIterations: z.int().min(1).describe("EM stops after this many iterations"),
  tolerance: z.number().positive().describe("EM stops when the summed density changes by less"),
  entropyEpsilon: z.number().min(0).describe("epsilon in -sum p log(p + epsilon)"),
});

/** Every switch of the objective, with no default left open. `null` turns a part off. */
export const objectiveSchema = z.strictObject({
  margin: marginSchema,
  perturbation: perturbationSchema.nullable(),
  alignment: alignmentSchema.nullable(),
  damage: damageSchema.nullable(),
  mixture: mixtureSchema,
});

export type ObjectiveOptions = z.infer<typeof objectiveSchema>;
export type MarginOptions = z.infer<typeof marginSchema>;
export type MarginKind = MarginOptions["kind"];
export type PerturbationOptions = z.infer<typeof perturbationSchema>;
export type AlignmentOptions = z.infer<typeof alignmentSchema>;
export type DamageOptions = z.infer<typeof damageSchema>;
export type MixtureOptions = z.infer<typeof mixtureSchema>;

/** What a recipe writes: a preset, perhaps a variant, and the switches that differ from them. */
export const objectiveChoiceSchema = z.strictObject({
  preset: z
    .enum(PRESET_NAMES)
    .default("official")
    .describe(
      "paper: the equations; official: the published code; spherical: ours, both spaces on one scale",
    ),
  variant: z
    .enum(VARIANT_NAMES)
    .nullable()
    .default(null)
    .describe("which parts are on, by the paper's names; null: all of the preset's"),
  margin: z
    .strictObject({
      kind: z.enum(["arcface", "cosface", "combined"]).describe("which margin"),
      scale,
      margin: angle.describe("m of arcface (radians) and cosface"),
      m1: z.number().positive().describe("combined: factor of the angle"),
      m2: angle.describe("combined: added to the angle, radians"),
      m3: z.number().min(0).describe("combined: taken from the cosine"),
      interClassFilter,
    })
    .partial()
    .optional(),
  perturbation: perturbationSchema.partial().nullable().optional(),
  alignment: alignmentSchema.partial().nullable().optional(),
  damage: damageSchema.partial().nullable().optional(),
  mixture: mixtureSchema.partial().optional(),
});

export type ObjectiveChoice = z.input<typeof objectiveChoiceSchema>;

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
