// The numbers and words of every margin: a schema for each kind, their defaults, and what a recipe may write. What a
// margin computes is in its own file beside this one.

import { z } from "zod";

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

const margin = angle.describe(
  "m of arcface, curricularface, elasticface-arc (radians), cosface, adaface, elasticface-cos and uniface",
);
const m1 = z
  .number()
  .positive()
  .describe("combined: cos(m1 theta + m2) - m3 for the true class; sphereface: its factor of the angle, m");
const averaging = z.number().gt(0).max(1).describe("share of a new batch in a running mean");
const norm = z.number().positive();
const elastic = {
  scale,
  margin,
  deviation: z.number().min(0).describe("elasticface: standard deviation of the drawn margins"),
  plus: z.boolean().describe("elasticface: true gives the larger margins to the harder samples"),
  interClassFilter,
};

const fields = {
  arcface: { scale, margin, interClassFilter },
  cosface: { scale, margin, interClassFilter },
  combined: {
    scale,
    m1,
    m2: angle.describe("combined: added to the angle, radians"),
    m3: z.number().min(0).describe("combined: taken from the cosine"),
    interClassFilter,
  },
  sphereface: { scale, m1, interClassFilter },
  curricularface: { scale, margin, averaging, interClassFilter },
  magface: {
    scale,
    smallestNorm: norm.describe("magface: l_a, embeddings shorter than this count as this long"),
    largestNorm: norm.describe("magface: u_a, embeddings longer than this count as this long"),
    smallestMargin: angle.describe("magface: m(l_a), radians"),
    largestMargin: angle.describe("magface: m(u_a), radians"),
    normWeight: z.number().min(0).describe("magface: lambda_g, weight of the regulariser of the norm"),
    interClassFilter,
  },
  adaface: {
    scale,
    margin,
    concentration: z.number().positive().describe("adaface: h, how far norms spread the margins"),
    averaging,
    interClassFilter,
  },
  "elasticface-arc": elastic,
  "elasticface-cos": elastic,
  uniface: {
    scale,
    margin,
    negativeWeight: z.number().positive().describe("uniface: l, weight of the other classes' terms"),
    interClassFilter,
  },
};

const of = <Kind extends keyof typeof fields>(kind: Kind) =>
  z.strictObject({ kind: z.literal(kind), ...fields[kind] });

export const marginSchema = z.discriminatedUnion("kind", [
  of("arcface"),
  of("cosface"),
  of("combined"),
  of("sphereface"),
  of("curricularface"),
  of("magface"),
  of("adaface"),
  of("elasticface-arc"),
  of("elasticface-cos"),
  of("uniface"),
]);

export type MarginOptions = z.infer<typeof marginSchema>;
export type MarginKind = MarginOptions["kind"];
/** The options of one margin. */
export type MarginOf<Kind extends MarginKind> = Extract<MarginOptions, { kind: Kind }>;

/** The margin options of each kind when nothing else is said: its paper's values, at ArcFace's scale of 64. */
export const MARGIN_DEFAULTS = {
  arcface: { kind: "arcface", scale: 64, margin: 0.5, interClassFilter: null },
  cosface: { kind: "cosface", scale: 64, margin: 0.4, interClassFilter: null },
  combined: { kind: "combined", scale: 64, m1: 1, m2: 0.5, m3: 0, interClassFilter: null },
  // SphereFace's m = 4 trains only blended with the plain softmax (weight 5), which is near 1.35 alone (ArcFace's paper).
  sphereface: { kind: "sphereface", scale: 64, m1: 1.35, interClassFilter: null },
  curricularface: { kind: "curricularface", scale: 64, margin: 0.5, averaging: 0.01, interClassFilter: null },
  magface: {
    kind: "magface",
    scale: 64,
    smallestNorm: 10,
    largestNorm: 110,
    smallestMargin: 0.45,
    largestMargin: 0.8,
    normWeight: 35,
    interClassFilter: null,
  },
  adaface: {
    kind: "adaface",
    scale: 64,
    margin: 0.4,
    concentration: 0.333,
    averaging: 0.01,
    interClassFilter: null,
  },
  "elasticface-arc": {
    kind: "elasticface-arc",
    scale: 64,
    margin: 0.5,
    deviation: 0.0125,
    plus: false,
    interClassFilter: null,
  },
  "elasticface-cos": {
    kind: "elasticface-cos",
    scale: 64,
    margin: 0.35,
    deviation: 0.0125,
    plus: false,
    interClassFilter: null,
  },
  uniface: { kind: "uniface", scale: 64, margin: 0.4, negativeWeight: 1, interClassFilter: null },
} as const satisfies { [Kind in MarginKind]: MarginOf<Kind> };

/** What a recipe may write: any of the numbers; those of another kind than the chosen one are refused afterwards. */
export const marginChoiceSchema = z
  .strictObject({
    kind: z
      .enum(Object.keys(fields) as [MarginKind, ...MarginKind[]])
      .describe("which margin; its numbers then start from its own defaults"),
    ...fields.combined,
    ...fields.magface,
    ...fields.adaface,
    ...fields["elasticface-arc"],
    ...fields.uniface,
  })
  .partial();
