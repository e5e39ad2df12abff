import { TopofrError } from "@topofr/formats";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  composeObjective,
  inputDiameter,
  objectiveOptions,
  objectiveProblems,
} from "./objectiveComposition.js";
import {
  type ObjectiveChoice,
  objectiveChoiceSchema,
  objectiveSchema,
  PRESET_NAMES,
  VARIANT_NAMES,
} from "./objectiveOptions.js";
import { PRESETS } from "./objectivePresets.js";
import { VARIANTS } from "./objectiveVariants.js";

const messages = (choice: ObjectiveChoice) =>
  composeObjective(choice).problems.map(({ path, message }) => `${path.join(".")}: ${message}`);
const warnings = (choice: ObjectiveChoice) =>
  composeObjective(choice).warnings.map(({ path, message }) => `${path.join(".")} ${message}`);

describe("presets", () => {
  test.each(PRESET_NAMES)("%s sets every switch and contradicts nothing", (preset) => {
    expect(objectiveSchema.parse(PRESETS[preset])).toEqual(PRESETS[preset]);
    expect(objectiveProblems(PRESETS[preset])).toEqual([]);
    expect(objectiveOptions({ preset })).toEqual(PRESETS[preset]);
  });

  test("paper and official differ in every row of the table of differences", () => {
    const { paper, official } = PRESETS;
    for (const key of ["match", "half", "reduce", "inputNorm"] as const)
      expect(paper.alignment?.[key], key).not.toEqual(official.alignment?.[key]);
    for (const key of ["probability", "truncateProbability", "detach"] as const)
      expect(paper.damage?.[key], key).not.toEqual(official.damage?.[key]);
    for (const key of ["sign", "standardise", "mixingCap", "omega", "entropyEpsilon"] as const)
      expect(paper.mixture[key], key).not.toEqual(official.mixture[key]);
    expect(paper.perturbation?.erasingLeaks).toBe(false);
    expect(official.perturbation?.erasingLeaks).toBe(true);
  });

  test("spherical measures both spaces on one scale, whatever the norm of an embedding", () => {
    const alignment = PRESETS.spherical.alignment!;
    expect(alignment).toMatchObject({ latent: "l2", inputNorm: "unit-sphere", match: "symmetric" });
    expect(inputDiameter(alignment)).toBe(2);
    expect(inputDiameter(PRESETS.official.alignment!)).toBe(1);
  });
});

describe("variants", () => {
  // Table 3 of the paper.
  const parts = (variant: (typeof VARIANT_NAMES)[number]) => {
    const { perturbation, alignment, damage } = objectiveOptions({ preset: "official", variant });
    return [perturbation !== null, alignment !== null, damage?.focal ?? false, damage?.mixture ?? false];
  };
  test.each([
    ["arcface", [false, false, false, false]],
    ["cosface", [false, false, false, false]],
    ["topofr-r", [true, false, false, false]],
    ["topofr-a", [false, true, false, false]],
    ["topofr-p", [true, true, false, false]],
    ["topofr-f", [true, true, true, false]],
    ["topofr-g", [true, true, false, true]],
    ["topofr", [true, true, true, true]],
    ["topofr-b", [true, true, true, true]],
    ["topofr-w", [true, true, true, true]],
    ["magface", [false, false, false, false]],
    ["focal", [false, false, false, false]],
    ["arcface-no-intra", [false, false, false, false]],
    ["topofr-p-no-inter", [true, true, false, false]],
  ] as const)("%s has the parts of table 3", (variant, expected) => {
    expect(parts(variant)).toEqual(expected);
  });

  test("every variant of every preset is valid and parses to itself again", () => {
    for (const preset of PRESET_NAMES)
      for (const variant of VARIANT_NAMES) {
        const options = objectiveOptions({ preset, variant });
        const again = objectiveChoiceSchema.parse({ preset, variant, ...options });
        expect(composeObjective(again)).toMatchObject({ options, problems: [] });
      }
    expect(Object.keys(VARIANTS)).toEqual([...VARIANT_NAMES]);
  });

  test("words of a variant are its meaning, its numbers are defaults", () => {
    expect(objectiveOptions({ preset: "spherical", variant: "topofr-w" }).alignment).toEqual({
      ...PRESETS.spherical.alignment!,
      match: "wasserstein",
    });
    expect(messages({ variant: "topofr-b", alignment: { match: "symmetric" } })).toEqual([
      'alignment.match: "symmetric" contradicts variant "topofr-b", which means "bottleneck"',
    ]);
    expect(objectiveOptions({ variant: "elasticface-plus" }).margin).toMatchObject({
      plus: true,
      deviation: 0.0175,
    });
    expect(
      objectiveOptions({ variant: "elasticface-plus", margin: { deviation: 0.05 } }).margin,
    ).toMatchObject({
      kind: "elasticface-arc",
      plus: true,
      deviation: 0.05,
    });
    expect(messages({ variant: "elasticface-plus", margin: { plus: false } })).toEqual([
      'margin.plus: false contradicts variant "elasticface-plus", which means true',
    ]);
    expect(objectiveOptions({ variant: "mv-am-fixed", mining: { t: 1.3 } })).toMatchObject({
      margin: { kind: "cosface", margin: 0.4 },
      mining: { kind: "mv-softmax", adaptive: false, t: 1.3 },
    });
    expect(messages({ variant: "focal", mining: { kind: "atk" } })).toEqual([
      'mining.kind: "atk" contradicts variant "focal", which means the focal mining',
    ]);
    expect(messages({ variant: "arcface-no-intra", constraints: "intra-class" })).toEqual([
      'constraints: "intra-class" contradicts variant "arcface-no-intra", which means "inter-class"',
    ]);
    expect(objectiveOptions({ variant: "topofr", constraints: "inter-class" }).constraints).toBe(
      "inter-class",
    );
  });

  test("mining is a part like the others", () => {
    expect(messages({ variant: "atk", mining: null })).toEqual([
      'mining: null contradicts variant "atk", which has this part; choose another variant, or none',
    ]);
    expect(warnings({ variant: "arcface", mining: { kind: "focal" } })).toEqual([
      'mining has no effect: variant "arcface" leaves this part out',
    ]);
    expect(objectiveOptions({ damage: null, mining: { kind: "focal", gamma: 1 } }).mining).toEqual({
      kind: "focal",
      gamma: 1,
      alpha: null,
    });
  });

  test("a resolved recipe from before mining and constraints existed reads as one without them", () => {
    const { mining, constraints, ...before } = objectiveOptions({ preset: "paper", variant: "topofr-f" });
    expect([mining, constraints]).toEqual([null, "both"]);
    const parsed = objectiveChoiceSchema.parse({ preset: "paper", variant: "topofr-f", ...before });
    expect(objectiveOptions(parsed)).toEqual({ ...before, mining, constraints });
  });

  test("the baselines bring their margin, the others keep the recipe's", () => {
    expect(objectiveOptions({ variant: "cosface" }).margin).toEqual({
      kind: "cosface",
      scale: 64,
      margin: 0.4,
      interClassFilter: null,
    });
    const dagger = objectiveOptions({ variant: "topofr", margin: { kind: "cosface" } });
    expect(dagger.margin).toMatchObject({ kind: "cosface", margin: 0.4 });
    expect(messages({ variant: "arcface", margin: { kind: "cosface" } })).toEqual([
      'margin.kind: "cosface" contradicts variant "arcface", which means the arcface margin',
    ]);
  });

  test("tuning of a part that the variant leaves out is a warning, so one recipe serves the baseline too", () => {
    const choice: ObjectiveChoice = {
      variant: "arcface",
      alignment: { weight: 0.05 },
      damage: { lambda: 2 },
      mixture: { mixingCap: null },
    };
    expect(objectiveOptions(choice)).toMatchObject({ alignment: null, damage: null });
    expect(warnings(choice)).toEqual([
      'alignment has no effect: variant "arcface" leaves this part out',
      'damage has no effect: variant "arcface" leaves this part out',
      "mixture has no effect: damage.mixture is off",
    ]);
  });

  test("turning off what the variant is made of is a contradiction", () => {
    expect(
      messages({ variant: "topofr", perturbation: null, alignment: null, damage: { focal: false } }),
    ).toEqual([
      'perturbation: null contradicts variant "topofr", which has this part; choose another variant, or none',
      'alignment: null contradicts variant "topofr", which has this part; choose another variant, or none',
      'damage.focal: false contradicts variant "topofr", which has it',
    ]);
    expect(messages({ perturbation: null, alignment: null, damage: { focal: false } })).toEqual([]);
  });
});

describe("contradictions between switches", () => {
  test.each<[string, ObjectiveChoice, string]>([
    [
      "unit embeddings and raw pixels",
      { preset: "spherical", alignment: { inputNorm: "none" } },
      'alignment.inputNorm: "none" contradicts latent "l2"',
    ],
    [
      "a damage score of nothing",
      { damage: { focal: false, mixture: false } },
      "damage: focal and mixture are both false",
    ],
    [
      "a gradient through a truncated probability",
      { preset: "paper", damage: { truncateProbability: true } },
      "damage.truncateProbability: true contradicts detach: false",
    ],
    [
      "a number of another margin",
      { margin: { m1: 1.35 } },
      "margin.m1: the arcface margin has no such number; its keys: scale, margin, interClassFilter",
    ],
    [
      "a number of another mining method",
      { variant: "focal", mining: { t: 1.2 } },
      "mining.t: the focal mining has no",
    ],
    [
      "mining without a kind",
      { damage: null, mining: { gamma: 1 } },
      "mining.kind: is missing; one of mv-softmax, atk",
    ],
    [
      "two ways of weighing samples",
      { mining: { kind: "focal" } },
      'mining.kind: "focal" contradicts the damage score: both weigh samples; write `damage: null`',
    ],
    [
      "two ways of emphasising classes",
      { margin: { kind: "curricularface" }, mining: { kind: "mv-softmax" } },
      'mining.kind: "mv-softmax" contradicts the curricularface margin',
    ],
    [
      "magface from long to short",
      { variant: "magface", margin: { smallestNorm: 200 } },
      "margin.smallestNorm: 200 is not below largestNorm, 110",
    ],
  ])("%s is refused", (_name, choice, expected) => {
    const found = messages(choice);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(expected);
    expect(() => objectiveOptions(choice)).toThrow(TopofrError);
  });

  test("idle switches are named", () => {
    expect(warnings({ variant: "topofr-b", alignment: { half: true, reduce: "sum" } })).toEqual([
      "alignment.half has no effect: match is bottleneck",
      "alignment.reduce has no effect: match is bottleneck",
    ]);
    expect(warnings({ variant: "topofr-w", alignment: { reduce: "sum" } })).toEqual([]);
    expect(warnings({ variant: "topofr-g", damage: { truncateProbability: true, focal: true } })).toEqual([
      'damage.focal has no effect: variant "topofr-g" leaves it out',
      "damage.truncateProbability has no effect: damage.focal is off",
    ]);
    expect(warnings({ variant: "topofr-f", damage: { lambda: 2 } })).toEqual([
      "damage.lambda has no effect: damage.mixture is off",
    ]);
  });
});

test("another margin kind starts from its own defaults and keeps scale and filter", () => {
  expect(objectiveOptions({ margin: { kind: "combined", scale: 32, interClassFilter: 0.3 } }).margin).toEqual(
    { kind: "combined", scale: 32, m1: 1, m2: 0.5, m3: 0, interClassFilter: 0.3 },
  );
});

test("an override changes its switch and no other", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...PRESET_NAMES),
      fc.double({ min: 1e-3, max: 1, noNaN: true }),
      fc.double({ min: 1e-3, max: 1, noNaN: true }),
      (preset, weight, probability) => {
        const expected = structuredClone(PRESETS[preset]);
        expected.alignment!.weight = weight;
        expected.perturbation!.probability = probability;
        const choice = { preset, alignment: { weight }, perturbation: { probability } };
        expect(objectiveOptions(choice)).toEqual(expected);
      },
    ),
    { seed: 20241, numRuns: 50 },
  );
});
