// Verification during training: a folder with pairs and a .bin file of the same pairs come to the same report.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeFaceBin } from "@topofr/formats";
import { setNumThreads } from "@topofr/torch";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createLearner, disposeLearner } from "./learner.js";
import { temporaryFolder, tinyRecipe, writePairs, writePictures } from "./train.test.support.js";
import { openVerifier } from "./verifier.js";

const folder = temporaryFolder();
const faces = join(folder.path, "faces");
const NEVER = new AbortController().signal;
/** The pairs of writePairs, as places among the pictures: person_0 has 0 to 2, person_1 has 3 to 5. */
const PAIRS = [
  [0, 1, 1],
  [1, 2, 1],
  [0, 4, 0],
  [2, 3, 0],
  [3, 4, 1],
  [4, 5, 1],
  [0, 4, 0],
  [2, 3, 0],
] as const;

let files: string[];
beforeAll(async () => {
  setNumThreads(1);
  files = await writePictures(faces);
  writePairs(faces);
});
afterAll(() => folder.remove());

test("a .bin file verifies as the folder does", async () => {
  const bin = join(folder.path, "faces.bin");
  const images = PAIRS.flatMap((pair) => pair.slice(0, 2)).map((place) => readFileSync(files[place]!));
  await writeFaceBin(bin, { images, same: PAIRS.map(([, , same]) => same === 1) });
  const recipe = tinyRecipe(faces, { "evaluate.data": faces });
  const learner = createLearner(recipe, 2);
  try {
    const byFolder = await openVerifier(recipe);
    const byBin = await openVerifier({ ...recipe, evaluate: { ...recipe.evaluate, data: bin } });
    expect([byFolder!.name, byBin!.name]).toEqual(["faces", "faces"]);
    expect([byFolder!.images.length, byBin!.images.length]).toEqual([6, 6]);
    const { perFold: _, ...expected } = await byFolder!.verify(learner, NEVER);
    // Two folds in the list, ten in a .bin, so that eight pairs are too few for its accuracy.
    await expect(byBin!.verify(learner, NEVER)).rejects.toThrow("8 pairs cannot be divided into 10 folds");
    const more = [...PAIRS, ...PAIRS];
    await writeFaceBin(bin, {
      images: more.flatMap((pair) => pair.slice(0, 2)).map((place) => readFileSync(files[place]!)),
      same: more.map(([, , same]) => same === 1),
    });
    const twice = await openVerifier({ ...recipe, evaluate: { ...recipe.evaluate, data: bin } });
    const report = await twice!.verify(learner, NEVER);
    expect(report).toMatchObject({ pairs: 16, images: 6, dimension: 8 });
    expect(report.auc).toBeCloseTo(expected.auc, 6);
    expect(report.eer).toBeCloseTo(expected.eer, 6);
  } finally {
    disposeLearner(learner);
  }
});

test("no data: no verifier; a benchmark without folds of pairs is E_RECIPE", async () => {
  const recipe = tinyRecipe(faces);
  expect(await openVerifier(recipe)).toBeNull();
  const manifest = join(folder.path, "groups.csv");
  writeFileSync(
    manifest,
    `image,identity,group\n${files.map((file, k) => `${file},p${k % 2},A`).join("\n")}\n`,
  );
  await expect(
    openVerifier({ ...recipe, evaluate: { ...recipe.evaluate, data: manifest } }),
  ).rejects.toMatchObject({
    code: "E_RECIPE",
    message: expect.stringContaining("is no benchmark of pairs") as string,
  });
});
