// Verification during training, on the pairs that the recipe names.
import { basename, join } from "node:path";
import { embedImages } from "../evaluate/embedImages.js";
import { type PairSet, readPairs } from "../evaluate/pairs.js";
import { type VerificationReport, verifyPairs } from "../evaluate/verification.js";
import type { Recipe } from "./recipe.js";
import type { Learner } from "./step.js";

const BATCH_SIZE = 64;

export interface Verifier {
  name: string;
  verify(learner: Learner, signal: AbortSignal): Promise<VerificationReport>;
}

/** Reads the pairs before training starts, so that a missing image stops the run at once. Null: the recipe names none. */
export async function openVerifier({ evaluate, data }: Recipe): Promise<Verifier | null> {
  if (evaluate.data === null) return null;
  const pairs: PairSet = await readPairs(evaluate.pairs ?? join(evaluate.data, "pairs.txt"), evaluate.data);
  return {
    name: basename(evaluate.data),
    async verify({ backbone, precision }, signal) {
      const options = { flip: true, batchSize: BATCH_SIZE, precision, resize: data.resize, signal };
      const { plain, mirrored } = await embedImages(backbone, pairs.images, options);
      return verifyPairs(plain, pairs, { mirrored: mirrored! });
    },
  };
}

/** The numbers of a report that the log keeps. */
export function verificationMetrics(report: VerificationReport): Record<string, number> {
  const { accuracy, accuracyStd, auc, eer, tarAtFar } = report;
  const tars = tarAtFar.map(({ far, tar }) => [`tarAtFar ${far.toExponential(0)}`, tar] as const);
  return { accuracy, accuracyStd, auc, eer, ...Object.fromEntries(tars) };
}
