import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TopofrError } from "@topofr/formats";
import { describe, expect, test } from "vitest";
import { PRESETS } from "../method/objectivePresets.js";
import { bfloat16Instructions } from "./processor.js";
import { loadRecipe, parseRecipe, parseSetArgument, type RecipeOverride } from "./recipeFile.js";

const MINIMAL = "data: { path: faces }\n";

function errorOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(TopofrError);
    return `${(error as TopofrError).code} ${(error as TopofrError).message}`;
  }
  throw new Error("expected an error");
}
const errors = (yaml: string, overrides: RecipeOverride[] = []) =>
  errorOf(() => parseRecipe(yaml, "recipes/my.yaml", overrides));

test("precision auto is settled when the recipe is read", () => {
  const { recipe } = parseRecipe(`${MINIMAL}precision: auto\n`, "recipes/my.yaml");
  expect(recipe.precision).toBe(bfloat16Instructions() ? "bf16" : "fp32");
});

describe("errors", () => {
  test("an unknown key is named with its line and the key that was meant", () => {
    expect(errors(`${MINIMAL}optim:\n  learning_rate: 0.1\n`)).toBe(
      'E_RECIPE recipes/my.yaml:3 unknown key "optim.learning_rate"; did you mean "optim.lr"?',
    );
  });

  test("all problems are reported at once, in the order of the file, arguments last", () => {
    const yaml = `# a recipe
data:
  pth: faces
  resize: yes please
model: { network: resnet50, embedding_size: 128, dropout: 1 }
objective:
  preset: sperical
  alignment:
    weigth: 0.1
  perturbation: { operations: [blur, noise], probability: 0 }
  damage: 3
optim:
  momentum: 1
  lr: fast
batch: 1
batchSize: 1
bf17: true
epochs: 1.5
evaluate:
  pairs: pairs.txt
seed: -1
schedule: 5
`;
    const overrides = [
      parseSetArgument("optim.lrate=3"),
      { path: "maxSteps", value: 0, source: "--max-steps" },
    ];
    expect(errors(yaml, overrides)).toMatchInlineSnapshot(`
      "E_RECIPE 22 problems in recipes/my.yaml
        recipes/my.yaml:2 data.path is missing: training images: folder of identity/image.jpg, RecordIO, tar shards, or a list of such sets (.yaml)
        recipes/my.yaml:3 unknown key "data.pth"; did you mean "data.path"?
        recipes/my.yaml:4 data.resize: expected one of error, fit, found "yes please"
        recipes/my.yaml:5 model.network: expected one of mobilefacenet, mobilefacenet-large, iresnet18, iresnet34, iresnet50, iresnet100, iresnet200, found "resnet50"; did you mean "iresnet50"?
        recipes/my.yaml:5 model.dropout: expected a number of at least 0 and below 1, found 1
        recipes/my.yaml:5 unknown key "model.embedding_size"; did you mean "model.embeddingSize"?
        recipes/my.yaml:7 objective.preset: expected one of paper, official, spherical, found "sperical"; did you mean "spherical"?
        recipes/my.yaml:9 unknown key "objective.alignment.weigth"; did you mean "objective.alignment.weight"?
        recipes/my.yaml:10 objective.perturbation.probability: expected a number above 0 and at most 1, found 0
        recipes/my.yaml:10 objective.perturbation.operations[1]: expected one of erasing, blur, grayscale, jitter, found "noise"
        recipes/my.yaml:11 objective.damage: expected a section with keys or null, found 3
        recipes/my.yaml:13 optim.momentum: expected a number of at least 0 and below 1, found 1
        recipes/my.yaml:14 optim.lr: expected a number above 0, found "fast"
        recipes/my.yaml:15 unknown key "batch"; did you mean "batchSize"?
        recipes/my.yaml:16 batchSize: expected a whole number of at least 2, found 1
        recipes/my.yaml:17 unknown key "bf17"; keys: name, data, model, classifier, objective, optim, schedule, batchSize, accumulate, epochs, maxSteps, maxMinutes, precision, seed, threads, workers, evaluate, checkpoint, logEverySteps
        recipes/my.yaml:18 epochs: expected a whole number of at least 1, found 1.5
        recipes/my.yaml:20 evaluate.pairs: needs evaluate.data, the folder of the evaluation images
        recipes/my.yaml:21 seed: expected a whole number of at least 0 and at most 4294967295, found -1
        recipes/my.yaml:22 schedule: expected a section with keys, found 5
        --set optim.lrate=3: unknown key "optim.lrate"; did you mean "optim.lr"?
        --max-steps: maxSteps: expected a whole number of at least 1 or null, found 0"
    `);
  });

  test("contradictions of the objective are reported beside other problems, with their lines", () => {
    const yaml = `${MINIMAL}objective:
  preset: spherical
  variant: topofr-p
  alignment:
    inputNorm: none
  perturbation: null
  margin:
    m1: 2
evaluate: { atStart: true }
`;
    expect(errors(yaml)).toMatchInlineSnapshot(`
      "E_RECIPE 4 problems in recipes/my.yaml
        recipes/my.yaml:6 objective.alignment.inputNorm: "none" contradicts latent "l2": distances of unit embeddings end at 2, those of raw 112x112 images at 388, so no embedding could align; use "unit-sphere"
        recipes/my.yaml:7 objective.perturbation: null contradicts variant "topofr-p", which has this part; choose another variant, or none
        recipes/my.yaml:9 objective.margin.m1: the arcface margin has no such number; its keys: scale, margin, interClassFilter
        recipes/my.yaml:10 evaluate.atStart: needs evaluate.data, the folder of the evaluation images"
    `);
  });

  test("checks across sections: warm-up and length, dropout and network", () => {
    expect(errors(`${MINIMAL}epochs: 2\nschedule:\n  warmupEpochs: 2\n`)).toBe(
      "E_RECIPE recipes/my.yaml:4 schedule.warmupEpochs: 2 leaves nothing of 2 epochs after the warm-up",
    );
    expect(errors(`${MINIMAL}model: { network: mbf, dropout: 0.4 }\n`)).toBe(
      "E_RECIPE recipes/my.yaml:2 model.dropout: mobilefacenet has no dropout layer; remove it or set 0",
    );
  });

  test("what is not YAML, or not a recipe at all", () => {
    expect(errors("a: 1\na: 2\n")).toBe("E_RECIPE recipes/my.yaml:2 not YAML: Map keys must be unique");
    expect(errors("- 1\n")).toBe(
      'E_RECIPE recipes/my.yaml:1 expected keys with values, for example "epochs: 20"',
    );
    expect(errors("")).toBe(
      "E_RECIPE recipes/my.yaml data.path is missing: training images: folder of identity/image.jpg, RecordIO, tar shards, or a list of such sets (.yaml)",
    );
  });

  test("a missing file says where recipes are", async () => {
    await expect(loadRecipe("/nowhere/r.yaml")).rejects.toMatchObject({
      code: "E_FILE",
      message: expect.stringMatching(/^\/nowhere\/r\.yaml: cannot read the recipe .*recipes\/.*ENOENT/),
    });
  });
});

test("defaults fill what is not said, and the resolved recipe parses to itself", () => {
  const { recipe, warnings } = parseRecipe(MINIMAL, "r.yaml");
  expect(warnings).toEqual([]);
  expect(recipe).toMatchObject({
    name: null,
    model: { network: "iresnet50", embeddingSize: 512 },
    objective: { preset: "official", variant: null, ...PRESETS.official },
    optim: { name: "sgd", lr: 0.1, momentum: 0.9, weightDecay: 5e-4, clipNorm: 5 },
    schedule: { kind: "polynomial", power: 2, warmupEpochs: 0 },
    batchSize: 128,
    seed: 2048,
  });
  expect(parseRecipe(JSON.stringify(recipe), "config.json").recipe).toEqual(recipe);
});

test("networks answer to the names of other code bases", () => {
  const network = (word: string) =>
    parseRecipe(`${MINIMAL}model: { network: ${word} }`, "r.yaml").recipe.model.network;
  expect(["r18", "R50", "r200", "mbf", "mbf_large", "iresnet100"].map(network)).toEqual([
    "iresnet18",
    "iresnet50",
    "iresnet200",
    "mobilefacenet",
    "mobilefacenet-large",
    "iresnet100",
  ]);
});

describe("overrides", () => {
  test("later layers win over earlier ones, key by key", () => {
    const overrides = [
      parseSetArgument("optim.lr=0.05"),
      parseSetArgument("objective.alignment.weight=0.2"),
      { path: "optim.lr", value: 0.02, source: "--lr" },
    ];
    const { recipe } = parseRecipe(`${MINIMAL}optim: { lr: 0.3, momentum: 0.8 }`, "r.yaml", overrides);
    expect(recipe.optim).toMatchObject({ lr: 0.02, momentum: 0.8 });
    expect(recipe.objective.alignment).toEqual({ ...PRESETS.official.alignment, weight: 0.2 });
  });

  test("values are YAML: numbers, null, lists, words, and text with =", () => {
    expect(parseSetArgument("epochs=3").value).toBe(3);
    expect(parseSetArgument("objective.alignment=null").value).toBeNull();
    expect(parseSetArgument("objective.perturbation.operations=[blur, jitter]").value).toEqual([
      "blur",
      "jitter",
    ]);
    expect(parseSetArgument("data.path=a=b").value).toBe("a=b");
  });

  test("arguments that are no pairs are refused", () => {
    expect(errorOf(() => parseSetArgument("epochs"))).toBe(
      "E_USAGE --set epochs: expected key=value, for example --set optim.lr=0.05",
    );
    expect(errorOf(() => parseSetArgument("data.path=[a"))).toContain("E_USAGE --set data.path=[a: ");
  });

  test("the recipe is kept as given, with the overrides named below it", async () => {
    const folder = await mkdtemp(join(tmpdir(), "recipe-"));
    const file = join(folder, "r.yaml");
    await writeFile(file, `# mine\n${MINIMAL}`);
    const { text } = await loadRecipe(file, [parseSetArgument("epochs=3")]);
    expect(text).toBe(`# mine\n${MINIMAL}# changed on the command line:\n#   epochs: 3\n`);
    expect((await loadRecipe(file)).text).toBe(`# mine\n${MINIMAL}`);
    await rm(folder, { recursive: true });
  });
});

test("idle switches are warnings with their place", () => {
  const yaml = `${MINIMAL}objective:\n  variant: arcface\n  alignment:\n    weight: 0.05\n`;
  expect(parseRecipe(yaml, "r.yaml", [parseSetArgument("objective.mixture.omega=paper")]).warnings).toEqual([
    'r.yaml:4 objective.alignment has no effect: variant "arcface" leaves this part out',
    "--set objective.mixture.omega=paper: objective.mixture has no effect: damage.mixture is off",
  ]);
});
