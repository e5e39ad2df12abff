// The switches of the training objective as a schema: only numbers and words. What a switch does: perturbation.ts,
// alignment.ts, damage.ts, mixture.ts, constraints.ts, margins/, mining/ (the last two have their switches with them).
// Values: objectivePresets.ts. How a preset, a variant and overrides become one checked set: objectiveComposition.ts.
// "D1" to "D13" are the differences between the paper's equations and its published code, as docs/objective.md numbers them.

import { z } from "zod";
import { marginChoiceSchema, marginSchema } from "./margins/marginOptions.js";
import { miningChoiceSchema, miningSchema } from "./mining/miningOptions.js";

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
  "topofr-b",
  "topofr-w",
  "sphereface",
  "curricularface",
  "magface",
  "adaface",
  "elasticface",
  "elasticface-plus",
  "elasticface-cos",
  "elasticface-cos-plus",
  "uniface",
  "mv-softmax",
  "mv-softmax-fixed",
  "mv-am",
  "mv-am-fixed",
  "atk",
  "focal",
  "ehsm",
  "arcface-no-intra",
  "arcface-no-inter",
  "topofr-p-no-intra",
  "topofr-p-no-inter",
] as const;
export type VariantName = (typeof VARIANT_NAMES)[number];

export const PERTURBATIONS = ["erasing", "blur", "grayscale", "jitter"] as const;

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
    .enum(["symmetric", "sorted", "bottleneck", "wasserstein"])
    .describe(
      "symmetric: edges of each space read in both (eq. 2); sorted: sorted lengths compared (D1); bottleneck, wasserstein: the distance of the two diagrams (TopoFR-B, TopoFR-W)",
    ),
  half: z.boolean().describe("the factor 1/2 of eq. 2 (D2); not of the diagram distances"),
  reduce: z
    .enum(["sum", "batch-mean"])
    .describe("sum over edges, or that divided by the batch size (D2); not of bottleneck, a maximum"),
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

const constraintsSchema = z
  .enum(["both", "intra-class", "inter-class"])
  .describe(
    "which pulls of the classification loss act: towards the sample's own centre (intra-class), away from the others' (inter-class)",
  );

/** Every switch of the objective, with no default left open. `null` turns a part off. */
export const objectiveSchema = z.strictObject({
  margin: marginSchema,
  perturbation: perturbationSchema.nullable(),
  alignment: alignmentSchema.nullable(),
  damage: damageSchema.nullable(),
  mixture: mixtureSchema,
  mining: miningSchema.nullable(),
  constraints: constraintsSchema,
});

export type ObjectiveOptions = z.infer<typeof objectiveSchema>;
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
    .describe("a method by its name: which parts are on; null: all of the preset's"),
  margin: marginChoiceSchema.optional(),
  perturbation: perturbationSchema.partial().nullable().optional(),
  alignment: alignmentSchema.partial().nullable().optional(),
  damage: damageSchema.partial().nullable().optional(),
  mixture: mixtureSchema.partial().optional(),
  mining: miningChoiceSchema.nullable().optional(),
  constraints: constraintsSchema.optional(),
});

export type ObjectiveChoice = z.input<typeof objectiveChoiceSchema>;
