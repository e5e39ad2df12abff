// Builds what a recipe asks for: network, classifier, objective, optimiser, from one seed.
import { manualSeed, optim } from "@topofr/torch";
import { CosineClassifier } from "../method/classifier.js";
import { Objective } from "../method/objective.js";
import { PartialClassifier } from "../method/partialClassifier.js";
import { createBackbone } from "../models/registry.js";
import { checkpointBlocks } from "../models/residualBlock.js";
import type { Recipe } from "./recipe.js";
import type { Learner } from "./step.js";

export function createLearner(recipe: Recipe, classes: number): Learner {
  const { model, optim: optimiser, seed, precision } = recipe;
  manualSeed(seed);
  const backbone = createBackbone(model.network, {
    embeddingSize: model.embeddingSize,
    inputSize: model.inputSize,
    ...(model.dropout > 0 && { dropout: model.dropout }),
  });
  backbone.to({ memoryFormat: "blocked" });
  if (model.checkpointing) checkpointBlocks(backbone);
  const { sampleRate, precision: products } = recipe.classifier;
  const classifier =
    sampleRate < 1
      ? new PartialClassifier(classes, model.embeddingSize, { sampleRate, seed, precision: products })
      : new CosineClassifier(classes, model.embeddingSize, { precision: products });
  const objective = new Objective(recipe.objective, { seed, classes: classifier.compared });
  const parameters = [
    ...backbone.namedParameters("backbone."),
    ...classifier.namedParameters("classifier."),
    ...(objective.learned?.namedParameters("objective.") ?? []),
  ];
  const { lr, momentum, weightDecay } = optimiser;
  const optimizer =
    optimiser.name === "sgd"
      ? new optim.SGD(parameters, { lr, momentum, weightDecay })
      : new optim.AdamW(parameters, { lr, weightDecay });
  return {
    backbone,
    classifier,
    objective,
    optimizer,
    precision,
    clipNorm: optimiser.clipNorm,
  };
}

export function disposeLearner({ backbone, classifier, objective, optimizer }: Learner): void {
  backbone.dispose();
  classifier.dispose();
  objective.learned?.dispose();
  optimizer.dispose();
}
