// margins.json: logits of the margins on given cosines, and ArcFace's gradient.

import { ones, scope } from "@topofr/torch";
import { z } from "zod";
import { createMargin } from "../../method/margins/margin.js";
import type { MarginOptions } from "../../method/margins/marginOptions.js";
import { expectArrayClose, parseCase, recordedArray } from "../compare.js";
import { gradientOf, numbers, recordedLabels, recordedTensor } from "../tensors.js";

const schema = z.strictObject({
  logits: recordedArray,
  labels: recordedArray,
  arcface_official: recordedArray,
  arcface_official_grad_of_mean_ce: recordedArray,
  cosface_s64_m040: recordedArray,
  combined_1_05_0_s64: recordedArray,
  combined_1_0_04_s64: recordedArray,
  "combined_1_0_04_s64_filter_0.3": recordedArray,
});

const common = { scale: 64, interClassFilter: null };

const MARGINS = {
  arcface_official: { ...common, kind: "arcface", margin: 0.5 },
  cosface_s64_m040: { ...common, kind: "cosface", margin: 0.4 },
  combined_1_05_0_s64: { ...common, kind: "combined", m1: 1, m2: 0.5, m3: 0 },
  combined_1_0_04_s64: { ...common, kind: "combined", m1: 1, m2: 0, m3: 0.4 },
  "combined_1_0_04_s64_filter_0.3": {
    ...common,
    kind: "combined",
    m1: 1,
    m2: 0,
    m3: 0.4,
    interClassFilter: 0.3,
  },
} as const satisfies Record<string, MarginOptions>;

/** Of logits up to 64: a few float32 roundings. */
const LOGITS = 1e-6;
const GRADIENT = 1e-4;

export function check(value: unknown, name: string): void {
  const recorded = parseCase(schema, value, name);
  for (const [key, options] of Object.entries(MARGINS) as [keyof typeof MARGINS, MarginOptions][]) {
    scope(() => {
      const cosine = recordedTensor(recorded.logits, { requiresGrad: true });
      const labels = recordedLabels(recorded.labels);
      const norms = ones([labels.shape[0]!, 1]); // none of these margins looks at them
      const logits = createMargin(options, { classes: cosine.shape[1]!, seed: 0 }).logits(
        cosine,
        labels,
        norms,
      );
      expectArrayClose(key, numbers(logits), recorded[key].data, LOGITS);
      if (key !== "arcface_official") return;
      logits.crossEntropyLoss(labels).backward();
      expectArrayClose(
        "gradient of the mean cross-entropy",
        numbers(gradientOf("cosines", cosine)),
        recorded.arcface_official_grad_of_mean_ce.data,
        GRADIENT,
      );
    });
  }
}
