import { readdir, readFile } from "node:fs/promises";
import fc from "fast-check";
import { expect, test } from "vitest";
import { parseRecipe } from "./recipeFile.js";
import { recipeKeys } from "./recipeKeys.js";
import { editDistance, KEYS_OF_OTHER_TOOLS, suggestKey, suggestWord } from "./recipeSuggest.js";

const paths = recipeKeys().map(({ path }) => path);

test("every key is documented and says what it takes", () => {
  for (const { path, expected, description, section } of recipeKeys()) {
    if (section) continue;
    expect(description, path).not.toBe("");
    expect(expected, path).toMatch(/^(a number|a whole number|one of|"|text|true or false|a list of)/);
  }
  const key = (path: string) => recipeKeys().find((candidate) => candidate.path === path);
  expect(key("optim.lr")).toMatchObject({ expected: "a number above 0", default: 0.1 });
  expect(key("maxSteps")).toMatchObject({ expected: "a whole number of at least 1 or null", default: null });
  expect(key("objective.margin.m2")?.expected).toBe("a number of at least 0 and at most 1.5708");
});

test("words of other tools lead to keys that exist and are not ours already", () => {
  for (const [word, path] of Object.entries(KEYS_OF_OTHER_TOOLS)) {
    expect(paths, word).toContain(path);
    expect(paths, word).not.toContain(word);
  }
});

test.each([
  ["optim.learning_rate", "optim.lr"],
  ["optim.weight_decay", "optim.weightDecay"],
  ["optim.lrr", "optim.lr"],
  ["lr", "optim.lr"],
  ["batch_size", "batchSize"],
  ["num_epoch", "epochs"],
  ["fp16", "precision"],
  ["alpha", "objective.alignment.weight"],
  ["objective.alignment.mtach", "objective.alignment.match"],
  ["network", "model.network"],
  ["model.backbone", "model.network"],
  ["zzz", undefined],
])("%s means %s", (found, meant) => {
  expect(suggestKey(found, paths)).toBe(meant);
});

test("a word is suggested only when it is near", () => {
  expect(suggestWord("sperical", ["paper", "official", "spherical"])).toBe("spherical");
  expect(suggestWord("ours", ["paper", "official", "spherical"])).toBeUndefined();
  expect(suggestWord(3, ["paper"])).toBeUndefined();
});

test("edit distance counts edits and swaps, and is symmetric", () => {
  expect(editDistance("kitten", "sitting")).toBe(3); // the textbook example
  expect(editDistance("mtach", "match")).toBe(1);
  const word = fc.string({ maxLength: 8, unit: fc.constantFrom("a", "b", "c") });
  fc.assert(
    fc.property(word, word, (a, b) => {
      expect(editDistance(a, b)).toBe(editDistance(b, a));
      expect(editDistance(a, b) === 0).toBe(a === b);
      expect(editDistance(a, b)).toBeLessThanOrEqual(Math.max(a.length, b.length));
      expect(editDistance(a, `${a}x`)).toBe(1);
    }),
    { seed: 20242, numRuns: 100 },
  );
});

test("the recipes of this repository parse without a warning and say what they are for", async () => {
  const folder = new URL("../../../../recipes/", import.meta.url); // from dist/train/
  const names = (await readdir(folder)).filter((name) => name.endsWith(".yaml"));
  expect(names).toEqual(
    expect.arrayContaining([
      "demo.yaml",
      "glint360k_r100.yaml",
      "ms1mv2_r50.yaml",
      "pins_mobilefacenet.yaml",
    ]),
  );
  for (const name of names) {
    const text = await readFile(new URL(name, folder), "utf8");
    expect(parseRecipe(text, name).warnings, name).toEqual([]);
    const head = text.slice(0, text.search(/^\w/m));
    for (const word of ["Command:", "Hardware:", "Score:"]) expect(head, name).toContain(word);
    expect(head, name).toMatch(/Time:|Hours:/);
  }
});
