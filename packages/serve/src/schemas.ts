// What requests may ask and what answers hold: checked by zod, and the source of the OpenAPI document (openapi.ts).

import { z } from "zod";

const CHOICES = ["largest", "best", "only", "center"] as const;
/** Longest name of a person. */
const LONGEST_IDENTITY = 500; // of a gallery
const LONGEST_NOTE = 1000;
const MOST_MATCHES = 100;
export const MOST_IDENTITIES = 1000;

const choiceText =
  "which of several faces: of the largest box, of the best score, nearest to the centre; only: several are an error";
const choice = z.enum(CHOICES).default("largest").describe(choiceText);
const choiceOrAll = z
  .enum([...CHOICES, "all"])
  .default("all")
  .describe(`${choiceText}; all: every face`);
const threshold = z
  .number()
  .min(-1)
  .max(1)
  .optional()
  .describe("cosine from which two faces are one person's; default: the server's");

export const detectOptions = z.strictObject({});
export const embedOptions = z.strictObject({ choice: choiceOrAll });
export const verifyOptions = z.strictObject({ choice, threshold });
export const identifyOptions = z.strictObject({
  choice: choiceOrAll,
  threshold,
  top: z.int().min(1).max(MOST_MATCHES).default(5).describe("matches of a face, at most"),
});
/** No control characters: names are shown in terminals and pages. */
const line = (longest: number) =>
  z
    .string()
    .min(1)
    .max(longest)
    .regex(/^\P{Cc}*$/u, "has control characters");
export const enrolOptions = z.strictObject({
  identity: line(LONGEST_IDENTITY).describe("whose face it is"),
  note: line(LONGEST_NOTE).optional().describe("kept with the template"),
  choice: z.enum(CHOICES).default("only").describe(choiceText),
});
export const listOptions = z.strictObject({
  offset: z.int().min(0).default(0),
  limit: z.int().min(1).max(MOST_IDENTITIES).default(MOST_IDENTITIES),
});

const box = z
  .object({ x: z.number(), y: z.number(), width: z.number(), height: z.number() })
  .describe("pixels of the upright picture");
export const face = z.object({
  box,
  landmarks: z
    .array(z.tuple([z.number(), z.number()]))
    .length(5)
    .describe("x, y of the eye on the picture's left, eye on its right, nose, mouth corner left, right"),
  score: z.number().describe("0..1"),
});
const match = z.object({
  identity: z.string(),
  id: z.string().describe("of the template"),
  similarity: z.number().describe("cosine, -1..1"),
});

const optionalThreshold = z.number().nullable().describe("cosine; null: none was given");
const modelName = z.object({ name: z.string(), sha256: z.string() });

export const detectAnswer = z.object({
  width: z.number().describe("of the upright picture"),
  height: z.number(),
  faces: z.array(face).describe("best score first"),
});
export const embedAnswer = z.object({
  model: modelName,
  of: z.number().describe("faces found in the picture"),
  faces: z.array(face.extend({ embedding: z.array(z.number()).describe("L2-normalised") })),
});
export const verifyAnswer = z.object({
  similarity: z.number().describe("cosine, -1..1"),
  threshold: optionalThreshold,
  same: z.boolean().nullable().describe("null without a threshold"),
  a: face.extend({ of: z.number() }),
  b: face.extend({ of: z.number() }),
});
export const identifyAnswer = z.object({
  threshold: optionalThreshold,
  faces: z.array(
    face.extend({ matches: z.array(match).describe("best first; those below the threshold are left out") }),
  ),
});
export const enrolAnswer = z.object({ identity: z.string(), id: z.string(), face });
export const removeAnswer = z.object({ identity: z.string(), removed: z.number().describe("templates") });
export const listAnswer = z.object({
  templates: z.number(),
  total: z.number().describe("identities"),
  identities: z.array(z.object({ identity: z.string(), templates: z.number() })),
});
export const rate = z.object({
  threshold: z.number().describe("cosine"),
  far: z.number().describe("share of pairs of two people that it accepts, measured"),
  tar: z.number().describe("share of pairs of one person that it accepts"),
  impostors: z.number().nullable().describe("pairs of two people behind it; null: not known"),
  note: z.string().nullable(),
});
export const modelAnswer = z.object({
  model: modelName,
  dimension: z.number(),
  imageSize: z.number().describe("side of an aligned face, in pixels"),
  card: z.looseObject({}).describe("preprocessing of the network"),
  detector: z.boolean().describe("without one, pictures must be aligned faces"),
  gallery: z.boolean(),
  threshold: optionalThreshold,
  rates: z.array(rate).describe("what thresholds mean, by an evaluation; empty without one"),
  maxUploadBytes: z.number(),
  browser: z
    .object({
      model: z.string().describe("path of the file here"),
      detector: z.string().nullable(),
      flip: z.boolean(),
      minScore: z.number().nullable().describe("null: the recogniser's default"),
    })
    .nullable()
    .describe("what to open in a browser, to compute there; null: not shared"),
});
export const errorAnswer = z.object({
  error: z.object({ code: z.string().describe("E_…"), message: z.string() }),
});

export type FaceAnswer = z.output<typeof face>;
export type EmbedAnswer = z.output<typeof embedAnswer>;
export type ModelAnswer = z.output<typeof modelAnswer>;
