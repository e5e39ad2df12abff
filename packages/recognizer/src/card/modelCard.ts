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
// Every key may be left out; the defaults are (pixel - 127.5) / 127.5, RGB. No other keys. Reading the file: readModelCard.ts. Checked
// by hand, not by a schema library, because a web page without a bundler would load a hundred files of one.
import { TopofrError } from "@topofr/formats/error";

/** One number for all channels, or one for each in the order of `color`. */
export type PerChannel = number | readonly number[];

/** What a card says, as given; every part of it may be missing. */
export interface CardFields {
  name?: string | null | undefined;
  input?: InputFields | undefined;
  output?: string | null | undefined;
}

export interface InputFields {
  size?: number | null | undefined;
  layout?: "nchw" | "nhwc" | null | undefined;
  color?: "rgb" | "bgr" | undefined;
  scale?: number | string | undefined;
  mean?: PerChannel | undefined;
  std?: PerChannel | undefined;
}

export interface ModelCard {
  name: string | null;
  input: {
    size: number | null;
    layout: "nchw" | "nhwc" | null;
    color: "rgb" | "bgr";
    scale: number;
    mean: [number, number, number];
    std: [number, number, number];
  };
  output: string | null;
}

/** A wrong value, and where: ["input", "mean"]. */
export interface CardProblem {
  key: string[];
  message: string;
}

/** As our networks take them; a test compares with data/normalize.ts of topofr. */
const PIXEL_MEAN = 127.5;
const PIXEL_STD = 127.5;
const LARGEST_SIZE = 4096;
const CHANNELS = 3;

const isNumber = (value: unknown): value is number => Number.isFinite(value);
const isPositive = (value: unknown): value is number => isNumber(value) && value > 0;
const isFraction = (value: unknown): value is string =>
  typeof value === "string" && /^1\/[1-9]\d*$/.test(value);
const isSize = (value: unknown) => Number.isInteger(value) && isPositive(value) && value <= LARGEST_SIZE;
const isText = (value: unknown) => typeof value === "string" && value !== "";
const isOneOf = (choices: readonly unknown[]) => (value: unknown) => choices.includes(value);
const orNull = (isRight: Check) => (value: unknown) => value === null || isRight(value);
const perChannel = (isRight: Check) => (value: unknown) =>
  isRight(value) || (Array.isArray(value) && value.length === CHANNELS && value.every(isRight));

type Check = (value: unknown) => boolean;
type Rules = Record<string, readonly [isRight: Check, expected: string]>;

const EACH = "or a list of three, one for each channel";
const CARD_RULES: Rules = {
  name: [orNull(isText), "a text"],
  input: [(value) => isMapping(value), "keys such as size and mean"],
  output: [orNull(isText), "a text"],
};
const INPUT_RULES: Rules = {
  size: [orNull(isSize), `a whole number of pixels, 1 to ${LARGEST_SIZE}`],
  layout: [orNull(isOneOf(["nchw", "nhwc"])), '"nchw" or "nhwc"'],
  color: [isOneOf(["rgb", "bgr"]), '"rgb" or "bgr"'],
  scale: [(value) => isPositive(value) || isFraction(value), 'a number above 0, or like "1/255"'],
  mean: [perChannel(isNumber), `a number, ${EACH}`],
  std: [perChannel(isPositive), `a number above 0, ${EACH}`],
};

/** All that is wrong with `given`; empty: it is a card's `CardFields`. */
export function cardProblems(given: unknown): CardProblem[] {
  if (!isMapping(given)) return [{ key: [], message: `expected keys such as ${knownKeys(CARD_RULES)}` }];
  const own = problemsOf(given, CARD_RULES, []);
  const { input } = given;
  return isMapping(input) ? [...own, ...problemsOf(input, INPUT_RULES, ["input"])] : own;
}

function problemsOf(given: Record<string, unknown>, rules: Rules, path: string[]): CardProblem[] {
  return Object.entries(given).flatMap(([name, value]) => {
    const key = [...path, name];
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
    if (rule === undefined)
      return [{ key, message: `unknown key "${key.join(".")}"; known here: ${knownKeys(rules)}` }];
    const [isRight, expected] = rule;
    return value === undefined || isRight(value)
      ? []
      : [{ key, message: `${key.join(".")}: expected ${expected}` }];
  });
}

const knownKeys = (rules: Rules) => Object.keys(rules).join(", ");

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * The whole card: defaults under `fields`, and `overrides` (a command line's) over them.
 *
 * @throws E_USAGE naming the key
 */
export function completeCard(fields: CardFields, overrides: CardFields = {}): ModelCard {
  const problems = [fields, overrides].flatMap((given) => cardProblems(given));
  if (problems.length > 0)
    throw new TopofrError("E_USAGE", `model card: ${problems.map(({ message }) => message).join("; ")}`);
  const { name = null, output = null } = { ...fields, ...overrides };
  const input = { ...fields.input, ...overrides.input };
  const { size = null, layout = null, color = "rgb", scale = 1, mean = PIXEL_MEAN, std = PIXEL_STD } = input;
  const each = (value: PerChannel) =>
    (typeof value === "number" ? [value, value, value] : [...value]) as [number, number, number];
  const factor = typeof scale === "number" ? scale : 1 / Number(scale.slice("1/".length));
  return {
    name,
    input: { size, layout, color, scale: factor, mean: each(mean), std: each(std) },
    output,
  };
}
