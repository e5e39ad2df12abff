// The model card: what a file of weights does not say and its user must know. `model.card.yaml` beside `model.onnx`:
//
//   name: MobileFaceNet, MS1M       what tables call the model (default: the file's name)
//   input:
//     size: 112                     height and width, where the file leaves them open
//     layout: nchw                  or nhwc, where the file leaves it open
//     color: rgb                    or bgr: the order of the channels
//     scale: 1/255                  the network gets (pixel x scale - mean) / std, pixels 0..255,
//     mean: [0.485, 0.456, 0.406]   mean and std one number or one for each channel, in the order of `color`
//     std: [0.229, 0.224, 0.225]
//   output: embedding               name of the output, where the file has several
//
// Every key may be left out; the defaults are (pixel - 127.5) / 127.5, RGB. No other keys.
import { readFile } from "node:fs/promises";
import { fileError, TopofrError } from "@topofr/formats";
import { LineCounter, parseDocument } from "yaml";
import { z } from "zod";

/** As our networks take them; a test compares with data/normalize.ts. */
const PIXEL_MEAN = 127.5;
const PIXEL_STD = 127.5;

const isNumber = (value: unknown): value is number => Number.isFinite(value);
const isPositive = (value: unknown): value is number => isNumber(value) && value > 0;

const perChannel = (isRight: (value: unknown) => value is number, kind: string) =>
  z
    .custom<number | number[]>(
      (given) => isRight(given) || (Array.isArray(given) && given.length === 3 && given.every(isRight)),
      `expected ${kind}, or a list of three, one for each channel`,
    )
    .transform((given): [number, number, number] =>
      typeof given === "number" ? [given, given, given] : [given[0]!, given[1]!, given[2]!],
    );
const scale = z
  .custom<number | string>(
    (given) => isPositive(given) || (typeof given === "string" && /^1\/[1-9]\d*$/.test(given)),
    'expected a number above 0, or like "1/255"',
  )
  .transform((given) => (typeof given === "number" ? given : 1 / Number(given.slice(2))));

const inputSchema = z.strictObject({
  size: z.int().min(1).max(4096).nullable().default(null),
  layout: z.enum(["nchw", "nhwc"]).nullable().default(null),
  color: z.enum(["rgb", "bgr"]).default("rgb"),
  scale: scale.prefault(1),
  mean: perChannel(isNumber, "a number").prefault(PIXEL_MEAN),
  std: perChannel(isPositive, "a number above 0").prefault(PIXEL_STD),
});

const cardSchema = z.strictObject({
  name: z.string().min(1).nullable().default(null),
  input: inputSchema.prefault({}),
  output: z.string().min(1).nullable().default(null),
});

export type ModelCard = z.output<typeof cardSchema>;

/** What a card says, as given; every part of it may be missing. */
export type CardFields = z.input<typeof cardSchema>;

/** `backbone.card.yaml` for `backbone.onnx`. */
export function cardPath(model: string): string {
  return `${model.replace(/\.[^./\\]+$/, "")}.card.yaml`;
}

/** @throws E_FILE; E_FORMAT naming line and key */
export async function readModelCard(path: string): Promise<CardFields> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    throw fileError(path, "read the model card", error);
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const [problem] = document.errors;
  if (problem) {
    const line = problem.linePos?.[0].line ?? 1;
    throw new TopofrError("E_FORMAT", `${path}:${line}: not YAML: ${problem.message.split("\n")[0]}`);
  }
  let fields: CardFields;
  try {
    fields = (document.toJS() ?? {}) as CardFields;
  } catch (cause) {
    throw new TopofrError("E_FORMAT", `${path}: ${(cause as Error).message}`, { cause }); // an alias without anchor
  }
  const error = cardSchema.safeParse(fields).error;
  if (!error) return fields;
  const lineOf = (key: readonly PropertyKey[]): string => {
    const node = document.getIn(key, true) as { range?: [number, number, number] } | undefined;
    return node?.range ? `:${lines.linePos(node.range[0]).line}` : "";
  };
  const problems = problemsOf(error).map(({ key, message }) => `${path}${lineOf(key)}: ${message}`);
  throw new TopofrError("E_FORMAT", problems.join("\n"));
}

/**
 * The whole card: defaults under `fields`, and `overrides` (the command line's) over them.
 *
 * @throws E_USAGE naming the key
 */
export function completeCard(fields: CardFields, overrides: CardFields = {}): ModelCard {
  const given = { ...fields, ...overrides, input: { ...fields.input, ...overrides.input } };
  const result = cardSchema.safeParse(given);
  if (result.success) return result.data;
  const problems = problemsOf(result.error).map(({ message }) => message);
  throw new TopofrError("E_USAGE", `model card: ${problems.join("; ")}`);
}

function problemsOf(error: z.ZodError): { key: PropertyKey[]; message: string }[] {
  return error.issues.flatMap((issue) => {
    if (issue.code !== "unrecognized_keys") {
      const place = issue.path.join(".");
      return { key: issue.path, message: place === "" ? issue.message : `${place}: ${issue.message}` };
    }
    const known = Object.keys((issue.path[0] === "input" ? inputSchema : cardSchema).shape).join(", ");
    return issue.keys.map((name) => ({
      key: [...issue.path, name],
      message: `unknown key "${[...issue.path, name].join(".")}"; known here: ${known}`,
    }));
  });
}
