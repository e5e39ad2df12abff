// What happens in a run, as data: the types of the lines of events.jsonl. Writing and repairing the file:
// eventLog.ts.

import { z } from "zod";

/** JSON has no NaN and no infinity; a diverging run has both, and its log must say so. */
const metric = z.union([z.number(), z.enum(["NaN", "Infinity", "-Infinity"]).transform(Number)]);

/** Optimiser steps done when the event happened; 0 before the first. */
const step = z.int().min(0);
/** The epoch it happened in, counted from 0. */
const epoch = z.int().min(0);

const start = z.object({
  type: z.literal("start"),
  step,
  /** Steps of the whole run, `maxSteps` considered. */
  totalSteps: z.int(),
  stepsPerEpoch: z.int(),
  epochs: z.int(),
  /** Training images and identities after those left out. */
  images: z.int(),
  identities: z.int(),
  network: z.string(),
  /** Trainable numbers of the backbone, without the classifier. */
  parameters: z.int(),
});

const stepDone = z.object({
  type: z.literal("step"),
  step,
  epoch,
  /** The total, L_cls + alpha L_sa (eq. 10). */
  loss: metric,
  classificationLoss: metric,
  /** L_sa, not weighted; null when the objective has no alignment. */
  alignmentLoss: metric.nullable(),
  /** Share of the batch that the classifier gets right, margin excluded. */
  accuracy: metric.optional(),
  /** Batch mean of the structure damage score; null when the objective has none. */
  omegaMean: metric.nullable(),
  /** Euclidean norm over all parameters before clipping. */
  gradientNorm: metric,
  learningRate: metric,
  /** Batch mean of the embeddings' length before normalisation. */
  embeddingNorm: metric,
  imagesPerSecond: metric,
  secondsPerStep: metric,
});

const evaluation = z.object({
  type: z.literal("evaluation"),
  step,
  epoch,
  /** Name of the evaluation set. */
  name: z.string(),
  /** 0..1; accuracy, accuracyStd, auc, eer, and TAR as "tarAtFar 1e-3". */
  metrics: z.record(z.string(), metric),
  seconds: metric,
  /** Whether the accuracy is the best of the run so far. */
  best: z.boolean(),
});

const checkpoint = z.object({
  type: z.literal("checkpoint"),
  step,
  epoch,
  /** Relative to the run folder, without ending: "checkpoints/last". */
  path: z.string(),
  seconds: metric,
});

const warning = z.object({ type: z.literal("warning"), step, message: z.string() });

const badImage = z.object({
  type: z.literal("badImage"),
  step,
  path: z.string(),
  reason: z.string(),
});

const end = z.object({
  type: z.literal("end"),
  step,
  epoch,
  reason: z.enum(["finished", "maxSteps", "maxMinutes", "interrupted", "diverged", "failed"]),
  /** Time of this session, not of the sessions before a resume. */
  seconds: metric,
  message: z.string().optional(),
});

export const runEventSchema = z.discriminatedUnion("type", [
  start,
  stepDone,
  evaluation,
  checkpoint,
  warning,
  badImage,
  end,
]);

export type RunEvent = z.output<typeof runEventSchema>;
export type EventOfType<Type extends RunEvent["type"]> = Extract<RunEvent, { type: Type }>;
export type EndReason = EventOfType<"end">["reason"];

/** An event as it stands in the log. */
export type LoggedEvent = RunEvent & {
  /** Seconds since 1970 when it was logged. */
  time: number;
};

export const loggedEventSchema = z.intersection(runEventSchema, z.object({ time: z.number() }));
