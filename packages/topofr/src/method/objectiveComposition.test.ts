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
  ])("%s is refused", (_name, choice, expected) => {
    const found = messages(choice);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(expected);
    expect(() => objectiveOptions(choice)).toThrow(TopofrError);
  });

  test("idle switches are named", () => {
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
