// The numbers and words of the hard-sample mining methods that the paper compares with (table 7), their defaults, and what
// a recipe may write. What a method computes: mining.ts.

import { z } from "zod";

const gamma = z.number().positive().describe("focal: exponent of 1 - p; ehsm: factor of the information");

const fields = {
  "mv-softmax": {
    adaptive: z.boolean().describe("mv-softmax: true lets the emphasis grow with the other class's cosine"),
    t: z.number().min(1).describe("mv-softmax: how much misleading classes are emphasised; 1: not at all"),
  },
  atk: {
    share: z.number().gt(0).max(1).describe("atk: k is this share of the batch, at least 1"),
  },
  focal: {
    gamma,
    alpha: z.number().positive().nullable().describe("focal: constant factor of the loss; null: none"),
  },
  ehsm: { gamma },
};

const of = <Kind extends keyof typeof fields>(kind: Kind) =>
  z.strictObject({ kind: z.literal(kind), ...fields[kind] });

export const miningSchema = z.discriminatedUnion("kind", [
  of("mv-softmax"),
  of("atk"),
  of("focal"),
  of("ehsm"),
]);

export type MiningOptions = z.infer<typeof miningSchema>;
export type MiningKind = MiningOptions["kind"];
/** The options of one method. */
export type MiningOf<Kind extends MiningKind> = Extract<MiningOptions, { kind: Kind }>;

/** The papers' values. ATk's share is ours: its paper tunes k, and TopoFR's gives none. */
export const MINING_DEFAULTS = {
  "mv-softmax": { kind: "mv-softmax", adaptive: true, t: 1.12 },
  atk: { kind: "atk", share: 0.5 },
  focal: { kind: "focal", gamma: 2, alpha: null },
  ehsm: { kind: "ehsm", gamma: 1 },
} as const satisfies { [Kind in MiningKind]: MiningOf<Kind> };

/** What a recipe may write: any of the numbers; those of another kind than the chosen one are refused afterwards. */
export const miningChoiceSchema = z
  .strictObject({
    kind: z.enum(Object.keys(fields) as [MiningKind, ...MiningKind[]]).describe("which mining method"),
    ...fields["mv-softmax"],
    ...fields.atk,
    ...fields.focal,
  })
  .partial();
