// The recipes of the paper's settings beside the numbers of its appendix A.1 and of the published configurations (for MobileFaceNet,
// which the paper only names, arcface_torch's).
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { loadRecipe } from "./recipeFile.js";

const ALPHA = { iresnet50: 0.1, iresnet100: 0.05, iresnet200: 0.05, mobilefacenet: 0.1 };

test.each([
  ["ms1mv2_r50", "iresnet50", 30, 5e-4],
  ["ms1mv2_r100", "iresnet100", 25, 5e-4],
  ["ms1mv2_r200", "iresnet200", 30, 5e-4],
  ["ms1mv2_mobilefacenet", "mobilefacenet", 40, 1e-4],
  ["glint360k_r50", "iresnet50", 25, 1e-4],
  ["glint360k_r100", "iresnet100", 25, 1e-4],
  ["glint360k_r200", "iresnet200", 30, 1e-4],
  ["glint360k_mobilefacenet", "mobilefacenet", 20, 1e-4],
] as const)("%s", async (name, network, epochs, weightDecay) => {
  const file = fileURLToPath(new URL(`../../../../recipes/${name}.yaml`, import.meta.url));
  const { recipe, warnings } = await loadRecipe(file);
  expect(warnings).toEqual([]);
  expect(recipe).toMatchObject({
    data: { path: `data/${name.split("_")[0]}` },
    model: { network, embeddingSize: 512, inputSize: 112 },
    objective: {
      preset: "official",
      variant: "topofr",
      margin: { kind: "arcface", scale: 64, margin: 0.5 },
      perturbation: { probability: 0.2 }, // xi
      alignment: { weight: ALPHA[network] }, // alpha
      damage: { lambda: 1 },
    },
    optim: { name: "sgd", lr: 0.1, momentum: 0.9, weightDecay, clipNorm: 5 },
    schedule: { kind: "polynomial", power: 2, warmupEpochs: 0 },
    batchSize: 128, // on each of four GPUs
    accumulate: 4,
    epochs,
    evaluate: { everySteps: 2000 },
  });
  // CosFace's margin, marked † in the paper's table 2, is a switch of the same recipe.
  const dagger = await loadRecipe(file, [{ path: "objective.margin.kind", value: "cosface", source: "†" }]);
  expect(dagger.recipe.objective.margin).toMatchObject({ kind: "cosface", scale: 64, margin: 0.4 });
});
