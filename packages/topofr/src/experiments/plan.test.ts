// Plans: the paper's own expand to what its tables have, and a wrong file is told where it is wrong. Trains nothing.
import { expect, test } from "vitest";
import { cellRecipe } from "./cell.js";
import { baselineOf, cellsOf, checkVariants, planSchema, rowsOf } from "./plan.js";
import { changePlan, loadPlan, parsePlan } from "./planFile.js";
import { PAPER_PLANS } from "./plans/paperPlans.js";
import { planCells } from "./runner.js";

const ROWS: Record<string, number> = {
  ablation: 7,
  mining: 6,
  metric: 3,
  constraints: 5,
  "batch-size": 3,
  sensitivity: 11,
  cost: 3,
  "data-amount": 9,
  backbones: 9,
  mobile: 2,
};

test("there is a plan for each experiment", () => {
  expect(PAPER_PLANS.map(({ name }) => name)).toEqual(Object.keys(ROWS));
});

test.each(Object.keys(ROWS))(
  "%s expands: rows, three seeds, recipes that resolve, the paper's rows by label",
  async (name) => {
    const plan = await loadPlan(name);
    const rows = rowsOf(plan).map(({ label }) => label);
    expect(rows).toHaveLength(ROWS[name]!);
    const cells = await planCells("nowhere", plan);
    expect(cells.map(({ done }) => done)).toEqual(new Array(3 * rows.length).fill(false));
    expect(new Set(cells.map(({ cell }) => cell.id)).size).toBe(cells.length);
    for (const [label, numbers] of Object.entries(plan.paper?.rows ?? {})) {
      expect(rows).toContain(label);
      expect(numbers).toHaveLength(plan.paper!.columns.length);
    }
  },
);

const YAML = `name: mine
title: Mine
about: Two by two.
axes:
  - { name: method, key: objective.variant, values: [arcface, topofr] }
  - { name: rate, key: optim.lr, values: [0.1, 0.2] }
seeds: [4, 5]
benchmarks: [lfw, { path: faces, pairs: list.txt }]
baseline: { method: arcface }
`;

test("a plan file: product of the axes, seeds outermost, baseline with the other levels the same", () => {
  const plan = parsePlan(YAML, "mine.yaml");
  expect(cellsOf(plan).map(({ id }) => id)).toEqual(
    [4, 5].flatMap((seed) =>
      ["arcface_0.1", "arcface_0.2", "topofr_0.1", "topofr_0.2"].map((row) => `${row}-seed${seed}`),
    ),
  );
  const rows = rowsOf(plan);
  expect(rows.map((row) => baselineOf(plan, row)?.label ?? null)).toEqual([
    null,
    null,
    "arcface, 0.1",
    "arcface, 0.2",
  ]);
  expect(plan.benchmarks).toEqual([
    { path: "lfw", pairs: null },
    { path: "faces", pairs: "list.txt" },
  ]);
  expect(planSchema.parse(JSON.parse(JSON.stringify(plan)))).toEqual(plan);
});

test("a multiple is of the recipe's own value, in the unit of its preset; a variant without the part has none", async () => {
  const plan = await loadPlan("backbones");
  const weights = async (changes: Record<string, unknown>) => {
    const changed = changePlan(plan, { set: changes });
    const recipes = await Promise.all(
      cellsOf({ ...changed, seeds: [1] }).map((cell) => cellRecipe(changed, cell)),
    );
    return recipes.map(({ recipe: { model, objective } }) => [
      model.network,
      objective.margin.kind,
      objective.alignment?.weight ?? null,
    ]);
  };
  expect(await weights({})).toEqual(
    ([50, 100, 200] as const).flatMap((depth) => [
      [`iresnet${depth}`, "arcface", null],
      [`iresnet${depth}`, "arcface", depth === 50 ? 0.1 : 0.05],
      [`iresnet${depth}`, "cosface", depth === 50 ? 0.1 : 0.05],
    ]),
  );
  expect((await weights({ "objective.preset": "spherical" })).map(([, , weight]) => weight)).toEqual([
    ...[null, 6.4, 6.4, null, 3.2, 3.2, null, 3.2, 3.2],
  ]);
  const word = changePlan(plan, {});
  word.axes[0]!.levels![0]!.set = { "objective.preset": { times: 2 } };
  await expect(cellRecipe(word, cellsOf(word)[0]!)).rejects.toThrow(
    'plan backbones, IResNet-50, ArcFace: objective.preset is "official", of which there are no multiples',
  );
});

test("a multiple of a key that takes whole numbers is whole", async () => {
  const plan = changePlan(await loadPlan("backbones"), { levels: { method: ["ArcFace"] } });
  const epochs = async (recipe: string) => {
    const changed = { ...plan, recipe, seeds: [1] };
    const recipes = await Promise.all(cellsOf(changed).map((cell) => cellRecipe(changed, cell)));
    return recipes.map(({ recipe }) => recipe.epochs);
  };
  expect(await epochs(plan.recipe!)).toEqual([30, 25, 30]); // the published configurations
  expect(await epochs(plan.recipe!.replace("ms1mv2_r50", "experiment_faces307"))).toEqual([4, 3, 4]);
});

test("several training sets are one more axis", () => {
  const plan = changePlan(parsePlan(YAML, "mine.yaml"), { data: ["a", "b"] });
  expect(rowsOf(plan)).toHaveLength(8);
  expect(rowsOf(plan)[1]).toMatchObject({ label: "arcface, 0.1, b", set: { "data.path": "b" } });
});

test.each([
  [YAML.replace("seeds: [4, 5]", "seeds: [4, 4]"), "mine.yaml:7 seeds: a seed is there twice"],
  [YAML.replace("seeds:", "seedz:"), 'mine.yaml:7 unknown key "seedz"'],
  [YAML.replace("values: [0.1, 0.2]", "values: []"), "mine.yaml:6 axes[1].values"],
  [
    YAML.replace("{ method: arcface }", "{ method: cosface }"),
    '"cosface" is no level of it: arcface, topofr',
  ],
  [YAML.replace("name: rate", "name: method"), '"method" is the name of two axes'],
  ["name: [", "mine.yaml:1 not YAML"],
])("a wrong plan names line and key (%#)", (yaml, message) => {
  expect(() => parsePlan(yaml, "mine.yaml")).toThrow(message);
});

test("a variant that this version has not, a wrong level, a key that is an axis: refused with what there is", async () => {
  const unknown = parsePlan(YAML.replace("topofr]", "topofr-z]"), "mine.yaml");
  expect(() => checkVariants(unknown)).toThrow('no variant "topofr-z" in this version; there are arcface, ');
  await expect(loadPlan("ablation", { levels: { method: ["Topo"] } })).rejects.toThrow(
    '"Topo" is none of ArcFace, TopoFR-R',
  );
  await expect(loadPlan("ablation", { levels: { way: ["a"] } })).rejects.toThrow(
    "plan ablation has the axes method",
  );
  await expect(loadPlan("ablation", { set: { "objective.variant": "focal" } })).rejects.toThrow(
    "--levels method=…",
  );
  await expect(loadPlan("ablations")).rejects.toThrow("no such experiment; there are ablation, mining");
  const wrongKey = changePlan(parsePlan(YAML, "mine.yaml"), { data: ["x"], set: { "optim.decay": 1 } });
  await expect(planCells("nowhere", wrongKey)).rejects.toThrow('unknown key "optim.decay"');
});

test("--levels keeps some levels, and replaces the values of an axis with a key", async () => {
  const plan = await loadPlan("batch-size", { levels: { batch: ["16", "32"] } });
  expect(rowsOf(plan).map(({ set }) => set.batchSize)).toEqual([16, 32]);
  expect(plan.baseline).toBeNull();
  const two = await loadPlan("ablation", { levels: { method: ["arcface", "topofr"] }, seeds: 2 });
  expect(cellsOf(two).map(({ id }) => id)).toEqual([
    "arcface-seed1",
    "topofr-seed1",
    "arcface-seed2",
    "topofr-seed2",
  ]);
});
