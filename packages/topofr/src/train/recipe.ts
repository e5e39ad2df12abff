// The recipe: everything that decides a training run, as one strict schema with defaults. Shape, meaning and
// checks across keys; reading YAML, overrides and line numbers are in recipeFile.ts.

import { z } from "zod";
import { composeObjective, type ObjectiveProblem } from "../method/objectiveComposition.js";
import {
  type ObjectiveChoice,
  type ObjectiveOptions,
  objectiveChoiceSchema,
  type PresetName,
  type VariantName,
} from "../method/objectiveOptions.js";
import { INPUT_STEP, SMALLEST_INPUT_SIZE, STANDARD_INPUT_SIZE } from "../models/inputSize.js";
import { NETWORKS, networkName } from "../models/names.js";
import { bfloat16Instructions } from "./processor.js";

const MOST_INPUT = 448; // pixels
const count = z.int().min(1);
const path = z.string().min(1);

const fasterPrecision = () => (bfloat16Instructions() ? "bf16" : "fp32");

function refuse(context: z.core.$RefinementCtx, path: string[], message: string): void {
  context.issues.push({ code: "custom", input: context.value, path, message });
}

const dataSchema = z.strictObject({
  path: path.describe(
    "training images: folder of identity/image.jpg, RecordIO, tar shards, or a list of such sets (.yaml)",
  ),
  only: path.nullable().default(null).describe("file with the people to train on, a name a line; null: all"),
  without: path.nullable().default(null).describe("file with people to leave out, a name a line"),
  share: z
    .number()
    .positive()
    .max(1)
    .nullable()
    .default(null)
    .transform((share) => (share === 1 ? null : share)) // the same data, so that runs of it compare equal
    .describe("share of each person's images, always the same ones; null or 1: all"),
  minImagesPerIdentity: count.default(1).describe("identities with fewer images are left out"),
  onBadImage: z
    .enum(["skip", "fail"])
    .default("skip")
    .describe("skip: an unreadable image is counted, named in the log and left out; fail: it stops the run"),
  resize: z
    .enum(["error", "fit"])
    .default("error")
    .describe(
      "an image that is neither 112x112 nor of model.inputSize stops the run, or is scaled and cropped around its centre",
    ),
});

const modelSchema = z
  .strictObject({
    network: z.preprocess(networkName, z.enum(NETWORKS)).default("iresnet50").describe("the backbone"),
    embeddingSize: count.default(512).describe("dimensions of the embedding"),
    inputSize: z
      .int()
      .multipleOf(INPUT_STEP)
      .min(SMALLEST_INPUT_SIZE)
      .max(MOST_INPUT)
      .default(STANDARD_INPUT_SIZE)
      .describe("height and width of the images in pixels; aligned faces (112x112) are made smaller for it"),
    dropout: z.number().min(0).lt(1).default(0).describe("before the last layer (IResNet only)"),
    checkpointing: z
      .boolean()
      .default(false)
      .describe(
        "true: the backward computes each block's activations again, which takes less memory and more time",
      ),
  })
  .superRefine(({ network, dropout }, context) => {
    if (dropout > 0 && network.startsWith("mobilefacenet"))
      refuse(context, ["dropout"], `${network} has no dropout layer; remove it or set 0`);
  });

const classifierSchema = z.strictObject({
  sampleRate: z
    .number()
    .positive()
    .max(1)
    .default(1)
    .describe("share of all identities that a batch is compared with, its own always among them; 1: all"),
  precision: z
    .enum(["fp32", "bf16"])
    .default("fp32")
    .describe("of the products with the class centres; bf16 takes less time with many identities"),
});

const optimSchema = z.strictObject({
  name: z.enum(["sgd", "adamw"]).default("sgd").describe("the optimiser"),
  lr: z.number().positive().default(0.1).describe("initial learning rate, appendix A.1"),
  momentum: z.number().min(0).lt(1).default(0.9).describe("of sgd; adamw has its own betas"),
  weightDecay: z.number().min(0).default(5e-4).describe("MS1MV2 5e-4, Glint360K 1e-4"),
  clipNorm: z.number().positive().nullable().default(5).describe("largest gradient norm; null: no clipping"),
});

const scheduleSchema = z.strictObject({
  kind: z
    .enum(["polynomial"])
    .default("polynomial")
    .describe("lr (1 - step/steps)^power, per step, over `epochs`; an early stop does not shorten it"),
  power: z.number().min(0).default(2).describe("2: the published code; 1: arcface_torch; 0: constant"),
  warmupEpochs: z.number().min(0).default(0).describe("linear from 0"),
});

const evaluateSchema = z
  .strictObject({
    data: path
      .nullable()
      .default(null)
      .describe("folder of evaluation images with pairs.txt, or a .bin file; null: no evaluation"),
    pairs: path.nullable().default(null).describe("pairs file; null: pairs.txt in that folder"),
    everySteps: count.nullable().default(null).describe("null: at the end of every epoch"),
    atStart: z.boolean().default(false).describe("true: also before the first step"),
  })
  .superRefine(({ data, ...rest }, context) => {
    if (data !== null) return;
    for (const key of ["pairs", "everySteps", "atStart"] as const)
      if (rest[key]) refuse(context, [key], "needs evaluate.data, the folder of the evaluation images");
  });

const checkpointSchema = z.strictObject({
  everySteps: count.nullable().default(null).describe("null: at the end of every epoch"),
  keep: z.int().min(0).default(1).describe("how many step_N are kept beside last and best"),
});

/** The objective in a resolved recipe: its names, and every switch written out. */
export type RecipeObjective = { preset: PresetName; variant: VariantName | null } & ObjectiveOptions;

const objectiveSchema = objectiveChoiceSchema.transform((choice, context): RecipeObjective => {
  const { options, problems } = composeObjective(choice);
  for (const problem of problems) context.issues.push({ code: "custom", input: choice, ...problem });
  return { preset: choice.preset, variant: choice.variant, ...options };
});

const fields = z.strictObject({
  name: z.string().min(1).nullable().default(null).describe("of the run folder; null: from date and time"),
  data: dataSchema,
  model: modelSchema.prefault({}),
  classifier: classifierSchema.prefault({}),
  objective: objectiveSchema.prefault({}),
  optim: optimSchema.prefault({}),
  schedule: scheduleSchema.prefault({}),
  batchSize: z
    .int()
    .min(2)
    .default(128)
    .describe("images that the network, the topology and the mixture see at once"),
  accumulate: count
    .default(1)
    .describe("batches per optimiser step: 4 with batchSize 128 stands for four GPUs of 128"),
  epochs: count.default(20).describe("passes over the training images"),
  maxSteps: count.nullable().default(null).describe("stop after this many steps; null: no limit"),
  maxMinutes: z.number().positive().nullable().default(null).describe("stop after this time; null: no limit"),
  precision: z
    .enum(["fp32", "bf16", "auto"])
    .default("fp32")
    .transform((precision) => (precision === "auto" ? fasterPrecision() : precision))
    .describe(
      "bf16: the network runs in bfloat16, weights and losses stay fp32; auto: bf16 where the processor has instructions for it",
    ),
  seed: z
    .int()
    .min(0)
    .max(2 ** 32 - 1)
    .default(2048)
    .describe("of every random stream"),
  threads: count.nullable().default(null).describe("of the engine; null: all cores"),
  workers: count
    .nullable()
    .default(null)
    .describe("threads that decode images; null: a quarter of the cores"),
  evaluate: evaluateSchema.prefault({}),
  checkpoint: checkpointSchema.prefault({}),
  logEverySteps: count.default(1).describe("steps between two step events in events.jsonl"),
});

export const recipeSchema = fields.superRefine(({ schedule, epochs }, context) => {
  const { warmupEpochs } = schedule;
  if (warmupEpochs >= epochs)
    refuse(
      context,
      ["schedule", "warmupEpochs"],
      `${warmupEpochs} leaves nothing of ${epochs} epochs after the warm-up`,
    );
});

export type Recipe = z.output<typeof recipeSchema>;

/** Switches of a recipe (before it is resolved) that are given but have no effect. */
export function recipeWarnings(data: unknown): ObjectiveProblem[] {
  const choice = (data as { objective?: ObjectiveChoice } | null)?.objective;
  const parsed = objectiveChoiceSchema.safeParse(choice ?? {});
  if (!parsed.success) return [];
  return composeObjective(parsed.data).warnings.map(({ path, message }) => ({
    path: ["objective", ...path],
    message,
  }));
}

/** Keys that a resumed run may change, because no number of the run depends on them. */
export const RESUMABLE_KEYS = ["maxSteps", "maxMinutes", "threads", "workers"] as const;
