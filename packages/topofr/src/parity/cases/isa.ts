// isa_NxCxHxW_D.json: structure alignment of N images with N latent features, in both forms, with gradients.

import { scope } from "@topofr/torch";
import { z } from "zod";
import { structureAlignment } from "../../method/alignment.js";
import { objectiveOptions } from "../../method/objectiveComposition.js";
import type { AlignmentOptions } from "../../method/objectiveOptions.js";
import { expectArrayClose, expectClose, parseCase, recordedArray } from "../compare.js";
import { expectEdges, gradientOf, numbers, recordedTensor } from "../tensors.js";

const schema = z.strictObject({
  images: recordedArray,
  features: recordedArray,
  pairs_input: recordedArray,
  pairs_latent: recordedArray,
  sorted_mean_official: z.number(),
  grad_features_official: recordedArray,
  symmetric_half_sum: z.number(),
  grad_features_symmetric: recordedArray,
});

const LOSS = 1e-5;
const GRADIENT = 1e-4;

export function check(value: unknown, name: string): void {
  const recorded = parseCase(schema, value, name);
  const official = objectiveOptions({ preset: "official" }).alignment!;
  // Equation 2 on the same two matrices: image distances scaled as in the published code.
  const symmetric: AlignmentOptions = { ...official, match: "symmetric", half: true, reduce: "sum" };
  for (const distance of ["gram", "direct"] as const) {
    for (const [form, options, loss, gradient] of [
      ["official", official, recorded.sorted_mean_official, recorded.grad_features_official],
      ["symmetric", symmetric, recorded.symmetric_half_sum, recorded.grad_features_symmetric],
    ] as const) {
      scope(() => {
        const what = `${form} form, ${distance} distances`;
        const features = recordedTensor(recorded.features, { requiresGrad: true });
        const images = recordedTensor(recorded.images);
        const alignment = structureAlignment(images, features, { ...options, distance });
        expectEdges(`edges of the images, ${what}`, alignment.inputEdges, recorded.pairs_input.data);
        expectEdges(`edges of the features, ${what}`, alignment.latentEdges, recorded.pairs_latent.data);
        expectClose(`loss, ${what}`, alignment.loss.item(), loss, LOSS);
        alignment.loss.backward();
        expectArrayClose(
          `gradient, ${what}`,
          numbers(gradientOf("features", features)),
          gradient.data,
          GRADIENT,
        );
      });
    }
  }
}
