// ijb_N.json: the IJB 1:1 protocol on given features.

import { z } from "zod";
import { verifyTemplates } from "../../evaluate/ijb.js";
import { templatePairScores } from "../../evaluate/ijbScores.js";
import { templateFeatures } from "../../evaluate/ijbTemplates.js";
import { expectArrayClose, expectNear, expectSame, parseCase, recordedArray } from "../compare.js";

const schema = z.strictObject({
  flip_concat_features: recordedArray,
  template_ids: recordedArray,
  media_ids: recordedArray,
  detector_scores: recordedArray,
  pairs_t1: recordedArray,
  pairs_t2: recordedArray,
  pairs_label: recordedArray,
  unique_templates: recordedArray,
  template_features_row0: recordedArray,
  scores_first_50: recordedArray,
  auc: z.number(),
  tar_at_far: z.record(z.string(), z.number()),
});

/** Features and scores are float32 sums; area and rates are ratios of counts. */
const FLOAT32 = 1e-5;
const SAME_COUNTS = 1e-9;

export function check(value: unknown, name: string): void {
  const recorded = parseCase(schema, value, name);
  const templates = templateFeatures({
    features: Float32Array.from(recorded.flip_concat_features.data),
    layout: "concatenated",
    dimension: recorded.flip_concat_features.shape[1]! / 2,
    detectorScores: Float32Array.from(recorded.detector_scores.data),
    templateIds: recorded.template_ids.data,
    mediaIds: recorded.media_ids.data,
  });
  expectSame("template ids", [...templates.ids], recorded.unique_templates.data);
  expectArrayClose(
    "features of the first template",
    templates.features.subarray(0, templates.dimension),
    recorded.template_features_row0.data,
    FLOAT32,
  );
  const same = Uint8Array.from(recorded.pairs_label.data);
  const scores = templatePairScores(templates, {
    first: recorded.pairs_t1.data,
    second: recorded.pairs_t2.data,
    same,
  });
  expectArrayClose("scores", scores.subarray(0, 50), recorded.scores_first_50.data, FLOAT32);
  const report = verifyTemplates(scores, same);
  expectNear("AUC", report.auc, recorded.auc, SAME_COUNTS);
  for (const [far, tar] of Object.entries(recorded.tar_at_far)) {
    const point = report.tarAtFar.find((candidate) => candidate.far === Number(far));
    if (point === undefined) throw new Error(`${name}: FAR ${far} is not one of the protocol's`);
    expectNear(`TAR at FAR ${far}`, point.tar, tar, SAME_COUNTS);
  }
}
