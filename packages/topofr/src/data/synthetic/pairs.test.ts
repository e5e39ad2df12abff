import { expect, test } from "vitest";
import { identityName, pairList } from "./pairs.js";
import { describeImage } from "./world.js";

const WORLD = { seed: 3, identities: 60, imagesPerIdentity: 8 };

test("pairs.txt is in LFW's layout: header, then per fold the same pairs and the different ones", () => {
  const lines = pairList(WORLD, { folds: 10, perFold: 30 }).trimEnd().split("\n");
  expect(lines[0]).toBe("10\t30");
  expect(lines).toHaveLength(1 + 10 * 60);
  const peopleOfFold: Set<string>[] = [];
  for (let fold = 0; fold < 10; fold++) {
    const people = new Set<string>();
    lines.slice(1 + fold * 60, 1 + (fold + 1) * 60).forEach((line, i) => {
      const fields = line.split("\t");
      expect(fields).toHaveLength(i < 30 ? 3 : 4);
      const images = i < 30 ? [fields[1]!, fields[2]!] : [fields[1]!, fields[3]!];
      for (const image of images) expect(Number(image)).toSatisfy((n: number) => n >= 1 && n <= 8);
      if (i < 30) expect(fields[1]).not.toBe(fields[2]);
      else expect(fields[0]).not.toBe(fields[2]);
      people.add(fields[0]!);
      if (i >= 30) people.add(fields[2]!);
    });
    peopleOfFold.push(people);
  }
  const all = peopleOfFold.flatMap((people) => [...people]);
  expect(new Set(all).size).toBe(all.length); // nobody is in two folds
  for (const name of all) expect(name).toMatch(/^identity_00([0-5]\d|60)$/);
});

test("no pair comes twice, and the list depends on the seed alone", () => {
  const text = pairList(WORLD, { folds: 10, perFold: 100 });
  expect(pairList(WORLD, { folds: 10, perFold: 100 })).toBe(text);
  expect(pairList({ ...WORLD, seed: 4 }, { folds: 10, perFold: 100 })).not.toBe(text);
  const keys = text
    .trimEnd()
    .split("\n")
    .slice(1)
    .map((line) => {
      const fields = line.split("\t");
      const images =
        fields.length === 3
          ? [`${fields[0]} ${fields[1]}`, `${fields[0]} ${fields[2]}`]
          : [`${fields[0]} ${fields[1]}`, `${fields[2]} ${fields[3]}`];
      return images.sort().join(" ");
    });
  expect(new Set(keys).size).toBe(2000);
});

test("hard images come at their natural share", () => {
  const lines = pairList(WORLD, { folds: 10, perFold: 60 }).trimEnd().split("\n").slice(1);
  let hard = 0;
  for (const line of lines) {
    const [name, image] = line.split("\t");
    const person = Number(name!.slice("identity_".length)) - 1;
    if (describeImage(WORLD, person, Number(image) - 1).difficulty !== "easy") hard++;
  }
  expect(Math.abs(hard / lines.length - 0.15)).toBeLessThan(0.06);
});

test("fewer than two people a fold: all folds draw from everybody", () => {
  const lines = pairList({ ...WORLD, identities: 5 }, { folds: 10, perFold: 4 })
    .trimEnd()
    .split("\n");
  expect(lines).toHaveLength(81);
});

test("more pairs than exist are refused with the number that do", () => {
  const tiny = { seed: 1, identities: 20, imagesPerIdentity: 2 };
  expect(() => pairList(tiny, { folds: 10, perFold: 3 })).toThrow("give at most 2");
  expect(() => pairList(WORLD, { folds: 0, perFold: 3 })).toThrow("folds must be a whole number");
});

test("names count over all worlds of a seed", () => {
  expect(identityName({ ...WORLD, firstIdentity: 100 }, 0)).toBe("identity_0101");
});
