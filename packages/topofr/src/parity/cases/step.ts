// step_N_K_D.json: the whole objective on given images, embeddings and class weights, with the published code's
// truncated p_gt (the fields that end in `_official`) and without.

import { noGrad, scope } from "@topofr/torch";
import { z } from "zod";
import { cosineLogits } from "../../method/classifier.js";
import { predictionEntropy, trueClassProbability } from "../../method/damage.js";
import { Objective } from "../../method/objective.js";
import { objectiveOptions } from "../../method/objectiveComposition.js";
import { expectArrayClose, expectClose, parseCase, type RecordedArray, recordedArray } from "../compare.js";
import { gradientOf, numbers, recordedLabels, recordedTensor } from "../tensors.js";

const schema = z.strictObject({
  images: recordedArray,
  labels: recordedArray,
  embeddings: recordedArray,
  class_weights: recordedArray,
  cosine_logits: recordedArray,
  cross_entropy: recordedArray,
  prob_gt: recordedArray,
  entropy: recordedArray,
  gum_posterior: recordedArray,
  gum_pi: z.number(),
  gum_sigma: z.number(),
  isa_official: z.number(),
  omega: recordedArray,
  loss_cls: z.number(),
  loss: z.number(),
  grad_embeddings: recordedArray,
  grad_class_weights: recordedArray,
  omega_official: recordedArray,
  loss_cls_official: z.number(),
  loss_official: z.number(),
  grad_embeddings_official: recordedArray,
  grad_class_weights_official: recordedArray,
});

type Recorded = z.infer<typeof schema>;
type FieldOf<T> = { [Key in keyof Recorded]: Recorded[Key] extends T ? Key : never }[keyof Recorded];

/** Single values and losses. */
const VALUE = 1e-4;
const GRADIENT = 1e-3;

export function check(value: unknown, name: string): void {
  const recorded = parseCase(schema, value, name);
  checkForm(recorded, { truncated: false });
  checkForm(recorded, { truncated: true });
}

function checkForm(recorded: Recorded, { truncated }: { truncated: boolean }): void {
  const suffix = truncated ? "_official" : "";
  const options = objectiveOptions({ preset: "official", damage: { truncateProbability: truncated } });
  const { mixture } = options;
  scope(() => {
    const labels = recordedLabels(recorded.labels);
    const embedding = recordedTensor(recorded.embeddings, { requiresGrad: true });
    const classWeights = recordedTensor(recorded.class_weights, { requiresGrad: true });
    const cosine = cosineLogits(embedding, classWeights);
    // Alternating signs and given embeddings draw nothing.
    const objective = new Objective(options, { seed: 0, classes: cosine.shape[1]! });
    const result = objective.loss({ images: recordedTensor(recorded.images), embedding, cosine, labels });
    const expectValues = (field: FieldOf<RecordedArray>, actual: ArrayLike<number>, relative = VALUE) =>
      expectArrayClose(field, actual, recorded[field].data, relative);
    const expectValue = (field: FieldOf<number>, actual: number) =>
      expectClose(field, actual, recorded[field], VALUE);

    noGrad(() => {
      const logits = objective.logits("margin", { embedding, cosine, labels });
      expectValues("cosine_logits", numbers(cosine));
      expectValues("cross_entropy", numbers(logits.crossEntropyLoss(labels, { reduction: 0 })));
      expectValues("prob_gt", numbers(trueClassProbability(logits, labels)));
      expectValues("entropy", numbers(predictionEntropy(logits, mixture.entropyEpsilon)));
    });
    const fit = result.damage!.mixture!;
    expectValues("gum_posterior", fit.easy);
    expectValue("gum_pi", fit.mixing);
    expectValue("gum_sigma", fit.variance);
    expectValue("isa_official", result.alignment!.loss.item());
    expectValues(`omega${suffix}`, numbers(result.damage!.omega));
    expectValue(`loss_cls${suffix}`, result.classificationLoss.item());
    expectValue(`loss${suffix}`, result.loss.item());

    result.loss.backward();
    expectValues(`grad_embeddings${suffix}`, numbers(gradientOf("embeddings", embedding)), GRADIENT);
    expectValues(`grad_class_weights${suffix}`, numbers(gradientOf("class weights", classWeights)), GRADIENT);
  });
}
