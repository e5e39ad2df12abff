// The flags of `topofr train` that stand for recipe keys.

import { type Command, Option } from "commander";
import { parse } from "yaml";
import { parseSetArgument, type RecipeOverride } from "../train/recipeFile.js";
import { recipeKeys } from "../train/recipeKeys.js";
import { collect } from "./command.js";

interface RecipeFlag {
  flags: string;
  /** The recipe key. */
  path: string;
  /** True where the value is taken as it is; otherwise it is read as YAML, so that 0.1 is a number. */
  text?: boolean;
}

export const RECIPE_FLAGS: readonly RecipeFlag[] = [
  { flags: "--data <folder>", path: "data.path", text: true },
  { flags: "--only <file>", path: "data.only", text: true },
  { flags: "--without <file>", path: "data.without", text: true },
  { flags: "--network <name>", path: "model.network", text: true },
  { flags: "--preset <name>", path: "objective.preset", text: true },
  { flags: "--variant <name>", path: "objective.variant", text: true },
  { flags: "--epochs <n>", path: "epochs" },
  { flags: "--batch-size <n>", path: "batchSize" },
  { flags: "--precision <name>", path: "precision", text: true },
  { flags: "--lr <rate>", path: "optim.lr" },
  { flags: "--seed <n>", path: "seed" },
  { flags: "--max-steps <n>", path: "maxSteps" },
  { flags: "--max-minutes <n>", path: "maxMinutes" },
  { flags: "--threads <n>", path: "threads" },
  { flags: "--workers <n>", path: "workers" },
  { flags: "--eval-data <folder>", path: "evaluate.data", text: true },
  { flags: "--pairs <file>", path: "evaluate.pairs", text: true },
  { flags: "--name <name>", path: "name", text: true },
];

/** Adds the flags, documented from the recipe's own keys, and `--set`. */
export function addRecipeFlags(command: Command): Command {
  const keys = new Map(recipeKeys().map((key) => [key.path, key]));
  for (const { flags, path } of RECIPE_FLAGS) {
    const { expected, description } = keys.get(path)!;
    const words = expected.startsWith("one of") ? ` (${expected.slice("one of ".length)})` : "";
    command.option(flags, `${path}: ${description}${words}`);
  }
  return command.option(
    "--set <key=value>",
    "any recipe key, for example --set optim.weightDecay=1e-4; may be repeated; --list-keys names them",
    collect,
    [],
  );
}

/** The overrides that parsed options stand for: `--set` first, then the flags. */
export function recipeOverrides(options: Record<string, unknown>): RecipeOverride[] {
  const sets = (options.set as string[]).map(parseSetArgument);
  const flags = RECIPE_FLAGS.flatMap(({ flags, path, text }): RecipeOverride[] => {
    const option = new Option(flags);
    const value = options[option.attributeName()] as string | undefined;
    if (value === undefined) return [];
    return [{ path, value: text ? value : scalar(value), source: option.long! }];
  });
  return [...sets, ...flags];
}

function scalar(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return text; // the schema refuses it with the flag's name
  }
}
